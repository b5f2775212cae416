"""What the network of this process has done so far: plain counts, taken away by whoever publishes them; pure."""

from collections import Counter
from threading import Lock

DOCUMENTS, PIECES, PADDED, SECONDS, STEPS = "documents", "pieces", "padded_pieces", "seconds", "training_steps"
COUNTS = (DOCUMENTS, PIECES, PADDED, SECONDS, STEPS)
_lock = Lock()
_counts: Counter[str] = Counter()


def count(**more: float) -> None:
    """Add to some of `COUNTS`."""
    with _lock:
        for name, value in more.items():
            _counts[name] += value  # type: ignore[assignment]


def drain() -> dict[str, float]:
    """What came together since the last call."""
    with _lock:
        taken = {name: float(value) for name, value in _counts.items() if value}
        _counts.clear()
    return taken
