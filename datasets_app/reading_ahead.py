"""Reading on while somebody waits: the items of an iterator, made in a thread of their own, a few ahead.

An import parses its file while the database writes the batch before; the wait for it leaves the interpreter free.
"""

import gc
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")
AHEAD = 2
# How long the thread runs on when the reader wants to: it is woken by the database many times a batch.
_SWITCH_SECONDS = 0.0005
# Records are many small objects without cycles: at its usual pace, the collector takes as long as reading them.
_COLLECT_AFTER = 50_000
_LOOK_SECONDS = 0.1  # how soon a thread whose queue is full sees that nobody reads any more


def read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items in the same order; what making them raises is raised here. Closing it ends the thread."""
    source = _Source(items)
    with _pace():
        source.start()
        try:
            while (item := source.queue.get()) is not None:
                yield item[0]
        finally:
            source.stopped.set()
            source.join()
    if source.error is not None:
        raise source.error


@contextmanager
def _pace() -> Iterator[None]:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        sys.setswitchinterval(interval)


class _Source(threading.Thread, Generic[T]):
    """The thread: it puts each item into a queue that holds few, None after the last, and its error aside."""

    def __init__(self, items: Iterator[T]) -> None:
        super().__init__(name="reading ahead", daemon=True)
        self.items = items
        self.queue: Queue[tuple[T] | None] = Queue(AHEAD)
        self.stopped = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for item in self.items:
                if not self._put((item,)):
                    break
        except BaseException as error:  # the reader raises it again
            self.error = error
        finally:
            if isinstance(self.items, Generator):
                self.items.close()
            self._put(None)

    def _put(self, item: tuple[T] | None) -> bool:
        while not self.stopped.is_set():
            try:
                self.queue.put(item, timeout=_LOOK_SECONDS)
            except Full:
                continue
            return True
        return False
