"""Changed copies of examples: legal, of the same labels, repeatable, and only of what the examples hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from labeling import bio
from modelassist.augment import Augmentation, Vocabulary, augmented, segments
from tests.modelassist import tiny

EXAMPLES = tiny.sentences(40, seed=3)
VOCABULARY = Vocabulary.of(EXAMPLES)


def copies(**how: float) -> list[tuple[list[str], list[str]]]:
    return [(list(w), list(t)) for w, t in augmented(EXAMPLES, VOCABULARY, Augmentation(**how), 5)]  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 3), st.integers(0, 100))
def test_copies_are_legal_and_keep_the_entities_labels(m: float, t: float, s: float, count: int, seed: int) -> None:
    labeled = [example for example in EXAMPLES if set(example[1]) != {"O"}]
    found = list(augmented(EXAMPLES, VOCABULARY, Augmentation(m, t, s, count), seed))
    assert len(found) == count * len(labeled)
    for index, (tokens, tags) in enumerate(found):
        bio.require_legal(tags, length=len(tokens))
        before = [span.label for span in bio.spans(labeled[index // count][1])]
        assert [span.label for span in bio.spans(tags)] == before
    assert found == list(augmented(EXAMPLES, VOCABULARY, Augmentation(m, t, s, count), seed))


def test_mentions_come_from_the_examples() -> None:
    known = {label: set(mentions) for label, mentions in VOCABULARY.mentions.items()}
    changed = 0
    labeled = [example for example in EXAMPLES if set(example[1]) != {"O"}]
    for (old, _), (tokens, tags) in zip(labeled, copies(mention_replacement=1.0), strict=True):
        for span in bio.spans(tags):
            assert tuple(tokens[span.start : span.end]) in known[span.label]
        changed += old != tokens
    assert changed > len(labeled) / 2


def test_words_come_from_under_the_same_tag() -> None:
    for tokens, tags in copies(token_replacement=1.0):
        assert all(token in VOCABULARY.words[tag] for token, tag in zip(tokens, tags, strict=True))


def test_shuffling_keeps_the_words_of_each_stretch() -> None:
    labeled = [example for example in EXAMPLES if set(example[1]) != {"O"}]
    for (old, tags), (new, new_tags) in zip(labeled, copies(segment_shuffle=1.0), strict=True):
        assert tags == new_tags
        for span in segments(tags):
            assert sorted(old[span.start : span.end]) == sorted(new[span.start : span.end])


def test_neighbors_of_one_label_stay_two() -> None:
    example = (["Anna", "Bob", "Smith"], ["B-PER", "B-PER", "I-PER"])
    found = next(augmented([example], Vocabulary.of([example]), Augmentation(segment_shuffle=1.0), 1))
    assert found[1] == ["B-PER", "B-PER", "I-PER"]


def test_nothing_is_active_by_default() -> None:
    assert not Augmentation().active
    assert not Augmentation(mention_replacement=1, copies=0).active
    assert Augmentation(segment_shuffle=0.1).active
