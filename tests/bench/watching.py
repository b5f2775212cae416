"""What processes take while something is done: how large they become, looked at all the time, and processor time."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

SECONDS = 0.1


class Watch:
    """The peaks of some processes in MB, by name, and their processor seconds, from entering to leaving.

    Proportional: a page that n processes share counts 1/n in each, so PostgreSQL's buffers are not counted twice.
    """

    def __init__(self, **pids: int) -> None:
        self.pids = pids
        self.first = {name: _megabytes(pid) for name, pid in pids.items()}
        self.peaks = dict(self.first)
        self.processor = {name: -_processor(pid) for name, pid in pids.items()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for name, pid in self.pids.items():
            self.processor[name] += _processor(pid)

    def _look_on(self) -> None:
        while not self._over.wait(SECONDS):
            for name, pid in self.pids.items():
                self.peaks[name] = max(self.peaks[name], _megabytes(pid))


def _processor(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _megabytes(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
