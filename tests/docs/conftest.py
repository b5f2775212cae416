"""A whole service for the guides: the supervisor with every process, on a database and broker of its own."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config.embedded import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 120


@dataclass(frozen=True)
class Service:
    """Where a running service is, and how to get in."""

    address: str
    password: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the demo project, started as `make run` does; the administrator is `admin`."""
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    environment = os.environ | {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "DEMO": "1",
        "DATABASE_URL": new_database(os.environ["DATABASE_URL"]),
        "REDIS_URL": re.sub(r"/\d+$", "/7", os.environ["REDIS_URL"]),  # its own queues on the shared server
        "GOLDSET_ADMIN_USER": "admin",
        "GOLDSET_ADMIN_PASSWORD": secrets.token_urlsafe(12),
    }
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.up"], env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process, log)
        yield Service(address, environment["GOLDSET_ADMIN_PASSWORD"], environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def new_database(url: str) -> str:
    """A fresh database on the server of `url`, left to the server's end."""
    name = f"docs_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return re.sub(r"/\w+\?", f"/{name}?", url)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when every process answers; fail with the log when the supervisor ends."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):  # noqa: S310
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
