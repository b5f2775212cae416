"""How long `make run` takes to start and stop, what it costs at rest, and how fast it answers.

python -m tests.bench.bench_up
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from config.embedded import free_port

ROOT = Path(__file__).resolve().parents[2]
GIVEN = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "PORT")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder:
        rows = [*life("first start", Path(folder)), *life("second start", Path(folder))]
    for name, figure in rows:
        print(f"{name:<32}{figure:>12}")


def life(name: str, data_dir: Path) -> list[tuple[str, str]]:
    """Start, look at it at rest, stop."""
    port = free_port()
    begin = time.perf_counter()
    process = start(data_dir, port)
    rows = [(name, f"{time.perf_counter() - begin:.1f} s")]
    if name != "first start":
        time.sleep(3)
        rows += [("memory at rest", f"{memory_mb(process.pid):,.0f} MB"), ("processor at rest", idle(process.pid))]
        rows += [(f"GET {path}, median of 200", answers(port, path)) for path in ("/healthz", "/readyz")]
    begin = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.wait()
    return [*rows, ("stop", f"{time.perf_counter() - begin:.1f} s")]


def start(data_dir: Path, port: int) -> subprocess.Popen[str]:
    """A supervisor that has shown its banner."""
    own = {name: value for name, value in os.environ.items() if name not in GIVEN}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.up"],
        env=own | {"DATA_DIR": str(data_dir), "PORT": str(port), "DEMO": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    said = ""
    while "Ctrl-C stops" not in said:
        line = process.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
    return process


def family(pid: int) -> list[psutil.Process]:
    """The supervisor and everything under it."""
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def memory_mb(pid: int) -> float:
    """What all of them hold together, shared pages counted once."""
    return sum(process.memory_full_info().pss for process in family(pid)) / 1e6


def idle(pid: int, *, seconds: float = 5) -> str:
    """The share of one core that all of them use when nobody asks for anything."""

    def used() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in family(pid))

    before = used()
    time.sleep(seconds)
    return f"{100 * (used() - before) / seconds:.1f} %"


def answers(port: int, path: str) -> str:
    """The median time of an answer, one request at a time, each on a connection of its own."""
    took = []
    for _ in range(200):
        begin = time.perf_counter()
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
        took.append(time.perf_counter() - begin)
    return f"{1000 * statistics.median(took):.1f} ms"


if __name__ == "__main__":
    main()
