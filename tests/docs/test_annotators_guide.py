"""The annotator's guide names every key of the annotate page."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", " ": "Space"}


def test_every_key_is_named() -> None:
    source = (ROOT / "static" / "js" / "annotate" / "keys.js").read_text(encoding="utf-8")
    table = source.split("COMMANDS = {", 1)[1].split("};", 1)[0]
    keys = re.findall(r'^\s*"?([^":]+)"?: "', table, flags=re.M)
    assert len(keys) > 10
    guide = (ROOT / "docs" / "annotators.md").read_text(encoding="utf-8")
    assert [key for key in keys if f"`{SHOWN.get(key, key)}`" not in guide] == []
