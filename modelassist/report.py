"""A closer look at predictions than the headline: where a model is wrong, how surely, and how far to trust the figures.

Counts over any number of documents, `add` one after another; pure. `evaluation` has the scores themselves.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets_app.splits import normal
from labeling.bio import Span
from modelassist import matching
from modelassist.calibration import Reliability
from modelassist.evaluation import Counts, entities
from modelassist.matching import Match, match

NONE = ""  # the row of spurious entities and the column of missed ones in the confusion
LENGTHS = ("1", "2", "3", "4", "5+")
_THRESHOLDS = 51
_RESAMPLES = 500


def surface(tokens: Sequence[str], span: Span) -> str:
    """The words of an entity, as it is compared with those that the training data hold."""
    return normal(" ".join(tokens[span.start : span.end]))


@dataclass(slots=True)
class Report:
    """What `evaluation` does not tell; `known` are the surfaces of the training data's entities."""

    labels: Sequence[str]
    known: Collection[str] = ()
    partial: Counts = field(default_factory=Counts)  # the label is right, and the ranges overlap
    boundaries: Counts = field(default_factory=Counts)  # the range is right, whatever the label
    kinds: Counter[str] = field(default_factory=Counter)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    novelty: dict[str, Counts] = field(default_factory=lambda: {"seen": Counts(), "unseen": Counts()})
    lengths: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in LENGTHS})
    spans: Reliability = field(default_factory=Reliability)
    tokens: Reliability = field(default_factory=Reliability)
    documents: list[npt.NDArray[np.int32]] = field(default_factory=list)  # [labels, (tp, fp, fn)] of each
    _sure: list[tuple[float, bool]] = field(default_factory=list)

    def add(
        self, tokens: Sequence[str], gold: Sequence[str], predicted: Sequence[str], confidences: Sequence[float]
    ) -> list[Match]:
        """Count one document; gives its entities, matched."""
        matches = match(entities(gold), entities(predicted))
        counts = np.zeros((len(self.labels), 3), np.int32)
        for found in matches:
            self._count(found, tokens, counts)
            if found.predicted is not None:
                self._sure.append((min(confidences[found.predicted.start : found.predicted.end]), _right(found)))
        self.documents.append(counts)
        self.tokens.add(confidences, [one == other for one, other in zip(gold, predicted, strict=True)])
        return matches

    def _count(self, found: Match, tokens: Sequence[str], counts: npt.NDArray[np.int32]) -> None:
        gold, predicted, kind = found.gold, found.predicted, found.kind
        self.kinds[kind] += 1
        self.confusion[gold.label if gold else NONE, predicted.label if predicted else NONE] += 1
        self.partial += _counts(found, hit=kind in (matching.RIGHT, matching.BOUNDARY))
        self.boundaries += _counts(found, hit=kind in (matching.RIGHT, matching.LABEL))
        for span, column in ((predicted, 0 if _right(found) else 1), (gold, None if _right(found) else 2)):
            if span is None or column is None:
                continue
            counts[self.labels.index(span.label), column] += 1
            single = Counts(*np.eye(3, dtype=int)[column].tolist())
            self.novelty["seen" if surface(tokens, span) in self.known else "unseen"] += single
            self.lengths[LENGTHS[min(span.end - span.start, len(LENGTHS)) - 1]] += single

    def as_json(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        sure = np.array(self._sure or np.empty((0, 2)), np.float64)
        self.spans = Reliability()
        self.spans.add(sure[:, 0], sure[:, 1])
        return {
            "partial": self.partial.as_json(),
            "boundaries": self.boundaries.as_json(),
            "errors": {kind: self.kinds[kind] for kind in matching.ERRORS},
            "confusion": [
                {"gold": gold, "predicted": predicted, "count": count}
                for (gold, predicted), count in sorted(self.confusion.items())
            ],
            "novelty": {name: counts.as_json() for name, counts in self.novelty.items()},
            "lengths": {name: counts.as_json() for name, counts in self.lengths.items()},
            "calibration": {"spans": self.spans.as_json(), "tokens": self.tokens.as_json()},
            "precision_recall": precision_recall(sure[:, 0], sure[:, 1], sum(self._gold_per_label())),
            "intervals": self._intervals(),
        }

    def _gold_per_label(self) -> list[int]:
        return [int(counts[:, (0, 2)].sum()) for counts in self.documents]

    def _intervals(self) -> dict[str, Any]:
        """The 95 % intervals of each label's ratios, and of all together."""
        if not self.documents:
            return {}
        counts = np.stack(self.documents)
        every = np.concatenate((counts.sum(1, keepdims=True), counts), 1)
        return dict(zip(("micro", *self.labels), _ratios_between(every), strict=True))


def _right(found: Match) -> bool:
    return found.kind == matching.RIGHT


def _counts(found: Match, *, hit: bool) -> Counts:
    return Counts(int(hit), int(found.predicted is not None and not hit), int(found.gold is not None and not hit))


def precision_recall(sure: npt.NDArray[np.float64], right: npt.NDArray[np.float64], gold: int) -> list[dict[str, Any]]:
    """Precision and recall of the entities at least so sure, for rising thresholds: quantiles of how sure they are."""
    rows = []
    thresholds = np.quantile(sure, np.linspace(0, 1, _THRESHOLDS), method="nearest") if len(sure) else sure
    for threshold in np.unique(thresholds):
        kept = sure >= threshold
        if gold:
            hits = float(right[kept].sum())
            rows.append({"threshold": float(threshold), "precision": hits / int(kept.sum()), "recall": hits / gold})
    return rows


def _ratios_between(counts: npt.NDArray[np.int32], *, seed: int = 13) -> list[dict[str, list[float]]]:
    """Bootstrap intervals from `[documents, labels, (tp, fp, fn)]`: documents drawn with replacement (Efron 1979)."""
    documents, labels, _ = counts.shape
    random, flat = np.random.default_rng(seed), counts.reshape(documents, -1).astype(np.float64)
    draws = np.stack([_drawn(random, documents) @ flat for _ in range(_RESAMPLES)])
    tp, fp, fn = np.moveaxis(draws.reshape(_RESAMPLES, labels, 3), 2, 0)
    ratios = {"precision": (tp, tp + fp), "recall": (tp, tp + fn), "f1": (2 * tp, 2 * tp + fp + fn)}
    found = {
        name: np.quantile(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0), (0.025, 0.975), axis=0)
        for name, (part, whole) in ratios.items()
    }
    return [{name: found[name][:, at].tolist() for name in ratios} for at in range(labels)]


def _drawn(random: np.random.Generator, documents: int) -> npt.NDArray[np.float64]:
    return np.bincount(random.integers(documents, size=documents), minlength=documents).astype(np.float64)
