"""Texts cut into labeled pieces: nothing is lost, and differences are found."""

from hypothesis import given
from hypothesis import strategies as st

from labeling import tokens
from labeling.bio import Span, tags_of
from labeling.highlight import Piece, pieces, snippet
from labeling.models import Document


def document(text: str) -> Document:
    starts, ends = tokens.tokenize(text)
    return Document(text=text, token_starts=starts, token_ends=ends)


def test_pieces_follow_the_spans_in_code_points() -> None:
    made = document("😀 Ada was in 北京.")
    tags = tags_of([Span(1, 2, "PER"), Span(4, 6, "LOC")], len(made.token_starts))
    found = [(piece.text, piece.label) for piece in pieces(made, tags)]
    assert found == [("😀 ", ""), ("Ada", "PER"), (" was in ", ""), ("北京", "LOC"), (".", "")]


@given(st.text(max_size=60), st.data())
def test_no_character_is_lost(text: str, data: st.DataObject) -> None:
    made = document(text)
    tags = [data.draw(st.sampled_from(["O", "B-X", "B-Y"])) for _ in made.token_starts]
    assert "".join(piece.text for piece in pieces(made, tags)) == text


def test_a_snippet_keeps_spans_whole_and_says_that_more_follows() -> None:
    whole = [Piece("a" * 10), Piece("Long Name", "PER"), Piece("b" * 10)]
    assert snippet(whole, 100) == whole
    assert snippet(whole, 12) == [Piece("a" * 10), Piece("Long Name", "PER"), Piece(" …")]
    assert snippet(whole, 22) == [*whole[:2], Piece("bbb"), Piece(" …")]
    assert snippet([], 10) == []
