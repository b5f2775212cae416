"""Runs of a long benchmark, kept in a file as they end, so that one that broke off goes on where it was."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Run = dict[str, Any]


def read(path: Path) -> list[Run]:
    """The rows so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def append(path: Path, runs: Iterable[Run]) -> None:
    """Add rows."""
    rows = [json.dumps(run) + "\n" for run in runs]
    with path.open("a") as file:
        file.writelines(rows)


def write_csv(path: Path, runs: list[Run]) -> None:
    """The same as a table for other programs."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(runs[0]))
        writer.writeheader()
        writer.writerows(runs)
