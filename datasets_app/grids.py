"""Fitting a record's labels to a token grid: nothing is moved, rounded or dropped on the way.

Tokens given beside a text are found in it; character spans cut the tokens in which they begin or end.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.records import TEXT_MAX, CharSpan, Record, Refused, shown
from labeling import bio, tokens

Grid = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A record's final grid, and its IOB2 tags if it is labeled; `dropped` says which spans were left out."""

    starts: Sequence[int]
    ends: Sequence[int]
    tags: Sequence[str] | None
    dropped: Sequence[str] = ()


def fit(record: Record, *, tokenizer: str, overlaps: str = "refuse", cut: bool = True) -> Fitted:
    """The grid and tags of a record; raises `Refused` where they do not fit the text or each other.

    Of spans that overlap, `overlaps` keeps the `longest` or the `first`, or refuses the record. Without `cut`, a
    span that begins or ends within a token is refused.
    """
    if len(record.text) > TEXT_MAX:
        message = f"The text has {len(record.text):,} characters; at most {TEXT_MAX:,} are taken."
        raise Refused("text_too_long", message)
    starts, ends = record.grid or tokens.tokenize(record.text, tokenizer)
    if not starts:
        raise Refused("no_tokens", f"The text {shown(record.text)} has no token; there is nothing to label.")
    if record.tags is not None and len(record.tags) != len(starts):
        raise Refused("wrong_length", f"There are {len(record.tags)} tags for {len(starts)} tokens.")
    if record.spans is None:
        return Fitted(starts, ends, record.tags)
    spans, dropped = part(record.text, record.spans, rule=overlaps)
    cut_starts, cut_ends = refine(record.text, (starts, ends), spans, cut=cut)
    tags = _tags(spans, cut_starts, cut_ends)
    if record.tags is not None and (list(tags) != list(record.tags)):
        raise Refused("spans_contradict_tags", "`spans` and `tags` do not say the same; give one of them.")
    return Fitted(cut_starts, cut_ends, tags, dropped)


def align(words: Sequence[str], text: str, *, offsets: Any = None) -> Grid:
    """Where each word stands in the text, with blanks at most in between; raises `Refused` if it does not."""
    if offsets is not None:
        return _given(words, text, offsets)
    starts, ends, at = [], [], 0
    for index, word in enumerate(words):
        while not text.startswith(word, at) and text[at : at + 1].isspace():
            at += 1
        if not text.startswith(word, at):
            raise Refused(
                "tokens_do_not_fit",
                f"Token {index}, {shown(word)}, is not what stands at {at} of the text: {shown(text[at : at + 40])}.",
            )
        starts.append(at)
        at += len(word)
        ends.append(at)
    if text[at:].strip():
        raise Refused("tokens_do_not_fit", f"The tokens end before the text does: {shown(text[at : at + 40])} is left.")
    return starts, ends


def _given(words: Sequence[str], text: str, offsets: Any) -> Grid:
    if not isinstance(offsets, list) or len(offsets) != len(words):
        raise Refused("bad_offsets", "`offsets` must be a list with one [start, end] per token.")
    before = 0
    for index, (pair, word) in enumerate(zip(offsets, words, strict=True)):
        fits = isinstance(pair, list) and len(pair) == 2 and all(type(value) is int for value in pair)
        if not fits or pair[0] < before or text[pair[0] : pair[1]] != word:
            raise Refused("bad_offsets", f"`offsets[{index}]` is {shown(pair)}, where token {shown(word)} is not.")
        before = pair[1]
    return [start for start, _ in offsets], [end for _, end in offsets]


def part(text: str, spans: Sequence[CharSpan], *, rule: str) -> tuple[Sequence[CharSpan], list[str]]:
    """The spans that stay, none over another, and of each other one why it goes; with `refuse` all stay.

    `longest` prefers the longer span and then the earlier in the text, `first` the earlier in the file. The same
    span twice is one.
    """
    if rule == "refuse" or len(spans) < 2:
        return spans, []
    ranked = sorted(spans, key=lambda span: (span.start - span.end, span.start)) if rule == "longest" else spans
    kept: list[CharSpan] = []  # in the order of the text
    dropped: list[str] = []
    for span in ranked:
        at = bisect_right(kept, span.start, key=lambda other: other.start)
        over = [other for other in kept[max(at - 1, 0) : at + 1] if other.start < span.end and span.start < other.end]
        if not over:
            kept.insert(at, span)
        elif span not in over:
            dropped.append(f"{_name(text, span)} is left out: it overlaps {_name(text, over[0])}.")
    return kept, dropped


def refine(text: str, grid: Grid, spans: Iterable[CharSpan], *, cut: bool = True) -> Grid:
    """The grid with its tokens cut where a span begins or ends inside one; raises `Refused` for a bad span."""
    starts, ends = grid
    cuts: set[int] = set()
    before = CharSpan(0, 0, "")
    for span in sorted(spans):
        _require_range(text, span)
        if span.start < before.end:
            raise Refused("overlapping_spans", f"{_name(text, span)} overlaps {_name(text, before)}.")
        before = span
        for edge, inside in ((span.start, span.start), (span.end, span.end - 1)):
            index = bisect_right(starts, inside) - 1
            if index < 0 or inside >= ends[index]:
                raise Refused(
                    "span_in_blanks",
                    f"{_name(text, span)} begins or ends, at {edge}, with a blank or another character that"
                    " no token holds; let it begin and end with a token's characters.",
                )
            if starts[index] < edge < ends[index]:
                if not cut:
                    raise Refused(
                        "span_off_grid",
                        f"{_name(text, span)} begins or ends, at {edge}, within token"
                        f" {shown(text[starts[index] : ends[index]])}; let it cover whole tokens, or use grid=cut.",
                    )
                cuts.add(edge)
    if not cuts:
        return grid
    return sorted({*starts, *cuts}), sorted({*ends, *cuts})


def _require_range(text: str, span: CharSpan) -> None:
    if not 0 <= span.start <= span.end <= len(text):
        where = f"[{span.start}, {span.end}) {shown(span.label)}"
        raise Refused("span_out_of_range", f"Span {where} does not lie within the text's {len(text)} characters.")
    if span.start == span.end:
        raise Refused("empty_span", f"{_name(text, span)} is empty.")
    if not span.label:
        raise Refused("no_label", f"{_name(text, span)} has no label.")


def _name(text: str, span: CharSpan) -> str:
    return f"Span [{span.start}, {span.end}) {shown(span.label)} of {shown(text[span.start : span.end])}"


def _tags(spans: Iterable[CharSpan], starts: Sequence[int], ends: Sequence[int]) -> list[str]:
    """IOB2 tags; each span begins and ends with a token and none overlaps another, as `refine` has made sure."""
    tags = [bio.OUTSIDE] * len(starts)
    for span in spans:
        first, last = bisect_left(starts, span.start), bisect_left(ends, span.end)
        tags[first] = f"B-{span.label}"
        if last > first:
            tags[first + 1 : last + 1] = [f"I-{span.label}"] * (last - first)
    return tags
