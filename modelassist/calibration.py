"""How far a network's probabilities can be believed: the temperature that mends them, and the table that shows it.

Pure numpy. A temperature divides the scores before the softmax: what is decoded stays the same, only how sure
the network says it is changes (Guo et al. 2017: On calibration of modern neural networks).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from modelassist.decode import Floats, Ints

BINS = 10
COOLEST, HOTTEST = 0.5, 10.0  # a handful of documents without a mistake must not make it certain of everything
_GOLDEN = (5**0.5 - 1) / 2
_STEPS = 40


def temperature(log_probs: Floats, gold: Ints) -> float:
    """The temperature under which `gold` is likeliest, from log-probabilities `[rows, tags]`; 1 without any row."""
    return best(lambda value: loss(log_probs, gold, value)) if len(gold) else 1.0


def best(loss: Callable[[float], float]) -> float:
    """The temperature of least loss.

    The likelihood has one peak in the temperature's logarithm, which a golden-section search closes in on.
    """
    low, high = np.log(COOLEST), np.log(HOTTEST)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(float(np.exp(left))) < loss(float(np.exp(right))):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def loss(log_probs: Floats, gold: Ints, temperature: float) -> float:
    """The mean negative log-probability of `gold` at a temperature, in nats."""
    scaled = log_probs.astype(np.float64) / temperature
    largest = scaled.max(1, keepdims=True)
    total = largest[:, 0] + np.log(np.exp(scaled - largest).sum(1))
    return float(np.mean(total - scaled[np.arange(len(gold)), gold]))


@dataclass(slots=True)
class Reliability:
    """How often what was predicted with some confidence is right, in bins of equal width."""

    count: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS))
    confidence: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS))  # summed
    right: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS))

    def add(self, confidences: npt.ArrayLike, right: npt.ArrayLike) -> None:
        """Count some predictions: how sure each was, and whether it is right."""
        sure = np.asarray(confidences, np.float64)
        bins = np.clip((sure * BINS).astype(np.int64), 0, BINS - 1)
        self.count += np.bincount(bins, minlength=BINS)
        self.confidence += np.bincount(bins, sure, BINS)
        self.right += np.bincount(bins, np.asarray(right, np.float64), BINS)

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap between confidence and accuracy (Naeini et al. 2015)."""
        total = self.count.sum()
        return float(np.abs(self.confidence - self.right).sum() / total) if total else 0.0

    def as_json(self) -> dict[str, Any]:
        """`{ece, bins: [{low, high, count, confidence, accuracy}]}`; bins without a prediction have no means."""
        return {"ece": self.error, "bins": [self._bin(index) for index in range(BINS)]}

    def _bin(self, index: int) -> dict[str, Any]:
        count = self.count[index]
        means = (float(self.confidence[index] / count), float(self.right[index] / count)) if count else (None, None)
        return {
            "low": index / BINS,
            "high": (index + 1) / BINS,
            "count": int(count),
            "confidence": means[0],
            "accuracy": means[1],
        }
