"""Character spans over a token grid: cut where needed, refused where they do not fit, never moved."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datasets_app.grids import fit
from datasets_app.records import CharSpan, Record, Refused
from labeling import bio, tokens


def fitted(text: str, *spans: tuple[int, int, str], **fields):
    return fit(Record(1, text, spans=[CharSpan(*span) for span in spans], **fields), tokenizer="words")


def test_spans_at_token_edges_keep_the_grid():
    found = fitted("Ada met Bob.", (8, 11, "PER"), (0, 3, "PER"))
    assert list(found.starts) == [0, 4, 8, 11]
    assert found.tags == ["B-PER", "O", "B-PER", "O"]


def test_a_span_inside_a_token_cuts_it_there():
    found = fitted("Nordseeküste", (0, 7, "LOC"))
    assert (list(found.starts), list(found.ends)) == ([0, 7], [7, 12])
    assert found.tags == ["B-LOC", "O"]


@pytest.mark.parametrize(
    ("span", "code"),
    [
        ((-1, 3, "X"), "span_out_of_range"),
        ((0, 99, "X"), "span_out_of_range"),
        ((3, 2, "X"), "span_out_of_range"),
        ((1, 1, "X"), "empty_span"),
        ((0, 4, "X"), "span_in_blanks"),
        ((3, 7, "X"), "span_in_blanks"),
        ((0, 3, ""), "no_label"),
    ],
)
def test_a_bad_span_is_named_with_its_text(span, code):
    with pytest.raises(Refused) as caught:
        fitted("Ada met Bob.", span)
    assert caught.value.code == code
    assert f"[{span[0]}, {span[1]})" in caught.value.message


def test_overlapping_spans_name_each_other():
    with pytest.raises(Refused, match=r"\[4, 11\).*'met Bob' overlaps Span \[0, 7\).*'Ada met'"):
        fitted("Ada met Bob.", (0, 7, "X"), (4, 11, "Y"))


def test_spans_and_tags_must_agree():
    grid = ([0, 4], [3, 7])
    assert fitted("Ada met", (0, 3, "PER"), grid=grid, tags=["B-PER", "O"]).tags == ["B-PER", "O"]
    with pytest.raises(Refused) as caught:
        fitted("Ada met", (0, 3, "PER"), grid=grid, tags=["O", "O"])
    assert caught.value.code == "spans_contradict_tags"


@pytest.mark.parametrize(
    ("text", "code"), [("", "no_tokens"), (" \u3000\n", "no_tokens"), ("x" * 1_000_001, "text_too_long")]
)
def test_texts_that_cannot_be_labeled(text, code):
    with pytest.raises(Refused) as caught:
        fit(Record(1, text), tokenizer="words")
    assert caught.value.code == code


def test_tags_must_be_as_many_as_tokens():
    with pytest.raises(Refused, match="2 tags for 1 tokens"):
        fit(Record(1, "a", grid=([0], [1]), tags=["O", "O"]), tokenizer="words")


@given(text=st.text(min_size=1, max_size=40), data=st.data())
def test_each_span_comes_back_with_its_exact_characters(text, data):
    starts, ends = tokens.tokenize(text)
    inside = [at for start, end in zip(starts, ends, strict=True) for at in range(start, end)]
    assume(inside)
    edges = sorted(data.draw(st.sets(st.sampled_from(inside), max_size=6)))
    spans = [CharSpan(one, other + 1, "X") for one, other in zip(edges[::2], edges[1::2], strict=False)]
    found = fit(Record(1, text, spans=spans), tokenizer="words")
    again = [(found.starts[span.start], found.ends[span.end - 1]) for span in bio.spans(found.tags)]
    assert again == [(span.start, span.end) for span in spans]
