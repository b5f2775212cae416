"""Text cut into pieces for a page: plain stretches and labeled ones; pure. The page colors them.

Spans come from tags and the token grid, so offsets are code points throughout.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labeling import bio
from labeling.models import Document


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `label` is empty outside spans, `differs` marks what others did not label so."""

    text: str
    label: str = ""
    differs: bool = False


def pieces(document: Document, tags: Sequence[str], *, differing: Collection[bio.Span] = ()) -> list[Piece]:
    """The whole text, in order."""
    found: list[Piece] = []
    at = 0
    for span in bio.spans(tags):
        start, end = document.token_starts[span.start], document.token_ends[span.end - 1]
        found += [Piece(document.text[at:start]), Piece(document.text[start:end], span.label, span in differing)]
        at = end
    found.append(Piece(document.text[at:]))
    return [piece for piece in found if piece.text]


def snippet(whole: Sequence[Piece], length: int = 240) -> list[Piece]:
    """The beginning of the text, about `length` code points long; an ellipsis says that more follows."""
    short: list[Piece] = []
    left = length
    for piece in whole:
        if left <= 0:
            return [*short, Piece(" …")]
        cut = piece if piece.label or len(piece.text) <= left else Piece(piece.text[:left])
        short.append(cut)
        left -= len(piece.text)
    return short if left >= 0 or whole[-1].label else [*short, Piece(" …")]
