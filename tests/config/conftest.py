"""A data directory and servers of its own for a test that starts and kills them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty folder outside of pytest's own, which each pytest on the machine closes to other users."""
    folder = Path(tempfile.mkdtemp(prefix="goldset-own-")).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the addresses of the test run's servers, so that others are started."""
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")
