"""The process in which `labeling.drawing` draws: a task on standard input, what was made on standard output."""

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

import vl_convert


def main() -> None:
    """Draw each specification, or put together the browser's library."""
    task = json.load(sys.stdin)
    if task["format"] == "library":
        made = vl_convert.javascript_bundle("export { vegaEmbed };")
    else:
        drawn = [base64.b64encode(_DRAW[task["format"]](spec)).decode() for spec in task["specs"]]
        made = json.dumps(drawn)
    sys.stdout.buffer.write(made.encode())


_DRAW: dict[str, Callable[[Any], bytes]] = {
    "svg": lambda spec: vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode(),
    "png": lambda spec: vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[]),
}

if __name__ == "__main__":
    main()
