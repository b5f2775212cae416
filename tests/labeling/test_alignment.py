"""Versions of one text, aligned: what all agree on, and what each says where they differ."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from labeling.alignment import Difference, agreed, differences, differing
from labeling.bio import Span, spans

ONE = [Span(0, 2, "PER"), Span(5, 6, "LOC"), Span(8, 9, "LOC")]
OTHER = [Span(0, 1, "PER"), Span(1, 3, "PER"), Span(5, 6, "LOC")]


def test_a_difference_covers_all_spans_that_touch() -> None:
    assert differences([ONE, OTHER]) == [
        Difference(0, 3, ((Span(0, 2, "PER"),), (Span(0, 1, "PER"), Span(1, 3, "PER")))),
        Difference(8, 9, ((Span(8, 9, "LOC"),), ())),
    ]
    assert agreed([ONE, OTHER]) == [Span(5, 6, "LOC")]


def test_spans_side_by_side_are_differences_of_their_own() -> None:
    assert [(each.start, each.end) for each in differences([[Span(0, 1, "X"), Span(1, 2, "X")], []])] == [
        (0, 1),
        (1, 2),
    ]


def test_one_version_or_none_differs_from_nothing() -> None:
    assert differences([ONE]) == differences([]) == differences([ONE, ONE, ONE]) == []
    assert agreed([ONE]) == ONE
    assert agreed([]) == []


TAGS = st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]), min_size=12, max_size=12)


def legal(tags: list[str]) -> list[str]:
    """The tags with each stray I- turned into a B-."""
    for at, tag in enumerate(tags):
        if tag.startswith("I-") and (at == 0 or tags[at - 1][2:] != tag[2:]):
            tags[at] = f"B-{tag[2:]}"
    return tags


@given(st.lists(TAGS.map(legal), min_size=1, max_size=5))
def test_agreed_and_readings_together_are_each_version(all_tags: list[list[str]]) -> None:
    versions = [spans(tags) for tags in all_tags]
    found, same = differences(versions), agreed(versions)
    for at, version in enumerate(versions):
        assert sorted([*same, *(span for each in found for span in each.readings[at])]) == version
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(len(set(each.readings)) > 1 for each in found)
    assert differing(versions).isdisjoint(same)
