"""A real Celery worker process on the test's database and broker, that a test may kill and start again."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from django.conf import settings
from django.db import connection

from config.celery import app
from config.processes import MARK, Command, Process, kill, log_file, spawn
from config.worker_beat import QUEUES, key

ROOT = Path(__file__).resolve().parent.parent


class Worker:
    """One worker for all queues, from `start` to `kill`."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment
        self.broker = redis.Redis.from_url(settings.REDIS_URL)
        self.process: Process | None = None

    def start(self) -> None:
        """Start it and wait until it listens to every queue."""
        self.broker.delete(*map(key, QUEUES))
        arguments = ["-m", "celery", "--app", "config", "worker", "--without-gossip", "--without-mingle"]
        arguments += ["--queues", ",".join(QUEUES), "--concurrency", "2", "--loglevel", "INFO"]
        self.process = spawn(
            Command(
                name="test-worker",
                argv=[sys.executable, *arguments],
                env={"DATABASE_URL": database_url(), **self.environment},
                cwd=ROOT,
                orphan_signal=signal.SIGKILL,
            ),
            instance=settings.DATA_DIR,
        )
        wait_for(lambda: self.alive and all(self.broker.mget(map(key, QUEUES))), says=self.log)

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """`kill -9` of the worker and all its children: nothing is tidied up."""
        if self.process is not None:
            kill(self.process)

    def forget(self) -> None:
        """Drop what waits in the queues and wait until nothing runs, so that the next test begins in peace."""
        app.control.purge()
        if self.alive:
            wait_for(lambda: not any((self._inspect().active() or {"": [1]}).values()), says=self.log)

    def _inspect(self):
        return app.control.inspect(timeout=5, limit=1)

    def log(self) -> str:
        """What it has written so far."""
        return log_file(settings.DATA_DIR, "test-worker").read_text(errors="replace")


def database_url() -> str:
    """The address of the database that this test uses."""
    used = connection.settings_dict
    person = quote(used["USER"], safe="") + (f":{quote(used['PASSWORD'], safe='')}" if used["PASSWORD"] else "")
    port = f"&port={used['PORT']}" if used["PORT"] else ""
    return f"postgresql://{person}@/{quote(used['NAME'])}?host={quote(used['HOST'], safe='')}{port}"


def wait_for(condition: Callable[[], object], *, seconds: float = 90, says: Callable[[], str] = str) -> None:
    """Poll until the condition holds; after a generous while fail with what `says` says."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain\n{says()[-4000:]}"
        time.sleep(0.05)


def processes_of(instance: Path) -> list[str]:
    """What still runs for a data directory: command lines of marked processes and of servers working in it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            works_there = process.cwd().startswith(str(instance))
            if process.pid != os.getpid() and (works_there or process.environ().get(MARK) == str(instance)):
                found.append(" ".join(process.cmdline()))
    return found
