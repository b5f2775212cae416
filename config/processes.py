"""Starting, stopping and sweeping up operating-system processes.

Every process started here is in a session of its own (Ctrl-C in the terminal reaches only the supervisor,
which then stops the others in order), carries the mark of its instance in its environment, and gets a signal
from the kernel when its parent dies, so that not even `kill -9` of the supervisor leaves it behind.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MARK = "GOLDSET_INSTANCE"
LOG_LIMIT = 10_000_000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One process to run: its name, command line, and how it is stopped."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None  # run as this user (root only)
    cwd: Path | None = None
    feed: bytes | None = None  # what it reads from standard input
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM  # what it gets when its parent dies
    patience: float = 10.0  # seconds between the stop signal and SIGKILL


def spawn(command: Command, *, instance: Path) -> Process:
    """Start `command`, its output appended to `instance`/logs/`name`.log.

    Call it from the main thread: what the kernel calls the parent's death is that of the starting thread.
    """
    with log_file(instance, command.name).open("ab") as log:
        process = subprocess.Popen(
            command.argv,
            env={**os.environ, **command.env, MARK: str(instance)},
            cwd=command.cwd,
            user=command.user,
            group=command.user,
            extra_groups=None if command.user is None else [],
            stdin=subprocess.DEVNULL if command.feed is None else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tie_to_parent(command.orphan_signal),
        )
    if process.stdin and command.feed is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(command.feed)
    return process


def _tie_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec to share its parent's fate."""
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return tie


def stop(process: Process, command: Command) -> None:
    """Ask the process to end, wait for it, then kill whatever is left of its group."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(command.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(command.patience)
    kill(process)


def kill(process: Process) -> None:
    """End the process and its group at once; harmless when they are gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_leftovers(instance: Path, *, only: str | None = None) -> int:
    """End what a crash of this instance left behind (`only`: processes of that name); returns how many.

    The caller holds the instance's lock, so whatever is found is nobody's.
    """
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [p for p in psutil.process_iter() if p.pid not in mine and _belongs(p, instance, only)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(_END_SIGNALS.get(process.name(), signal.SIGKILL))
    _, alive = psutil.wait_procs(found, timeout=15)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    return len(found)


# Those that keep data may close their files; the others hold nothing that a row does not remember.
_END_SIGNALS = {"postgres": signal.SIGINT, "redis-server": signal.SIGTERM}


def _belongs(process: psutil.Process, instance: Path, only: str | None) -> bool:
    try:
        name = process.name()
        if only not in (None, name):
            return False
        # PostgreSQL's own children write their title over the environment, but work in the data folder.
        if name == "postgres" and process.cwd() == str(instance / name):
            return True
        return bool(process.environ().get(MARK) == str(instance))
    except (psutil.Error, OSError):
        return False


def log_file(instance: Path, name: str) -> Path:
    """Where a process of this instance writes what it has to say."""
    folder = instance / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def limit_logs(instance: Path) -> None:
    """Keep each log below `LOG_LIMIT` bytes, and one older part of it.

    Copied, then cut: the writers go on with the file that they hold open (for appending).
    """
    for log in (instance / "logs").glob("*.log"):
        if log.stat().st_size > LOG_LIMIT:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
