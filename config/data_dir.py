"""The data directory: whose it is, what of it is private, and as whom its servers run.

PostgreSQL refuses to run as root. For root there is a user of its own, who may pass through (not look into)
the folders on the way to its data and to its programs. A lock keeps a second instance away.
"""

import errno
import fcntl
import importlib.util
import os
import pwd
import stat
import subprocess
import time
from pathlib import Path

SERVER_USER = "goldset"


class CannotStart(Exception):
    """A message for the person who started Goldset: what is wrong and what to do."""


def lock(data_dir: Path) -> int:
    """Take the data directory for this process; the kernel gives it back when the process ends, however."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as refused:
        holder = os.pread(descriptor, 20, 0).decode() or "unknown"
        os.close(descriptor)
        raise CannotStart(
            f"Goldset already runs on {data_dir} (process {holder}). Stop it, or give another DATA_DIR and PORT."
        ) from refused
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def make_private(folder: Path) -> None:
    """Make the folder ours alone; as root, others may pass through it (not look) to what is theirs inside."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as refused:
        raise CannotStart(f"Cannot write to DATA_DIR {folder}: {refused.strerror}.") from refused


def write_private(path: Path, text: str) -> None:
    """Write the file in one step, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def server_user(*folders: Path) -> str | None:
    """Whom the servers run as: ourselves (None), or, as root, which PostgreSQL refuses, a user of their own
    who may pass into `folders`."""
    if os.geteuid() != 0:
        return None
    _ensure_user(SERVER_USER)
    for folder in folders:
        for parent in (folder, *folder.resolve().parents):
            _allow(parent, stat.S_IXOTH)
    return SERVER_USER


def _ensure_user(name: str) -> None:
    for _ in range(20):
        try:
            pwd.getpwnam(name)
            return
        except KeyError:
            # Two first starts at once: the second waits for the first to be done with /etc/passwd.
            made = subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if made.returncode:
                time.sleep(0.25)
    raise CannotStart(f"PostgreSQL does not run as root, and a user for it cannot be made: {made.stderr}")


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        try:
            path.chmod(stat.S_IMODE(mode) | bits)
        except OSError as refused:
            if refused.errno != errno.EROFS:
                raise


def package(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {name} is not installed; run `make run`, or set DATABASE_URL and REDIS_URL.")
    folder = Path(spec.submodule_search_locations[0]).resolve()
    if os.geteuid() == 0 and not folder.stat().st_mode & stat.S_IROTH:
        _open_for_reading(folder, folder.with_name(f"{name}.libs"))
    return folder


def _open_for_reading(*folders: Path) -> None:
    """Let the servers' user read programs that a root with a strict umask has installed."""
    for folder in folders:
        for path in (folder, *folder.rglob("*")) if folder.exists() else ():
            _allow(path, stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0))
