"""Whether the work of this thread is to stop: long loops ask here, wherever they stand; pure.

The job runner says what to ask (`asking`); where no job runs, nothing is ever to stop.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ask: ContextVar[Callable[[], None] | None] = ContextVar("stopping", default=None)


class Stopped(BaseException):
    """No error: nobody who catches errors may keep it."""


class LostClaim(Stopped):
    """Another worker has the job now; stop without writing."""


class Cancelled(Stopped):
    """Somebody asked for the job to stop."""


def check() -> None:
    """Raise `Stopped` if this thread's work is to stop; costs next to nothing."""
    if (ask := _ask.get()) is not None:
        ask()


@contextmanager
def asking(ask: Callable[[], None]) -> Iterator[None]:
    """Within it, `check` asks by `ask`, which raises."""
    token = _ask.set(ask)
    try:
        yield
    finally:
        _ask.reset(token)
