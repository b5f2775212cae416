"""A running service as the guides' tests know it, and what is needed to start one."""

import re
import secrets
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psycopg

START_SECONDS = 120


@dataclass(frozen=True)
class Service:
    """Where a running service is, and how to get in."""

    address: str
    password: str
    environment: dict[str, str]


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
