"""When the work will be done, from how much was done on each of the last days; pure.

Days are drawn anew from those that were seen (bootstrap, Efron 1979), idle ones among them, and the work goes on at
their mean. Where too few days were worked, nothing is said: a guess would look like a promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DAYS = 28  # how far the pace looks back
WORKED_MIN = 3  # days with work, below which there is nothing to say
_DRAWS = 2000
_SURE = (0.1, 0.9)  # the range holds eight draws of ten
_FAR = 3650  # days, beyond which a day is no forecast


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is done on a day, and in how many days from now the rest will be."""

    per_day: float
    days: int
    earliest: int
    latest: int | None  # None: not to be foreseen


def pace(done: Sequence[int], left: int, *, seed: int = 13) -> Pace | None:
    """From the work of each day, oldest first, today left out; None where nothing is left, or too little was done.

    Days before the first work do not count: a project that began a week ago is judged by that week.
    """
    began = next((at for at, count in enumerate(done) if count), len(done))
    counts = np.array(done[began:], np.float64)
    if left <= 0 or (counts > 0).sum() < WORKED_MIN:
        return None
    random = np.random.default_rng(seed)
    means = random.choice(counts, (_DRAWS, len(counts))).mean(1)
    slow, fast = np.quantile(means, _SURE)
    latest = _days(left, float(slow))
    days = _days(left, float(counts.mean()))
    if days is None:
        return None
    return Pace(float(counts.mean()), days, _days(left, float(fast)) or days, latest)


def _days(left: int, per_day: float) -> int | None:
    days = left / per_day if per_day else np.inf
    return int(np.ceil(days)) if days <= _FAR else None
