"""Which predicted entity was meant to be which gold one, and in what it is wrong; pure."""

from collections.abc import Collection
from dataclasses import dataclass

from labeling.bio import Span

RIGHT, LABEL, BOUNDARY, BOTH, MISSED, SPURIOUS = "right", "label", "boundary", "both", "missed", "spurious"
ERRORS = {
    LABEL: "wrong label",
    BOUNDARY: "wrong boundary",
    BOTH: "wrong label and boundary",
    MISSED: "missed",
    SPURIOUS: "spurious",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A gold entity, a predicted one, or both where they lie over each other."""

    gold: Span | None
    predicted: Span | None

    @property
    def kind(self) -> str:
        """`right`, or one of `ERRORS`."""
        if self.gold is None:
            return SPURIOUS
        if self.predicted is None:
            return MISSED
        same_label = self.gold.label == self.predicted.label
        if (self.gold.start, self.gold.end) == (self.predicted.start, self.predicted.end):
            return RIGHT if same_label else LABEL
        return BOUNDARY if same_label else BOTH

    @property
    def start(self) -> int:
        """Where it begins."""
        return min(span.start for span in (self.gold, self.predicted) if span)

    @property
    def labels(self) -> set[str]:
        """The labels that it is about."""
        return {span.label for span in (self.gold, self.predicted) if span}


def match(gold: Collection[Span], predicted: Collection[Span]) -> list[Match]:
    """Each entity of either side once, in order: paired with the one of the other side that it overlaps most."""
    pairs = sorted(
        ((one, other) for one in gold for other in predicted if _shared(one, other) > 0),
        key=lambda pair: (-_shared(*pair) / _joint(*pair), pair[0].label != pair[1].label, pair[0].start),
    )
    left, right = {*gold}, {*predicted}
    matches = []
    for one, other in pairs:
        if one in left and other in right:
            left.remove(one)
            right.remove(other)
            matches.append(Match(one, other))
    matches += [Match(span, None) for span in left] + [Match(None, span) for span in right]
    return sorted(matches, key=lambda found: found.start)


def _shared(one: Span, other: Span) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _joint(one: Span, other: Span) -> int:
    return max(one.end, other.end) - min(one.start, other.start)
