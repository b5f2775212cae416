"""`make run`'s supervisor, for real: it starts everything, watches over it, stops it, and survives crashes."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from config.embedded import free_port
from tests.workers import ROOT, processes_of, wait_for

Start = Callable[..., "Run"]


class Run:
    """One `python -m config.up`."""

    def __init__(self, data_dir: Path, port: int, **environment: str) -> None:
        self.data_dir, self.port = data_dir, port
        self.output = data_dir.with_name(f"{data_dir.name}-{time.monotonic_ns()}.out")
        inherited = {name: value for name, value in os.environ.items() if name not in CLEARED}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.up"],
                env=inherited | {"PORT": str(port), "DATA_DIR": str(data_dir), "DEMO": "0"} | environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def until_ready(self) -> "Run":
        wait_for(lambda: "Ctrl-C stops" in self.said or self.process.poll() is not None, seconds=180, says=self.why)
        assert self.process.poll() is None, self.why()
        return self

    def why(self) -> str:
        return self.said + "".join(log.read_text()[-1500:] for log in self.data_dir.glob("logs/*.log"))

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.status

    def children(self) -> dict[str, psutil.Process]:
        """Its own processes by a word of their command line."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            line = " ".join(child.cmdline())
            found[next(word for word in WORDS if word in line)] = child
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)


CLEARED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "GOLDSET_ADMIN_USER", "GOLDSET_ADMIN_PASSWORD", "ALLOWED_HOSTS")
WORDS = ("gunicorn", "--queues default", "--queues model", "--queues serve", " beat", "postgres", "redis-server")


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Starts supervisors on `data_dir`, or on a folder in it; whatever a test leaves is killed."""
    runs: list[Run] = []

    def begin(folder: str = "data", *, port: int | None = None, **environment: str) -> Run:
        runs.append(Run(data_dir / folder, port or free_port(), **environment))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.stop()


def test_starts_with_a_banner_and_stops_clean(start):
    run = start().until_ready()
    assert f"http://127.0.0.1:{run.port}" in run.said
    assert str(run.data_dir) in run.said
    password = (run.data_dir / "admin_password").read_text().strip()
    assert re.search(rf"admin / {re.escape(password)}\b", run.said)
    assert (run.get("/healthz"), run.get("/readyz")) == (200, 200)
    assert sorted(run.children()) == sorted(WORDS)
    for name in ("secret_key", "admin_password", "services.json"):
        assert stat.S_IMODE((run.data_dir / name).stat().st_mode) == 0o600, name

    assert run.stop(signal.SIGINT) == 0
    assert processes_of(run.data_dir) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", run.port))

    again = start(port=run.port).until_ready()
    assert password not in again.said
    assert (again.data_dir / "admin_password").read_text().strip() == password
    assert again.stop() == 0
    assert processes_of(run.data_dir) == []


def test_a_crash_of_everything_and_of_the_supervisor_alone(start):
    run = start().until_ready()
    victims = psutil.Process(run.process.pid).children(recursive=True)
    run.process.kill()
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    run.process.wait()
    assert (run.data_dir / "postgres" / "postmaster.pid").exists()

    second = start(port=run.port).until_ready()
    assert second.get("/readyz") == 200
    second.process.kill()
    second.process.wait()

    third = start(port=run.port).until_ready()  # at once: what still ends is waited for
    assert third.get("/readyz") == 200
    assert third.stop() == 0
    assert processes_of(run.data_dir) == []


def test_what_dies_is_started_again_and_two_signals_stop_at_once(start):
    run = start().until_ready()
    before = {word: child.pid for word, child in run.children().items()}
    for child in run.children().values():
        child.kill()

    def back() -> bool:
        with suppress(psutil.Error, StopIteration, OSError):
            now = {word: child.pid for word, child in run.children().items()}
            return sorted(now) == sorted(WORDS) and not set(now.values()) & set(before.values()) and ready()
        return False

    def ready() -> bool:
        return run.get("/readyz") == 200

    wait_for(back, seconds=120, says=run.why)
    assert "beat had ended" in run.said
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    assert run.stop(signal.SIGINT) == 0
    assert processes_of(run.data_dir) == []


def test_a_signal_while_starting_leaves_nothing(start):
    run = start()
    wait_for(lambda: (run.data_dir / "services.json").exists(), says=run.why)
    assert run.stop() == 0
    assert processes_of(run.data_dir) == []


def test_two_instances_side_by_side_and_refusals(start):
    first = start("one").until_ready()
    second = start("two", GOLDSET_ADMIN_USER="boss", GOLDSET_ADMIN_PASSWORD="secret pass phrase").until_ready()
    assert (first.get("/readyz"), second.get("/readyz")) == (200, 200)
    assert "boss, with GOLDSET_ADMIN_PASSWORD" in second.said
    assert not (second.data_dir / "admin_password").exists()

    same_data = start("one")
    assert same_data.process.wait(60) == 1
    assert "already runs on" in same_data.said
    same_port = start("three", port=first.port)
    assert same_port.process.wait(60) == 1
    assert f"Cannot listen on 127.0.0.1:{first.port}" in same_port.said
    assert processes_of(same_port.data_dir) == []
    assert (first.get("/readyz"), second.get("/readyz")) == (200, 200)


def test_a_port_that_is_none_is_refused(start):
    run = start(PORT="http")
    assert run.process.wait(60) == 1
    assert "PORT is 'http'" in run.said


def test_a_file_where_the_data_should_lie_is_refused(start, data_dir):
    (data_dir / "file").write_text("")
    run = start("file")
    assert run.process.wait(60) == 1
    assert "Cannot write to DATA_DIR" in run.said
