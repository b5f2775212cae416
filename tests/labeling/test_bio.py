"""BIO, spans and schemes: by hand, by round trip, and against seqeval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

from labeling import bio
from labeling.bio import Span
from labeling.errors import Invalid

LABELS = ["PER", "creative-work", "PER.NOM", "地点"]


@st.composite
def legal_tags(draw: st.DrawFn) -> list[str]:
    tags: list[str] = []
    for length, label in draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", *LABELS])), max_size=8)):
        tags += [f"{'I' if at else 'B'}-{label}" if label else "O" for at in range(length)]
    return tags


@given(legal_tags())
def test_tags_and_spans_are_two_faces_of_one_thing(tags: list[str]) -> None:
    assert bio.tags_of(bio.spans(tags), len(tags)) == tags
    assert bio.illegal_index(tags) is None


@given(legal_tags())
def test_spans_are_those_that_seqeval_finds(tags: list[str]) -> None:
    ours = [(span.label, span.start, span.end - 1) for span in bio.spans(tags)]
    assert ours == get_entities(tags)


@pytest.mark.parametrize("scheme", bio.SCHEMES)
@given(tags=legal_tags())
def test_every_scheme_gives_the_same_tags_back(scheme: str, tags: list[str]) -> None:
    assert bio.decode(bio.encode(tags, scheme), scheme) == tags


@pytest.mark.parametrize(("scheme", "oracle"), [("iob1", IOB1), ("iob2", IOB2), ("bioes", IOBES), ("bilou", BILOU)])
@given(tags=legal_tags())
def test_other_schemes_mean_what_seqeval_reads_in_them(scheme: str, oracle: type, tags: list[str]) -> None:
    found = Entities([bio.encode(tags, scheme)], oracle).entities[0]
    assert [Span(entity.start, entity.end, entity.tag) for entity in found] == bio.spans(tags)


@given(legal_tags())
def test_a_scheme_is_recognised_where_it_shows(tags: list[str]) -> None:
    for scheme in bio.SCHEMES:
        written = bio.encode(tags, scheme)
        evidence = bio.SchemeEvidence()
        evidence.add(written)
        assert bio.decode(written, evidence.scheme) == tags


@pytest.mark.parametrize(
    ("tags", "index"),
    [
        (["I-PER"], 0),
        (["B-PER", "O", "I-PER"], 2),
        (["B-PER", "I-LOC"], 1),
        (["B-"], 0),
        (["O", "X-PER"], 1),
        (["B"], 0),
        ([""], 0),
        (["O", "o"], 1),
    ],
)
def test_illegal_tags_are_refused_with_their_place(tags: list[str], index: int) -> None:
    with pytest.raises(bio.IllegalTags) as caught:
        bio.require_legal(tags)
    assert caught.value.index == index


@pytest.mark.parametrize("tags", [["B-X"], ["E-X"], ["S-X", "I-X"], ["B-X", "O"], ["B-X", "E-Y"], ["Q-X"]])
def test_broken_bioes_is_refused(tags: list[str]) -> None:
    with pytest.raises(bio.IllegalTags):
        bio.decode(tags, "bioes")


def test_wrong_length_and_unknown_labels_are_refused() -> None:
    with pytest.raises(Invalid, match="2 tags for 3 tokens"):
        bio.require_legal(["O", "O"], length=3)
    with pytest.raises(Invalid, match="Unknown label 'ORG'"):
        bio.require_legal(["B-ORG"], labels=["PER"])


@pytest.mark.parametrize(
    "spans", [[Span(0, 4, "X")], [Span(2, 2, "X")], [Span(-1, 1, "X")], [Span(0, 2, "X"), Span(1, 3, "Y")]]
)
def test_spans_that_do_not_fit_are_refused(spans: list[Span]) -> None:
    with pytest.raises(Invalid):
        bio.tags_of(spans, 3)


def test_a_label_may_hold_hyphens() -> None:
    assert bio.split_tag("B-creative-work") == ("B", "creative-work")
    assert bio.tag_names(["a-b"]) == ["O", "B-a-b", "I-a-b"]
