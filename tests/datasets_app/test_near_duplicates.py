"""Near duplicates: what counts as near, and that the keys find it."""

import random

import pytest

from datasets_app import near_duplicates, splits

WORDS = [f"w{number}" for number in range(5000)]


def keys_of(*texts: str) -> list[list[int]]:
    normals = [splits.normal(text) for text in texts]
    return near_duplicates.keys(normals, [splits.digest(normal) for normal in normals])


def test_the_keys_are_the_same_on_any_machine():
    assert keys_of("Ada met Bob", "The quick brown fox jumps over the lazy dog") == [
        [-8917930469002848479],
        [-1879714088786479551, -9113573957888522538, -8460180771663589884, -7171063603539837558, 1383313731226724748],
    ]


def test_a_key_does_not_depend_on_the_other_texts_of_the_batch():
    chance = random.Random(3)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(1, 30))) for _ in range(200)]
    assert keys_of(*texts) == [keys_of(text)[0] for text in texts]


def test_most_that_are_near_share_a_key_and_few_that_are_not():
    chance = random.Random(5)
    near, far = [], []
    for _ in range(300):
        words = chance.choices(WORDS, k=25)
        changed = list(words)
        changed[chance.randrange(25)] = "other"
        near.append((" ".join(words), " ".join(changed)))
        far.append((" ".join(words), " ".join(chance.choices(WORDS, k=25))))
    assert all(near_duplicates.similarity(one, other) >= 0.8 for one, other in near)
    assert sum(bool(set(a) & set(b)) for a, b in (keys_of(*pair) for pair in near)) >= 285
    assert not any(set(a) & set(b) for a, b in (keys_of(*pair) for pair in far))


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("a b c d e f", "a b c d e f", 1, 1),
        ("a b c d e f", "a b c d e f .", 0.999, 0.999),
        ("a b c d e f g h", "a b c d e f g x", 0.7, 0.8),
        ("我 们 在 北 京", "我们在北京", 0.999, 0.999),
        ("", "", 1, 1),
        ("!", "?", 0, 0),
    ],
)
def test_similarity(one, other, least, most):
    assert least <= near_duplicates.similarity(one, other) <= most


def test_short_texts_are_found_only_by_their_whole():
    (a,), (b,) = keys_of("Born in London", "Born in Paris")
    assert a != b
    assert keys_of("BORN  in london") == [[a]]


def test_no_words_at_all():
    assert len({keys_of(text)[0][0] for text in ("", "!", "🙂", "\u200b")}) == 4
