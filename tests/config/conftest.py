"""A data directory and servers of its own for a test that starts and kills them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty folder beside the test run's servers: pytest's own is closed to other users by each pytest
    that begins on the machine, and this one is removed even after a killed run (see `tests.services`)."""
    folder = Path(tempfile.mkdtemp(prefix="own-", dir=settings.DATA_DIR))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the addresses of the test run's servers, so that others are started."""
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")
