"""The state of a training on disk, so that a killed one goes on where it was and ends with the same model.

One file, replaced as a whole: whoever reads it reads a complete state. It belongs to one set of data and
hyperparameters (`key`); a state of any other is left aside.
"""

import time
from pathlib import Path
from typing import Any

import torch

SECONDS = 30.0  # of training that a kill may cost


class Checkpoint:
    """Where a training keeps its state, and when it last did."""

    def __init__(self, path: Path, *, key: str, every: float = SECONDS) -> None:
        self._path, self._key, self._every = path, key, every
        self._saved_at = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether the last one is old enough."""
        return time.monotonic() - self._saved_at >= self._every

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        torch.save({"key": self._key, **state}, partial)
        partial.replace(self._path)
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state; None where there is none that fits."""
        try:
            state: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        return state if state["key"] == self._key else None

    def remove(self) -> None:
        """Forget it."""
        self._path.unlink(missing_ok=True)
