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
FAR = 10  # times the labels seen: beyond, a curve says nothing
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


def fits(labels: Floats, f1: Floats, weights: Floats) -> Floats:
    """For each row of `f1` its `ceiling, drop, rate` of `ceiling - drop * labels ** -rate`; 0 <= drop, ceiling <= 1.

    Least weighted squares: a regression at each rate, of which the best is taken.
    """
    weights = weights / weights.sum()
    mean_f1, best, found = f1 @ weights, np.full(len(f1), np.inf), np.zeros((len(f1), 3))
    for rate in _RATES:
        powers = labels**-rate
        mean_power = powers @ weights
        spread = (powers - mean_power) ** 2 @ weights
        slope = ((powers - mean_power) * (f1 - mean_f1[:, None])) @ weights / spread if spread else 0 * mean_f1
        drop = np.maximum(0.0, -slope)
        ceiling = np.minimum(1.0, mean_f1 + drop * mean_power)
        loss = (ceiling[:, None] - drop[:, None] * powers - f1) ** 2 @ weights
        better = loss < best
        best[better] = loss[better]
        found[better] = np.stack((ceiling, drop, np.full(len(f1), rate)), 1)[better]
    return found


def forecast(points: Sequence[Point], labels: Sequence[int], *, seed: int = 13) -> list[Forecast]:
    """F1 at each of `labels`; nothing from fewer than three models with different numbers of labels."""
    if len({point.labels for point in points}) < POINTS_MIN:
        return []
    at = np.array(labels, np.float64)
    curves = np.array([_curve(fitted, at) for fitted in _drawn(points, seed)])
    middle, (low, high) = curves[0], np.quantile(curves[1:], (0.025, 0.975), axis=0)
    rows = zip(labels, middle, np.minimum(low, middle), np.maximum(high, middle), strict=True)
    return [Forecast(int(n), *(float(min(1.0, max(0.0, value))) for value in values)) for n, *values in rows]


def _drawn(points: Sequence[Point], seed: int) -> Floats:
    """The curve of the points as they are, then those of points drawn anew within their intervals."""
    counts = np.array([max(1, point.labels) for point in points], np.float64)
    scores, errors = (np.array([getattr(point, name) for point in points]) for name in ("f1", "error"))
    errors = np.maximum(errors, 1e-3)
    drawn = np.random.default_rng(seed).normal(scores, errors, (_DRAWS, len(points)))
    return fits(counts, np.vstack((scores, drawn)), errors**-2)


def _curve(fitted: Floats, labels: Floats) -> Floats:
    ceiling, drop, rate = fitted
    curve: Floats = ceiling - drop * labels**-rate
    return curve


@dataclass(frozen=True, slots=True)
class Saved:
    """Labels that random order would have needed for what the chosen ones reached; None: more than can be foreseen."""

    labels: int
    f1: float
    needed: int | None
    low: int | None
    high: int | None


def saved(at_random: Sequence[Point], chosen: Point, *, seed: int = 13) -> Saved | None:
    """From models of texts in random order, and one whose later texts a strategy chose; None where they are too few.

    Beyond `FAR` times the labels that were seen in random order, nothing is foreseen.
    """
    if len({point.labels for point in at_random}) < POINTS_MIN:
        return None
    drawn = np.random.default_rng(seed).normal(chosen.f1, max(chosen.error, 1e-3), _DRAWS)
    needed = np.array(
        [_needed(fitted, f1) for fitted, f1 in zip(_drawn(at_random, seed), (chosen.f1, *drawn), strict=True)]
    )
    low, high = np.sort(needed[1:])[[round(0.025 * _DRAWS), round(0.975 * _DRAWS) - 1]]
    most = FAR * max(point.labels for point in at_random)
    told = [int(value) if value <= most else None for value in (needed[0], low, high)]
    return Saved(chosen.labels, chosen.f1, *told)


def _needed(fitted: Floats, f1: float) -> float:
    ceiling, drop, rate = fitted.tolist()
    if f1 >= ceiling:
        return np.inf
    return float(((ceiling - f1) / drop) ** (-1 / rate)) if drop > 0 else 1.0


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
