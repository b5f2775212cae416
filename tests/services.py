"""Pytest plugin: an embedded PostgreSQL and Redis for this run alone, up before Django reads its settings.

Loaded with `-p tests.services` (see pyproject.toml). The servers start when this module is imported, since
pytest-django loads the settings in the first hook of all. Several runs on one machine do not meet.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from config.embedded import Services

_PREFIX = "goldset-test-"


def _sweep() -> None:
    """Remove what killed runs left: folders whose lock nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            with (folder / "lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use, or just being made
            continue


def _start() -> Services:
    for name in ("DATABASE_URL", "REDIS_URL", "BASE_MODEL"):
        os.environ.pop(name, None)
    _sweep()
    services = Services(Path(tempfile.mkdtemp(prefix=_PREFIX)), durable=False)
    os.environ["DATA_DIR"] = str(services.data_dir)
    (services.data_dir / "static").mkdir()  # WhiteNoise warns in its absence
    os.environ.update(services.start())
    return services


def _end() -> None:
    services.stop()
    shutil.rmtree(services.data_dir, ignore_errors=True)


services = _start()
atexit.register(_end)
