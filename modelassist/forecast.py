"""What more labels would bring: a learning curve fitted to past models, its forecast, and advice; pure.

F1 approaches a ceiling by a power law of the number of labels (Figueroa et al. 2012). The interval comes from
drawing each model's F1 anew within its own interval and fitting again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_RATES = np.linspace(0.1, 1.5, 29)  # how fast the gap to the ceiling closes
_DRAWS = 200
DOUBT = 0.02  # standard error of an F1 whose interval is not known
POINTS_MIN = 3
WORTH = 0.01  # of F1 for twice the labels: less is not worth a person's days


@dataclass(frozen=True, slots=True)
class Point:
    """A model: how many labels it had, and its F1 with the standard error of that."""

    labels: int
    f1: float
    error: float = DOUBT
    name: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """F1 at some number of labels, with its 95 % interval."""

    labels: int
    f1: float
    low: float
    high: float


def fit(labels: Floats, f1: Floats, weights: Floats) -> tuple[float, float, float]:
    """`ceiling, drop, rate` of `ceiling - drop * labels ** -rate`: least weighted squares, 0 <= drop, ceiling <= 1."""
    best, found = np.inf, (float(f1.mean()), 0.0, 0.5)
    for rate in _RATES:
        powers = labels**-rate
        mean_power, mean_f1 = np.average(powers, weights=weights), np.average(f1, weights=weights)
        spread = np.average((powers - mean_power) ** 2, weights=weights)
        drop = 0.0 if spread == 0 else -np.average((powers - mean_power) * (f1 - mean_f1), weights=weights) / spread
        drop = max(0.0, float(drop))
        ceiling = min(1.0, float(mean_f1 + drop * mean_power))
        loss = np.average((ceiling - drop * powers - f1) ** 2, weights=weights)
        if loss < best:
            best, found = loss, (ceiling, drop, float(rate))
    return found


def forecast(points: Sequence[Point], labels: Sequence[int], *, seed: int = 13) -> list[Forecast]:
    """F1 at each of `labels`; nothing from fewer than three models with different numbers of labels."""
    if len({point.labels for point in points}) < POINTS_MIN:
        return []
    counts = np.array([max(1, point.labels) for point in points], np.float64)
    scores, errors = (np.array([getattr(point, name) for point in points]) for name in ("f1", "error"))
    errors = np.maximum(errors, 1e-3)
    at = np.array(labels, np.float64)
    random = np.random.default_rng(seed)
    drawn = np.array([_curve(fit(counts, random.normal(scores, errors), errors**-2), at) for _ in range(_DRAWS)])
    middle, (low, high) = _curve(fit(counts, scores, errors**-2), at), np.quantile(drawn, (0.025, 0.975), axis=0)
    rows = zip(labels, middle, np.minimum(low, middle), np.maximum(high, middle), strict=True)
    return [Forecast(int(n), *(float(min(1.0, max(0.0, value))) for value in values)) for n, *values in rows]


def _curve(fitted: tuple[float, float, float], labels: Floats) -> Floats:
    ceiling, drop, rate = fitted
    curve: Floats = ceiling - drop * labels**-rate
    return curve


def advice(points: Sequence[Point]) -> dict[str, Any]:
    """What to do next: `{kind, message, labels?, gain?, low?, high?}`; kinds are unknown, go_on and stop."""
    most = max((point.labels for point in points), default=0)
    ahead = forecast(points, [most, 2 * most]) if most else []
    if not ahead:
        message = f"After {POINTS_MIN} models with different numbers of labels this tells what more labels would bring."
        return {"kind": "unknown", "message": message}
    now, later = ahead
    gain = later.f1 - now.f1
    told = {"labels": later.labels, "gain": gain, "low": later.low, "high": later.high}
    if gain < WORTH and later.high - now.f1 < 3 * WORTH:
        message = (
            f"Twice the labels would raise F1 by about {gain:.3f}: more of the same is hardly worth it."
            " Clearer guidelines, label issues or another base model may do more."
        )
        return {"kind": "stop", "message": message, **told}
    between = f"{later.low:.2f} to {later.high:.2f}"
    message = f"{later.labels:,} labeled spans would raise F1 to about {later.f1:.2f} ({between})."
    return {"kind": "go_on", "message": message, **told}
