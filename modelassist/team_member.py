"""A process that trains along: `python -m modelassist.team_member RANK SIZE MEETING TASK CPU`; started by `team`."""

import os
import pickle
import sys
import threading
from pathlib import Path

from modelassist import team, trainer


def main() -> None:
    """Take part from the first step to the last."""
    rank, size, meeting, given, cpu = sys.argv[1:]
    threading.Thread(target=_end_with_the_leader, daemon=True).start()
    task: trainer.Task = pickle.loads(Path(given).read_bytes())  # noqa: S301 (written by the leader, for this)
    with team.joined(int(rank), int(size), Path(meeting), cpu=cpu == "1"):
        for _ in trainer.along(task, team.Team(int(rank), int(size))):
            pass


def _end_with_the_leader() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
