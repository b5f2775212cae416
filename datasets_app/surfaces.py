"""Where surfaces stand in tokens, and which are labeled in different ways: the mathematics of the consistency board."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datasets_app import splits
from datasets_app.statistics import Grid, Surface, folded
from labeling import bio

TOKENS_MAX = 6  # longer surfaces are seldom written twice
UNLABELED = ""


class Board:
    """How often each surface has each label, or none; `known` are the surfaces that have one somewhere."""

    def __init__(self, known: Mapping[Surface, str]) -> None:
        self.known = known
        self.lengths = sorted({surface.count(" ") + 1 for surface in known} & set(range(1, TOKENS_MAX + 1)))
        self.counts: dict[Surface, Counter[str]] = defaultdict(Counter)

    def add(self, text: str, grid: Grid, tags: Sequence[str]) -> None:
        """Count one text: its spans, and the known surfaces in it that nothing labels."""
        forms = folded(text, *grid)
        for span in bio.spans(tags):
            self.counts[" ".join(forms[span.start : span.end])][span.label] += 1
        for length in self.lengths:
            for start in range(len(forms) - length + 1):
                if " ".join(forms[start : start + length]) in self.known and _is_free(tags, start, start + length):
                    self.counts[" ".join(forms[start : start + length])][UNLABELED] += 1

    def as_json(self, limit: int) -> list[dict[str, Any]]:
        """`[{surface, total, odd, labels: [{label, count}]}]`: those with the most that differ from most, first.

        A label of "" stands for not labeled.
        """
        mixed = [(surface, counted) for surface, counted in self.counts.items() if len(counted) > 1]
        mixed.sort(key=lambda row: (-_odd(row[1]), row[0]))
        return [
            {
                "surface": self.known.get(surface, surface),
                "total": counted.total(),
                "odd": _odd(counted),
                "labels": [{"label": label, "count": count} for label, count in counted.most_common()],
            }
            for surface, counted in mixed[:limit]
        ]


def _odd(counted: Counter[str]) -> int:
    return counted.total() - max(counted.values())


def _is_free(tags: Sequence[str], start: int, end: int) -> bool:
    return all(tag == bio.OUTSIDE for tag in tags[start:end])


def occurrences(surface: str, text: str, grid: Grid) -> Iterator[tuple[int, int]]:
    """The ranges of tokens whose text is the surface but for case and blanks; none overlaps the one before it."""
    wanted, (starts, ends), first = splits.normal(surface), grid, 0
    while wanted and first < len(starts):
        last = first
        while last < len(ends) and len(form := splits.normal(text[starts[first] : ends[last]])) < len(wanted):
            last += 1
        if last < len(ends) and form == wanted:
            yield first, last + 1
            first = last + 1
        else:
            first += 1


def label_at(tags: Sequence[str], start: int, end: int) -> str | None:
    """The label of just this range, "" where nothing is labeled, None where other spans lie in it or around it."""
    if _is_free(tags, start, end):
        return UNLABELED
    return next((span.label for span in bio.spans(tags) if (span.start, span.end) == (start, end)), None)


def relabeled(surface: str, text: str, grid: Grid, tags: Sequence[str], label: str) -> list[str]:
    """The tags with each occurrence labeled so (or not, for ""); what other spans lie in or around is left alone."""
    changed = list(tags)
    for start, end in occurrences(surface, text, grid):
        if label_at(changed, start, end) is not None:
            inside = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1) if label else [bio.OUTSIDE] * (end - start)
            changed[start:end] = inside
    return changed
