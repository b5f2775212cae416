"""A training's curve as the numbers of a drawing: pure, so that the page needs no library for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelassist.forecast import Forecast, Point

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 220, 44, 44, 12, 30
MARKS_MAX = 10  # epochs named below the axis


@dataclass(frozen=True, slots=True)
class Mark:
    """A name beside an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Two lines over epochs: the loss on its own scale on the left, F1 from 0 to 1 on the right."""

    loss: str  # SVG points
    f1: str
    epochs: list[Mark]
    losses: list[Mark]
    scores: list[Mark]


def chart(curve: Sequence[Mapping[str, Any]]) -> Chart | None:
    """The drawing of a curve of `{epoch, loss, f1}`; None with fewer than two epochs."""
    if len(curve) < 2:
        return None
    highest = max(row["loss"] for row in curve) or 1.0
    across = [LEFT + (WIDTH - LEFT - RIGHT) * index / (len(curve) - 1) for index in range(len(curve))]
    losses = [(x, _down(row["loss"] / highest)) for x, row in zip(across, curve, strict=True)]
    scores = [(x, _down(row["f1"])) for x, row in zip(across, curve, strict=True) if row["f1"] is not None]
    every = -(-len(curve) // MARKS_MAX)
    return Chart(
        loss=_points(losses),
        f1=_points(scores),
        epochs=[Mark(x, str(row["epoch"])) for x, row in list(zip(across, curve, strict=True))[::every]],
        losses=[Mark(_down(share), f"{share * highest:.2f}") for share in (0.0, 0.5, 1.0)],
        scores=[Mark(_down(share), f"{share:.1f}") for share in (0.0, 0.5, 1.0)],
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """F1 over labels: the models' points with their intervals, and the forecast with its band."""

    points: list[tuple[float, float, float, float]]  # x, y, upper end, lower end
    line: str
    band: str
    labels: list[Mark]
    scores: list[Mark]


def learning_curve(points: Sequence[Point], ahead: Sequence[Forecast]) -> Curve | None:
    """The drawing; None with fewer than two points."""
    if len(points) < 2:
        return None
    most = max([point.labels for point in points] + [each.labels for each in ahead]) or 1

    def x(labels: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * labels / most, 1)

    ends: list[tuple[float, float]] = [
        (min(1.0, p.f1 + 1.96 * p.error), max(0.0, p.f1 - 1.96 * p.error)) for p in points
    ]
    upper, lower = ([(x(each.labels), _down(getattr(each, end))) for each in ahead] for end in ("high", "low"))
    return Curve(
        points=[
            (x(p.labels), _down(p.f1), _down(high), _down(low)) for p, (high, low) in zip(points, ends, strict=True)
        ],
        line=_points([(x(each.labels), _down(each.f1)) for each in ahead]),
        band=_points([*upper, *reversed(lower)]),
        labels=[Mark(x(round(most * share)), f"{round(most * share):,}") for share in (0.25, 0.5, 0.75, 1.0)],
        scores=[Mark(_down(share), f"{share:.1f}") for share in (0.0, 0.5, 1.0)],
    )


def plot(pairs: Sequence[tuple[float, float]]) -> str:
    """Points of a line between 0 and 1 in a square drawing of 220 by 220."""
    side, least = HEIGHT - BOTTOM - TOP, LEFT
    return _points([(least + across * side, _down(up)) for across, up in pairs])


def _down(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
