"""Which labels are probably wrong: gold tags beside what a model says that never saw them; pure.

Spans are compared with out-of-fold predictions: missing ones, spurious ones, wrong labels and wrong boundaries.
The score is how sure the model is of what it says instead, by its least sure token (Northcutt et al. 2021:
self-confidence; Wang & Mueller 2022 for tokens).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from labeling import bio
from labeling.bio import Span
from modelassist import matching

FOLDS = 3


@dataclass(frozen=True, slots=True)
class Issue:
    """A span that is probably wrong, and what the model would have instead; None where there is none."""

    kind: str  # of `matching.ERRORS`, seen from the gold: `missed` is a label that the model does not see
    score: float  # 0 to 1; larger means surer to be wrong
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


def issues(gold: Sequence[str], predicted: Sequence[str], confidences: Sequence[float]) -> list[Issue]:
    """Where a document's gold and predicted tags differ, surest first. All three have one entry per token."""
    found = []
    for one in matching.match(bio.spans(gold), bio.spans(predicted)):
        if one.kind != matching.RIGHT:
            spans = [span for span in (one.gold, one.predicted) if span is not None]
            start, end = min(span.start for span in spans), max(span.end for span in spans)
            differing = [at for at in range(start, end) if gold[at] != predicted[at]]
            score = min(confidences[at] for at in differing)
            found.append(Issue(one.kind, float(score), one.gold, one.predicted))
    return sorted(found, key=lambda issue: -issue.score)


def average_precision(ranked: Sequence[bool]) -> float:
    """Of a ranking, best first: the mean precision at each place where there is a real one."""
    hits, total = 0, 0.0
    for place, real in enumerate(ranked, 1):
        if real:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0
