"""Character offsets of other tools, in code points: tools written in JavaScript count UTF-16 units.

The two differ only after a character beyond U+FFFF, such as an emoji. Where a tool writes down what a span
covers (its surface), the text itself tells how it counted; otherwise the import says so, or else what is
usual for the tool is taken. Nothing is ever moved: a span whose surface is elsewhere is refused.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from datasets_app.records import CharSpan, Refused, shown

CODE_POINTS, UTF16 = "code_points", "utf16"
UNITS = ("auto", CODE_POINTS, UTF16)


class GivenSpan(NamedTuple):
    """A span as a file gives it, and what it is said to cover."""

    start: int
    end: int
    label: str
    surface: str | None = None


def settle(text: str, given: Sequence[GivenSpan], *, asked: str, usual: str) -> list[CharSpan]:
    """The spans in code points. `asked` is one of `UNITS`; `usual` is what the tool does where nothing tells."""
    told = any(span.surface is not None for span in given)
    if text.isascii() or max(text) <= "\uffff":
        found = _plain(given)
        return _checked(text, found, given) if told else found
    unit = asked if asked != "auto" else _told(text, given, usual) if told else usual
    found = _plain(given) if unit == CODE_POINTS else _from_utf16(text, given)
    return _checked(text, found, given)


def to_utf16(text: str) -> list[int]:
    """For each code point of the text, and its end, the UTF-16 unit at which it begins."""
    starts, at = [], 0
    for character in text:
        starts.append(at)
        at += 2 if character > "\uffff" else 1
    return [*starts, at]


def _plain(given: Sequence[GivenSpan]) -> list[CharSpan]:
    return [CharSpan(span.start, span.end, span.label) for span in given]


def _told(text: str, given: Sequence[GivenSpan], usual: str) -> str:
    """The unit in which more surfaces stand where they should; the usual one if both do equally well."""
    units = to_utf16(text)
    votes = {CODE_POINTS: 0, UTF16: 0}
    for span in given:
        if span.surface is not None:
            votes[CODE_POINTS] += text[span.start : span.end] == span.surface
            start, end = (_code_point(units, at) for at in (span.start, span.end))
            votes[UTF16] += None not in (start, end) and text[start:end] == span.surface
    other = UTF16 if usual == CODE_POINTS else CODE_POINTS
    return usual if votes[usual] >= votes[other] else other


def _code_point(units: Sequence[int], at: int) -> int | None:
    index = bisect_left(units, at)
    return index if index < len(units) and units[index] == at else None


def _from_utf16(text: str, given: Sequence[GivenSpan]) -> list[CharSpan]:
    units = to_utf16(text)
    found = []
    for span in given:
        start, end = (_code_point(units, at) for at in (span.start, span.end))
        if start is None or end is None:
            where = f"[{span.start}, {span.end}) {shown(span.label)}"
            raise Refused(
                "span_out_of_range",
                f"Span {where}, in UTF-16 units, lies outside the text's {units[-1]} or cuts a character in two.",
            )
        found.append(CharSpan(start, end, span.label))
    return found


def _checked(text: str, found: list[CharSpan], given: Sequence[GivenSpan]) -> list[CharSpan]:
    for span, origin in zip(found, given, strict=True):
        if origin.surface is not None and text[span.start : span.end] != origin.surface:
            where = f"[{origin.start}, {origin.end}) {shown(span.label)}"
            raise Refused(
                "surface_mismatch",
                f"Span {where} is said to be {shown(origin.surface)}, but {shown(text[span.start : span.end])} stands"
                " there. Are its offsets counted in other units? Choose `offsets`.",
            )
    return found
