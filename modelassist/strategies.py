"""Query strategies: how unsure a model was of a document, as pure functions of its log-probabilities.

All are vectorized over many documents whose rows stand one after another. Larger means "label this sooner".
`random` has no score here: the queue's own random order serves it.
"""

from collections.abc import Callable, Sequence

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


def entity(log_probs: Floats, path: Ints, lengths: Ints) -> Floats:
    """-log P of the tags of words that may belong to an entity, each weighted by how likely that is, per such word.

    The long stretches of sure `O` that make a text look easy do not count. Column 0 is `O`.
    """
    likely = 1 - np.exp(log_probs[:, 0])
    weighed = _sums(-_chosen(log_probs, path) * likely, lengths)
    scores: Floats = np.divide(weighed, np.maximum(_sums(likely, lengths), 1e-6), dtype=np.float32)
    return scores


def bald(samples: Sequence[Floats], lengths: Ints) -> Floats:
    """How much several dropout passes disagree: the mean mutual information per token, in nats (Houlsby et al. 2011).

    `samples` are log-probabilities `[rows, tags]` of the same rows, one per pass (Gal & Ghahramani 2016).
    """
    shares = np.exp(np.stack(samples))
    mean = shares.mean(0)
    of_mean = -(mean * np.log(np.maximum(mean, 1e-12))).sum(1)
    of_each = -(shares * np.log(np.maximum(shares, 1e-12))).sum(2).mean(0)
    return _means(np.maximum(of_mean - of_each, 0), lengths)


STRATEGIES: dict[str, Callable[[Floats, Ints, Ints], Floats]] = {
    "least_confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
    "mnlp": mnlp,
    "entity": entity,
}
BALD = "bald"  # needs passes of its own, so it is there only where it is asked for
PASSES = 8


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
