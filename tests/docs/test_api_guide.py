"""The API guide works: its bash blocks run in order, in one shell, against a live service.

The block after a bash block is what it prints: `json` must be contained in the output (an object may have
more fields, "…" stands for any value), `text` must be equal to it, line by line, with `…` for the rest of a line.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docs.service import Service

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|json|text)\n(.*?)^```", flags=re.M | re.S)
ANY = "…"


def blocks() -> list[tuple[str, str, str]]:
    """(bash, kind of the expected output, expected output); the kind is empty where none is shown."""
    found: list[tuple[str, str, str]] = []
    for kind, body in BLOCK.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8")):
        if kind == "bash":
            found.append((body, "", ""))
        else:
            command, already, _ = found.pop()
            assert not already, f"two outputs after\n{command}"
            found.append((command, kind, body))
    return found


def test_the_guide_runs(service: Service, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide is written for curl, which is not installed")
    steps, marker = blocks(), "--- end of block ---"
    assert len(steps) > 10
    script = "set -euo pipefail\n" + "".join(f"{command}\necho '{marker}'\n" for command, _, _ in steps)
    environment = service.environment | {
        "BASE": f"{service.address}/api/v1", "PASSWORD": service.password, "TMPDIR": str(tmp_path),
        "SENTENCES": str(ROOT / "demo" / "sentences.jsonl"),
    }  # fmt: skip
    ran = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    *outputs, rest = ran.stdout.split(f"{marker}\n")
    for (command, kind, expected), output in zip(steps, outputs):
        if kind == "json":
            compare(json.loads(expected), json.loads(output), command)
        elif kind == "text":
            pattern = re.escape(expected.strip()).replace(re.escape(ANY), ".*")
            assert re.fullmatch(pattern, output.strip()), f"{command}\nprinted\n{output}"
    assert ran.returncode == 0, f"{steps[len(outputs)][0]}\nfailed: {rest}\n{ran.stderr[-2000:]}"


def compare(expected: Any, found: Any, command: str, path: str = "") -> None:
    """`expected` is contained in `found`."""
    if expected == ANY:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            assert name in found, f"{command}\ngave no {path}.{name}: {found}"
            compare(value, found[name], command, f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        open_end = expected[-1:] == [ANY]
        shown = expected[:-1] if open_end else expected
        assert len(found) >= len(shown) if open_end else len(found) == len(shown), f"{command}\n{path}: {found}"
        for index, value in enumerate(shown):
            compare(value, found[index], command, f"{path}[{index}]")
    else:
        assert expected == found, f"{command}\n{path}: expected {expected!r}, found {found!r}"
