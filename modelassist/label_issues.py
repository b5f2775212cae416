"""Which labels are probably wrong: gold tags beside what a model says that never saw them; pure.

Spans are compared with out-of-fold predictions: missing ones, spurious ones, wrong labels and wrong boundaries.
The score says how much less likely the model finds the tags in question than it usually finds tags of their kind
(Northcutt et al. 2021: self-confidence, and thresholds of each class's own; Wang & Mueller 2022 for tokens).
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from labeling import bio
from labeling.bio import Span
from modelassist import matching
from modelassist.matching import Match

FOLDS = 3
_LEAST = math.log(1e-9)  # of a probability


@dataclass(frozen=True, slots=True)
class Issue:
    """A span that is probably wrong, and what the model would have instead; None where there is none."""

    kind: str  # of `matching.ERRORS`, seen from the gold: `missed` is a label that the model does not see
    score: float  # 0 to 1; larger means surer to be wrong, 0.5 as likely as usual
    gold: Span | None
    predicted: Span | None

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        spans = {"gold": self.gold, "predicted": self.predicted}
        shown = {name: span and asdict(span) for name, span in spans.items()}
        return {"kind": self.kind, "score": round(self.score, 4), **shown}


def fold_of(group: str, folds: int = FOLDS) -> int:
    """In which fold a document is: texts of one group together, for a copy in training would give the label away."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % folds


def usual(judged: Iterable[tuple[Sequence[str], Sequence[float]]]) -> dict[str, float]:
    """The mean log-probability that tags of each kind are given, from documents' gold tags and those of each."""
    sums, counts = defaultdict[str, float](float), defaultdict[str, int](int)
    for tags, likely in judged:
        for tag, value in zip(tags, likely, strict=True):
            sums[tag] += max(value, _LEAST)
            counts[tag] += 1
    return {tag: sums[tag] / counts[tag] for tag in sums}


def issues(
    gold: Sequence[str], predicted: Sequence[str], likely: Sequence[float], usual: Mapping[str, float]
) -> list[Issue]:
    """Where a document's gold and predicted tags differ, surest to be wrong first.

    `likely` is the log-probability of each gold tag, `usual` what `usual` says of each kind of tag.
    """
    found = []
    for one in matching.match(bio.spans(gold), bio.spans(predicted)):
        if one.kind != matching.RIGHT:
            less = [usual[gold[at]] - max(likely[at], _LEAST) for at in _differing(one, gold, predicted)]
            found.append(Issue(one.kind, 1 / (1 + math.exp(-sum(less) / len(less))), one.gold, one.predicted))
    return sorted(found, key=lambda issue: -issue.score)


def _differing(one: Match, gold: Sequence[str], predicted: Sequence[str]) -> list[int]:
    spans = [span for span in (one.gold, one.predicted) if span is not None]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    # Alike within: then one side's entity ends where the other's goes on.
    return [at for at in range(start, end) if gold[at] != predicted[at]] or [end]
