"""A whole service for the guides: the supervisor with every process, on a database and broker of its own."""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import free_port
from tests.docs.service import Service, new_database, wait_until_ready

ROOT = Path(__file__).parents[2]


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
