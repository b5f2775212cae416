"""Several versions of one text, aligned: where they agree, and, difference by difference, what each of them says. Pure.

A difference is the smallest range of tokens around spans that not all versions have, such that no span of any version
crosses its border. So any version's reading of one difference fits beside any other's of the next.

>>> a, b = [Span(0, 2, "PER"), Span(5, 6, "LOC")], [Span(0, 1, "PER"), Span(5, 6, "LOC")]
>>> [(each.start, each.end) for each in differences([a, b])], agreed([a, b])
([(0, 2)], [Span(start=5, end=6, label='LOC')])
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from labeling.bio import Span


@dataclass(frozen=True, slots=True)
class Difference:
    """Tokens `[start, end)` and what each version has there, in the order of the versions."""

    start: int
    end: int
    readings: tuple[tuple[Span, ...], ...]


def differences(versions: Sequence[Sequence[Span]]) -> list[Difference]:
    """Where the versions differ, in the order of the text; each version's spans are in order."""
    ranges: list[list[int]] = []
    for span in sorted(differing(versions)):
        if ranges and span.start < ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], span.end)
        else:
            ranges.append([span.start, span.end])
    walks = [_Walk(spans) for spans in versions]
    return [Difference(start, end, tuple(walk.within(start, end) for walk in walks)) for start, end in ranges]


def differing(versions: Sequence[Sequence[Span]]) -> set[Span]:
    """The spans that some, but not all, of the versions have."""
    counted = Counter(span for spans in versions for span in set(spans))
    return {span for span, count in counted.items() if count < len(versions)}


def agreed(versions: Sequence[Sequence[Span]]) -> list[Span]:
    """The spans that all versions have, in order."""
    apart = differing(versions)
    return [span for span in (versions[0] if versions else ()) if span not in apart]


class _Walk:
    """The spans of one version, walked along with the differences: a long text takes one pass."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans, self.at = spans, 0

    def within(self, start: int, end: int) -> tuple[Span, ...]:
        while self.at < len(self.spans) and self.spans[self.at].end <= start:
            self.at += 1
        first = self.at
        while self.at < len(self.spans) and self.spans[self.at].start < end:
            self.at += 1
        return tuple(self.spans[first : self.at])
