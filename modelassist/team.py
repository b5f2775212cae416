"""Several processes that train one network together, each on a part of every batch, by `accelerate`.

Process 0, the worker's own, leads: it alone validates, keeps checkpoints, logs and saves. It starts the others, which
run the same training beside it, and which end when it does. Gradients are summed over all of them before each step, so
what comes out is what one process would make, but for rounding and for dropout.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch

from datasets_app import stopping
from labeling.errors import Unavailable

ROOT = Path(__file__).parents[1]
WAIT = timedelta(hours=2)  # for process 0, which validates while the others wait
MEMBER = "modelassist.team_member"
Said = TypeVar("Said")
Part = TypeVar("Part")


@dataclass(slots=True)
class Team:
    """One process's place among all that train together; alone, it has nothing to share and nothing to agree on."""

    rank: int = 0
    size: int = 1
    others: Sequence[subprocess.Popen[bytes]] = ()

    @property
    def leads(self) -> bool:
        """Whether it is process 0."""
        return self.rank == 0

    def share(self, batch: Sequence[Part]) -> Sequence[Part]:
        """This process's part of a batch."""
        return batch[self.rank :: self.size]

    def summed(self, parameters: Sequence[torch.nn.Parameter], loss: float) -> float:
        """Sum the gradients of all processes in each of them; gives the summed loss."""
        if self.size == 1:
            return loss
        from accelerate.utils import reduce

        self._require_all()
        grads = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
        flat = torch.cat([*(grad.reshape(-1) for grad in grads), torch.tensor([loss], device=grads[0].device)])
        flat = reduce(flat, reduction="sum")
        for each, grad in zip(parameters, flat[:-1].split([each.numel() for each in parameters]), strict=True):
            each.grad = grad.view_as(each).clone()
        return float(flat[-1])

    def agreed(self, said: Said) -> Said:
        """What process 0 said."""
        if self.size == 1:
            return said
        from accelerate.utils import broadcast_object_list

        self._require_all()
        heard = [said]
        broadcast_object_list(heard, from_process=0)
        return heard[0]

    def _require_all(self) -> None:
        stopping.check()
        for process in self.others:
            if process.poll() is not None:
                said = (process.stderr.read() if process.stderr else b"").decode("utf-8", "replace").strip()
                reason = said.splitlines()[-1][:300] if said else f"it ended with {process.returncode}"
                raise Unavailable(f"A process that trained along broke off: {reason}", code="training_process_lost")


ALONE = Team()


@contextlib.contextmanager
def led(size: int, task: Any, *, cpu: bool) -> Iterator[Team]:
    """A team of `size` processes at the same `task`, which must be picklable; `ALONE` where that is one."""
    if size < 2:
        yield ALONE
        return
    with tempfile.TemporaryDirectory(prefix="goldset-team-") as folder, contextlib.ExitStack() as stack:
        meeting, given = Path(folder) / "meeting", Path(folder) / "task"
        given.write_bytes(pickle.dumps(task))
        others = [_started(rank, size, meeting, given, cpu=cpu) for rank in range(1, size)]
        for process in others:
            stack.callback(_ended, process)
        with joined(0, size, meeting, cpu=cpu):
            yield Team(0, size, others)


def _started(rank: int, size: int, meeting: Path, given: Path, *, cpu: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", MEMBER, str(rank), str(size), str(meeting), str(given)]
    # Its input ends when this process does, however that ends; then it ends too.
    return subprocess.Popen(
        [*command, str(int(cpu))], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


@contextlib.contextmanager
def joined(rank: int, size: int, meeting: Path, *, cpu: bool) -> Iterator[None]:
    """This process's part in the group of all: `accelerate` reads from the environment which one it is."""
    from accelerate import PartialState

    threads = torch.get_num_threads()
    # With the last two, which it would set for good: they meet in a file, at no port.
    names = {
        "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size,
        "OMP_NUM_THREADS": max(1, threads // size), "MASTER_PORT": 0,
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(value) for name, value in names.items()})
    try:
        where = {"init_method": f"file://{meeting}", "timeout": WAIT}
        state = PartialState(cpu=cpu, backend="gloo" if cpu else "nccl", rank=rank, world_size=size, **where)
        try:
            yield
        finally:
            state.destroy_process_group()
    finally:
        PartialState._reset_state()
        torch.set_num_threads(threads)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
