"""Labels as people type and paste them, a list of labels with key, color and definition where given; pure.

One a line: `PER [p] #56b4e9 A person's name`, in which only the name must be there; or cells of a table, with tabs
between; or several names on one line, with commas; or JSON: a list of names, or of objects as Goldset and other tools
write them.

>>> read("PER [p] A person\\nORG, LOC")
[{'name': 'PER', 'hotkey': 'p', 'description': 'A person'}, {'name': 'ORG'}, {'name': 'LOC'}]
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labeling.errors import Invalid

NAME_MAX = 100
_KEY = re.compile(r"\[(\S)\]")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SEVERAL = re.compile(r"[^\s,;]+(?:\s*[,;]\s*[^\s,;]+)+[,;]?")
# What tools call them: doccano, Label Studio, Prodigy, Argilla.
_NAMES = ("name", "text", "value", "label")
_KEYS = ("hotkey", "suffix_key", "suffixKey", "key")
_COLORS = ("color", "background_color", "backgroundColor", "background")
_DESCRIPTIONS = ("description", "definition", "title")


def read(text: str) -> list[dict[str, str]]:
    """The labels: `name`, and what is given of `hotkey`, `color`, `description`; raises `Invalid`, naming the line."""
    found: dict[str, dict[str, str]] = {}
    keys: dict[str, str] = {}
    for where, label in _json(text) if text.lstrip().startswith(("[{", '["', "[\n", "[ ")) else _lines(text):
        name, key = label["name"], label.get("hotkey")
        if len(name) > NAME_MAX:
            raise _bad(where, f"a label has at most {NAME_MAX} characters")
        if name in found:
            raise _bad(where, f"the label {name!r} stands here a second time")
        if key and key in keys:
            raise _bad(where, f"the key {key!r} belongs to {keys[key]!r} already")
        found[name] = label
        if key:
            keys[key] = name
    return list(found.values())


def write(labels: Sequence[Mapping[str, str]]) -> str:
    """Labels as a list that `read` reads."""
    parts = [
        (each["name"], f"[{each['hotkey']}]" if each.get("hotkey") else "", each.get("color"), each.get("description"))
        for each in labels
    ]
    return "\n".join(" ".join(part for part in row if part) for row in parts)


def _bad(where: str, why: str) -> Invalid:
    return Invalid(f"{where}: {why}.", code="bad_label", details={"field": "labels", "where": where})


def _lines(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        where = f"Line {number}"
        if "\t" in line:
            yield from ((where, label) for label in _cells([cell.strip() for cell in line.split("\t")]))
        elif _SEVERAL.fullmatch(line.strip()):
            yield from ((where, {"name": name}) for name in re.split(r"\s*[,;]\s*", line.strip()) if name)
        elif line.strip():
            yield where, _line(line.strip())


def _cells(cells: Sequence[str]) -> Iterator[dict[str, str]]:
    if not cells[0]:
        return
    label = {"name": cells[0]}
    for cell in cells[1:]:
        if _COLOR.fullmatch(cell):
            label["color"] = cell
        elif len(cell) == 1 and "hotkey" not in label:
            label["hotkey"] = cell
        elif cell:
            label["description"] = f"{label['description']} {cell}" if "description" in label else cell
    yield label


def _line(line: str) -> dict[str, str]:
    name, _, rest = line.partition(" ")
    label = {"name": name.rstrip(":") or name}
    rest = rest.strip()
    while (first := rest.split(" ", 1)[0]) and (_KEY.fullmatch(first) or _COLOR.fullmatch(first)):
        if key := _KEY.fullmatch(first):
            label["hotkey"] = key[1]
        else:
            label["color"] = first
        rest = rest[len(first) :].strip()
    return label | ({"description": rest} if rest else {})


def _json(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The labels begin like JSON, but are none: {error}", details={"field": "labels"}) from None
    for number, row in enumerate(rows, 1):
        where = f"Item {number}"
        row = {"name": row} if isinstance(row, str) else row
        if not isinstance(row, Mapping):
            raise _bad(where, "this is neither a name nor an object")
        label = {
            field: value
            for field, names in (
                ("name", _NAMES), ("hotkey", _KEYS), ("color", _COLORS), ("description", _DESCRIPTIONS)
            )
            if (value := _first(row, names))
        }  # fmt: skip
        if "name" not in label:
            raise _bad(where, f"it has no name: give one of {', '.join(_NAMES)}")
        if len(label.get("hotkey", "")) > 1:
            del label["hotkey"]
        if not _COLOR.fullmatch(label.get("color", "")):
            label.pop("color", None)  # named colors and short forms: one is chosen
        yield where, label


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((value.strip() for name in names if isinstance(value := row.get(name), str) and value.strip()), "")
