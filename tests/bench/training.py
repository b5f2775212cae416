"""A training run to its end, where nobody looks at its progress."""

from collections.abc import Generator

from modelassist.trainer import Progress, Trained


def outcome(steps: Generator[Progress, None, Trained]) -> Trained:
    """What the training comes to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            trained: Trained = end.value
            return trained
