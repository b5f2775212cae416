"""What the benchmarks of the model count: keys, tokens needed for a goal, places that were made wrong."""

import itertools

import pytest

from labeling import bio
from tests.bench import corrupt, keystrokes
from tests.bench.bench_active import held, needed


@pytest.mark.parametrize(
    ("gold", "keys"),
    [
        ("O O O", 1),  # submit
        ("B-X O O", 2),  # label where the cursor stands
        ("O O B-X", 4),  # two to the right
        ("O B-X I-X I-X", 5),  # one to the right, two more tokens, label
        ("B-X O B-Y", 5),  # from the first entity's end two to the right
    ],
)
def test_keys_without_help(gold: str, keys: int) -> None:
    assert keystrokes.alone(gold.split()) == keys


@pytest.mark.parametrize(
    ("gold", "suggested", "keys"),
    [
        ("O O O", "O O O", 1),
        ("O B-X I-X", "O B-X I-X", 2),  # accept all, submit
        ("O B-X I-X", "O B-Y I-Y", 4),  # jump, label
        ("O B-X I-X", "O B-X O", 4),  # jump, one token further
        ("O B-X I-X", "B-Y I-Y O", 6),  # jump, both ends by one, label
        ("O O O", "B-X O O", 4),  # jump, reject
        ("B-X O B-X", "B-X O O", 5),  # two to the right from the beginning, label
        ("O B-X O", "O O O", 3),  # as without
    ],
)
def test_keys_with_help(gold: str, suggested: str, keys: int) -> None:
    assert keystrokes.helped(gold.split(), suggested.split()) == keys


def test_tokens_needed_for_a_goal_lie_on_the_line_between_two_sizes() -> None:
    assert needed([10, 30, 100], [0.4, 0.6, 0.7], 0.5) == "20 %"
    assert needed([10, 30, 100], [0.4, 0.6, 0.7], 0.3) == "≤ 10 %"
    assert needed([10, 20, 40, 100], [0.4, 0.65, 0.5, 0.7], 0.6) == "70 %"  # what it has for a while does not count
    assert needed([10, 30, 100], [0.4, 0.6, 0.7], 0.8) == "–"


def test_a_share_of_the_tokens_holds_no_more_than_the_densest_texts() -> None:
    dense, thin = (["w"] * 3, ["B-X", "B-X", "O"]), (["w"] * 97, ["B-X", "B-X", *["O"] * 95])
    assert held([thin, dense]).startswith("entities in them, at most: 50% in 3 %, 53% in 8 %")


def test_corrupted_labels_are_legal_and_changed_just_where_it_says() -> None:
    tags = [["O", "B-X", "I-X", "O", "B-Y", "O"], ["B-X", "B-Y"], ["O", "O"]] * 20
    wrong, places = corrupt.corrupted(tags, 0.3, seed=1)
    assert len(places) == round(0.3 * 80)
    assert places == corrupt.corrupted(tags, 0.3, seed=1)[1]
    for at, (old, new) in enumerate(zip(tags, wrong, strict=True)):
        assert bio.illegal_index(new) is None
        allowed = set(itertools.chain(*(range(start, end) for sentence, start, end in places if sentence == at)))
        changed = {token for token in range(len(old)) if bio.label_of(old[token]) != bio.label_of(new[token])}
        assert changed <= allowed
    for sentence, start, end in places:
        assert tags[sentence][start:end] != wrong[sentence][start:end]
