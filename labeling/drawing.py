"""Plots as files, and the plotting library's part for the browser, which its package (vl-convert) carries.

The library runs JavaScript, so it works in a process of its own for as long as it takes to draw: no web process or
worker keeps such an engine, and what goes wrong in it brings none of them down.
"""

import base64
import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

from labeling.errors import Unavailable, one_of
from labeling.plots import WIDTH, Plot

ROOT = Path(__file__).parents[1]
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}
SECONDS_MAX = 30
_one_at_a_time = threading.Lock()  # in a process: drawing takes a core and about 150 MB
_LIGHT = re.compile(r"--([\w-]+):\s*light-dark\((#\w+),")


def file(plot: Plot, format: str) -> bytes:
    """One plot as a file; raises `Invalid` for an unknown format."""
    if one_of("format", format, MEDIA_TYPES) == "csv":
        return plot.csv().encode()
    return pictures([plot], format)[0]


def pictures(plots: Sequence[Plot], format: str = "svg") -> list[bytes]:
    """The plots drawn on white, in the language that is active; raises `Unavailable` where that fails."""
    specs = [_colored(plot.spec(WIDTH) | {"background": "var(--surface)"}, _colors()) for plot in plots]
    return [base64.b64decode(drawn) for drawn in json.loads(_child({"format": format, "specs": specs}))]


def library() -> bytes:
    """The script that draws plots in a browser, as a module that exports `vegaEmbed`."""
    return _child({"format": "library", "specs": []})


@cache
def _colors() -> Mapping[str, str]:
    path = finders.find("css/tokens.css")
    assert isinstance(path, str)
    return dict(_LIGHT.findall(Path(path).read_text()))


def _colored(spec: Any, colors: Mapping[str, str]) -> Any:
    """The same with `var(--name)` as colors."""
    if isinstance(spec, dict):
        return {name: value if name == "values" else _colored(value, colors) for name, value in spec.items()}
    if isinstance(spec, list):
        return [_colored(value, colors) for value in spec]
    if isinstance(spec, str) and spec.startswith("var(--"):
        return colors[spec[6:-1]]
    return spec


def _child(task: Mapping[str, Any]) -> bytes:
    command = [sys.executable, "-m", "labeling.drawing_child"]
    with _one_at_a_time:
        try:
            done = subprocess.run(
                command, cwd=ROOT, input=json.dumps(task).encode(), capture_output=True, timeout=SECONDS_MAX
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"Drawing took more than {SECONDS_MAX} seconds and was given up.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unavailable(f"The plot could not be drawn: {said[-1][:300] if said else done.returncode}")
    return done.stdout
