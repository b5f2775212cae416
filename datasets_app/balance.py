"""Splits in which each label has its share: the hash decides, unless that would take a label too far from it. Pure.

    balance = Balance({"train": 0.8, "validation": 0.1, "test": 0.1}, {})
    split = balance.choose("train", Counter(PER=2))
    balance.add(split, Counter(PER=2))

The greedy step of iterative stratification (Sechidis et al., 2011), taken as texts arrive: what went somewhere stays.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

TEXTS = ""  # under this name the texts themselves are counted, so that they have their share too
TOLERANCE = 0.05  # of a split's share: how far from it a label may be before the hash is overruled


class Balance:
    """Spans of each label in each split, and where the next texts bring them nearest to their shares."""

    def __init__(self, shares: Mapping[str, float], spans: Mapping[str, Mapping[str, int]]) -> None:
        self.shares = shares
        self.spans = {split: Counter(spans.get(split, {})) for split in shares}
        self.totals: Counter[str] = sum(self.spans.values(), Counter())

    def choose(self, usual: str, labels: Mapping[str, int], *, texts: int = 1) -> str:
        """The split for texts with these spans by label: `usual`, or the one that makes up for most."""
        wanted = {**labels, TEXTS: texts}
        if self._fair(usual, wanted):
            return usual
        open_to = [split for split, share in self.shares.items() if share > 0]
        return min(open_to, key=lambda split: (self._off(split, wanted), split != usual))

    def add(self, split: str, labels: Mapping[str, int]) -> None:
        """Count a text that has gone to a split."""
        counted = {**labels, TEXTS: 1}
        self.spans[split].update(counted)
        self.totals.update(counted)

    def _fair(self, chosen: str, wanted: Mapping[str, int]) -> bool:
        """Whether each label stays within these texts' worth of its share in each split, or within the tolerance."""
        return all(
            abs(found - expected) <= max(1, count, TOLERANCE * expected)
            for count, found, expected in self._after(chosen, wanted)
        )

    def _off(self, chosen: str, wanted: Mapping[str, int]) -> float:
        """How far the labels would be from their shares: chi-squared over labels and splits."""
        return sum((found - expected) ** 2 / expected for _, found, expected in self._after(chosen, wanted) if expected)

    def _after(self, chosen: str, wanted: Mapping[str, int]) -> Iterator[tuple[int, int, float]]:
        """For each label and split: how much comes, and what is then found and expected there."""
        for name, count in wanted.items():
            for split, share in self.shares.items():
                found = self.spans[split][name] + (count if split == chosen else 0)
                yield count, found, share * (self.totals[name] + count)
