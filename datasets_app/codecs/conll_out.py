"""CoNLL out: a tag per token line, a blank line after each text, -DOCSTART- where the file had one.

With scheme `original` every line is written as the file had it (other columns, separators, comments, line
endings, its own tag scheme), with the tags as they are now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from datasets_app.codecs.conll_lines import DOCSTART
from datasets_app.records import Gold
from labeling import bio

BOM = "\ufeff"
SCHEMES = (*bio.SCHEMES, "original")
_NO_LAYOUT: Mapping[str, Any] = {}


def write(rows: Iterable[Gold], *, scheme: str) -> Iterator[bytes]:
    """The file, a text at a time. With `original`, a byte order mark is kept only at its head."""
    first = True
    for gold in rows:
        text = render(gold, scheme=scheme)
        yield (_opening(gold, text) if first else _bare(gold, text)).encode()
        first = False


def _opening(gold: Gold, text: str) -> str:
    # A first token that begins with U+FEFF would be taken for a byte order mark: one before it keeps it.
    return text if _has_mark(gold, text) or not text.startswith(BOM) else BOM + text


def _bare(gold: Gold, text: str) -> str:
    return text.removeprefix(BOM) if _has_mark(gold, text) else text


def _has_mark(gold: Gold, text: str) -> bool:
    layout = ((gold.layout or _NO_LAYOUT).get("parts") or [gold.layout])[0] or _NO_LAYOUT
    head = layout.get("head", "")
    return bool(head) and text.startswith(BOM) and text.startswith(head)


def render(gold: Gold, *, scheme: str) -> str:
    """The lines of one text; `scheme` is one of `SCHEMES`."""
    layout = gold.layout or _NO_LAYOUT
    words, parts = gold.tokens, layout.get("parts") or [gold.layout]
    if scheme == "original":
        scheme, draw = (parts[0] or _NO_LAYOUT).get("scheme", "iob2"), _as_it_was
    else:
        draw = _plain
    pieces, at = [], 0
    for part, size in zip(parts, layout.get("sentences") or [len(words)], strict=True):
        end = at + size
        # An entity that somebody drew over a sentence break keeps the two sentences together.
        cut = end < len(words) and gold.tags[end].startswith("I-")
        pieces.append(draw(words[at:end], part or _NO_LAYOUT, last=not cut))
        at = end
    tags = iter(bio.encode(gold.tags, scheme))
    return "".join(text if text is not None else next(tags) for piece in pieces for text in piece)


# A drawing is a list of strings, with None where the next tag goes.


def _plain(words: Sequence[str], layout: Mapping[str, Any], *, last: bool) -> list[str | None]:
    head = layout.get("head", "").removeprefix("\ufeff")
    starts = any(line.startswith(DOCSTART) for line in head.split("\n"))
    drawn: list[str | None] = [f"{DOCSTART}\tO\n\n"] if starts else []
    for word in words:
        drawn += (word, "\t", None, "\n")
    return [*drawn, "\n"] if last else drawn


def _as_it_was(words: Sequence[str], layout: Mapping[str, Any], *, last: bool) -> list[str | None]:
    before, between, after = (
        _per_row(layout.get(name, plain), len(words))
        for name, plain in (("before", ""), ("between", "\t"), ("after", "\n"))
    )
    drawn: list[str | None] = [layout.get("head", "")]
    for index, word in enumerate(words):
        drawn += (before[index], word, between[index], None, after[index])
    return [*drawn, layout.get("tail", "\n")] if last else drawn


def _per_row(value: str | Sequence[str], rows: int) -> Sequence[str]:
    return [value] * rows if isinstance(value, str) else value
