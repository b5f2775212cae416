"""A training's curve as the numbers of a drawing: pure, so that the page needs no library for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def plot(pairs: Sequence[tuple[float, float]]) -> str:
    """Points of a line between 0 and 1 in a square drawing of 220 by 220."""
    side, least = HEIGHT - BOTTOM - TOP, LEFT
    return _points([(least + across * side, _down(up)) for across, up in pairs])


def _down(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
