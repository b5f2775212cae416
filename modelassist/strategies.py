"""Query strategies: how unsure a model was of a document, as pure functions of its log-probabilities.

All are vectorized over many documents whose rows stand one after another. Larger means "label this sooner".
`random` has no score here: the queue's own random order serves it.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def least_confidence(log_probs: Floats, path: Ints, lengths: Ints) -> Floats:
    """-log P(path): the order of 1 - P (Culotta & McCallum 2005) without its saturation at 1 in long texts."""
    return _sums(-_chosen(log_probs, path), lengths)


def mnlp(log_probs: Floats, path: Ints, lengths: Ints) -> Floats:
    """The maximum normalized log-probability (Shen et al. 2018), negated: least confidence per token."""
    return _means(-_chosen(log_probs, path), lengths)


def margin(log_probs: Floats, path: Ints, lengths: Ints) -> Floats:
    """1 minus the mean gap between the two likeliest tags of a token (Scheffer et al. 2001)."""
    if log_probs.shape[1] < 2:
        return np.zeros(len(lengths), np.float32)
    top = np.exp(np.partition(log_probs, -2, axis=1)[:, -2:])
    return _means(1 - (top[:, 1] - top[:, 0]), lengths)


def entropy(log_probs: Floats, path: Ints, lengths: Ints) -> Floats:
    """The mean token entropy in nats (Settles & Craven 2008: total token entropy over length)."""
    return _means(-(np.exp(log_probs) * log_probs).sum(1), lengths)


STRATEGIES: dict[str, Callable[[Floats, Ints, Ints], Floats]] = {
    "least_confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
    "mnlp": mnlp,
}


def scores(log_probs: Floats, path: Ints, lengths: Ints) -> dict[str, Floats]:
    """Every strategy's score of each document; 0 for a document without a row.

    `log_probs` is `[rows, tags]`, `path` the decoded tag of each row, `lengths` the rows of each document.
    """
    return {name: score(log_probs, path, lengths) for name, score in STRATEGIES.items()}


def _chosen(log_probs: Floats, path: Ints) -> Floats:
    return log_probs[np.arange(len(path)), path]


def _sums(values: Floats, lengths: Ints) -> Floats:
    totals = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    ends = np.cumsum(lengths)
    sums: Floats = (totals[ends] - totals[ends - lengths]).astype(np.float32)
    return sums


def _means(values: Floats, lengths: Ints) -> Floats:
    return np.divide(_sums(values, lengths), np.maximum(lengths, 1), dtype=np.float32)
