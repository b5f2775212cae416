"""The supervisor behind `make run`: one process that starts everything, watches over it and stops it.

    PORT=8000 DATA_DIR=.data DEMO=1 python -m config.up

`WEB`, `WORKER`, `MODEL_WORKER`, `SERVE_WORKER` and `BEAT` are the only home of the command lines;
docker-compose.yml runs the same (a test compares). PostgreSQL and Redis are `config.embedded`'s, what precedes
is `config.prepare`'s.
"""

import json
import os
import secrets
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.data_dir import CannotStart, make_private, write_private
from config.embedded import Services
from config.processes import Command, Process, kill, limit_logs, log_file, spawn

BASE_DIR = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0

# Python's arguments; `web` adds where to listen. The number of web processes is WEB_CONCURRENCY (gunicorn's own).
WEB = (
    "-m", "gunicorn", "config.wsgi", "--worker-class", "gthread", "--threads", "8", "--timeout", "120",
    "--graceful-timeout", "5", "--no-control-socket", "--access-logfile", "-",
)  # fmt: skip
_WORKER = ("-m", "celery", "--app", "config", "worker", "--without-gossip", "--without-mingle")
WORKER = (*_WORKER, "--queues", "default", "--hostname", "default@%h", "--concurrency", "2")
MODEL_WORKER = (*_WORKER, "--queues", "model", "--hostname", "model@%h", "--concurrency", "1")
# Beside the model worker, so that texts are tagged while a training runs, and by two, so that an update of some seconds
# keeps no request waiting; each loads the network when first asked.
SERVE_WORKER = (*_WORKER, "--queues", "serve", "--hostname", "serve@%h", "--concurrency", "2")
BEAT = ("-m", "celery", "--app", "config", "beat")
PREPARE = ("-m", "config.prepare")


class Stopped(BaseException):
    """A signal asked us to end."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the environment says."""

    host: str
    port: int
    data_dir: Path

    @classmethod
    def from_environment(cls) -> "Options":
        """Read HOST, PORT and DATA_DIR; raises CannotStart for a port that is none."""
        port = os.environ.get("PORT") or "8000"
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise CannotStart(f"PORT is {port!r}; give a number from 1 to 65535.")
        data_dir = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").resolve()
        return cls(host=os.environ.get("HOST") or "127.0.0.1", port=int(port), data_dir=data_dir)

    @property
    def address(self) -> str:
        """What to open in a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}"


@dataclass
class Child:
    """One of our processes and how often it had to be started again."""

    command: Command
    process: Process
    since: float
    failures: int = 0

    @property
    def wait(self) -> float:
        """Seconds from its last start until it may be started again: longer each time it dies young."""
        return min(30.0, 0.5 * 2.0**self.failures)


class Supervisor:
    """Everything that runs for one data directory, from `start` to `stop`."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.services = Services(options.data_dir)
        self.children: list[Child] = []
        self.stopping = False
        self.hurry = False

    def start(self) -> None:
        """Start everything and return when it is ready. Raises CannotStart."""
        make_private(self.options.data_dir)
        if os.environ.get("SECRET_KEY", "") == "":
            ensure_secret_key(self.options.data_dir)
        os.environ.update(self._environment())
        os.environ.update(self.services.start())
        check_port(self.options)
        self._prepare()
        for command in commands(self.options):
            self._heed()
            self.children.append(Child(command, self._spawn(command), time.monotonic()))
        self._await_ready()

    def _environment(self) -> dict[str, str]:
        hosts = [host for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host]
        return {
            "PORT": str(self.options.port),
            "DATA_DIR": str(self.options.data_dir),
            "DEMO": os.environ.get("DEMO") or "1",
            "WEB_CONCURRENCY": os.environ.get("WEB_CONCURRENCY") or "2",
            # We ask /readyz ourselves, whatever names the outside uses.
            "ALLOWED_HOSTS": ",".join(dict.fromkeys([*hosts, "localhost", "127.0.0.1", "[::1]", self.options.host])),
            "PYTHONUNBUFFERED": "1",
        }

    def _spawn(self, command: Command) -> Process:
        return spawn(command, instance=self.options.data_dir)

    def _prepare(self) -> None:
        command = python("prepare", PREPARE)
        process = self._spawn(command)
        if process.wait():
            raise CannotStart(f"The database cannot be prepared:\n{self._last_words(command)}")

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while missing := not_ready(self.options):
            self._heed()
            if dead := [child for child in self.children if child.process.poll() is not None]:
                raise CannotStart(f"{dead[0].command.name} ended:\n{self._last_words(dead[0].command)}")
            if time.monotonic() > deadline:
                logs = self.options.data_dir / "logs"
                raise CannotStart(f"After {READY_SECONDS:.0f} s still missing: {missing}. See the logs in {logs}.")
            time.sleep(0.1)

    def _heed(self) -> None:
        """Raise Stopped if a signal came whose exception was lost, as it is within a destructor."""
        if self.stopping:
            raise Stopped

    def _last_words(self, command: Command) -> str:
        lines = log_file(self.options.data_dir, command.name).read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-12:])

    def watch(self) -> None:
        """Start again what dies, keep the logs short, for ever: a signal ends it."""
        while True:
            self._heed()
            for name in self.services.restart_dead():
                say(f"{name} had ended and was started again")
            for child in self.children:
                self._revive(child)
            limit_logs(self.options.data_dir)
            time.sleep(1)

    def _revive(self, child: Child) -> None:
        status = child.process.poll()
        if status is None:
            if time.monotonic() - child.since > 60:
                child.failures = 0
            return
        if time.monotonic() - child.since < child.wait:
            return
        kill(child.process)  # what is left of its group
        child.process, child.since, child.failures = self._spawn(child.command), time.monotonic(), child.failures + 1
        say(f"{child.command.name} had ended (status {status}) and was started again")

    def stop(self) -> None:
        """Ask all to finish, together; kill those that do not in time; then the servers. Nothing is left."""
        self.stopping = True
        for child in self.children:
            if child.process.poll() is None:
                child.process.send_signal(child.command.stop_signal)
        started = time.monotonic()
        for child in self.children:
            while (
                child.process.poll() is None and not self.hurry and time.monotonic() - started < child.command.patience
            ):
                time.sleep(0.02)
            kill(child.process)
        self.services.stop()
        self.children.clear()


def commands(options: Options) -> list[Command]:
    """The processes of our own, in the order in which they start."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    return [
        python("web", (*WEB, "--bind", f"{host}:{options.port}")),
        # An orphaned worker gives up its task at once (SIGQUIT): the job is resumed by the next start.
        python("worker", WORKER, orphan_signal=signal.SIGQUIT),
        python("model-worker", MODEL_WORKER, orphan_signal=signal.SIGQUIT),
        python("serve-worker", SERVE_WORKER, orphan_signal=signal.SIGQUIT),
        python("beat", BEAT),
    ]


def python(name: str, arguments: tuple[str, ...], *, orphan_signal: signal.Signals = signal.SIGTERM) -> Command:
    """A command of this interpreter, run from the source tree."""
    return Command(name=name, argv=[sys.executable, *arguments], cwd=BASE_DIR, orphan_signal=orphan_signal)


def ensure_secret_key(data_dir: Path) -> None:
    """What signs the sessions, made once."""
    if not (data_dir / "secret_key").exists():
        write_private(data_dir / "secret_key", secrets.token_urlsafe(50))


def check_port(options: Options) -> None:
    """Raises CannotStart when somebody else listens where the web process is to listen."""
    try:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        socket.create_server((options.host, options.port), family=family).close()
    except OSError as refused:
        reason = (refused.strerror or str(refused)).split(" (")[0]
        raise CannotStart(f"Cannot listen on {options.host}:{options.port}: {reason}. Give another PORT.") from refused


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the machine uses


def not_ready(options: Options) -> str:
    """What /readyz says is missing; empty when nothing is."""
    try:
        with _opener.open(f"{options.address}/readyz", timeout=10):
            return ""
    except urllib.error.HTTPError as answer:
        try:
            return ", ".join(json.load(answer)["error"]["details"]["missing"])
        except (ValueError, LookupError):
            return f"web (it answers {answer.code})"
    except OSError:
        return "web"


def banner(options: Options, *, first_password: str | None) -> str:
    """What the person sees when all is well."""
    name = os.environ.get("GOLDSET_ADMIN_USER") or "admin"
    kept = options.data_dir / "admin_password"
    if first_password:
        login = f"{name} / {first_password}   (shown this once; kept in {kept})"
    elif kept.exists():
        login = f"{name}, with the password in {kept} unless it was changed"
    else:
        login = "as before" if not os.environ.get("GOLDSET_ADMIN_PASSWORD") else f"{name}, with GOLDSET_ADMIN_PASSWORD"
    return (
        f"\nGoldset is ready.\n\n  Open    {options.address}\n  Login   {login}\n"
        f"  Data    {options.data_dir}\n  Logs    {options.data_dir / 'logs'}\n\nCtrl-C stops everything.\n"
    )


def say(message: str) -> None:
    """A line for the person at the terminal, who may have gone."""
    try:
        print(message, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


def main() -> int:
    """Run until a signal comes; 0 after a clean stop, 1 when it cannot start."""
    try:
        return run(Options.from_environment())
    except CannotStart as why:
        print(f"Goldset cannot start. {why}", file=sys.stderr)
        return 1


def run(options: Options) -> int:
    """Start, show the banner, watch, and stop everything whatever happens."""
    os.umask(0o077)  # uploads, models and logs are nobody else's business
    supervisor = Supervisor(options)
    stop_on_signals(supervisor)
    kept = options.data_dir / "admin_password"
    known = kept.exists()
    try:
        say(f"Starting Goldset on {options.address} ...")
        supervisor.start()
        say(banner(options, first_password=kept.read_text().strip() if kept.exists() and not known else None))
        supervisor.watch()
    except Stopped:
        say("Stopping ...")
    finally:
        supervisor.stop()
    say("Stopped.")
    return 0


def stop_on_signals(supervisor: Supervisor) -> None:
    """The first signal raises Stopped wherever we are; while stopping, another one ends the waiting."""

    def handle(number: int, frame: FrameType | None) -> None:
        if supervisor.stopping:
            supervisor.hurry = True
            return
        supervisor.stopping = True
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)


if __name__ == "__main__":
    sys.exit(main())
