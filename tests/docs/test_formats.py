"""The examples in the formats guide are read without a complaint, and the codes that it lists exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasets_app.codecs import READERS, WRITERS
from datasets_app.import_options import DEFAULTS
from datasets_app.records import ReadOptions, Record

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(conll|jsonl|txt|csv)\n(.*?)^```", GUIDE, flags=re.M | re.S)


def test_there_is_an_example_of_each_format() -> None:
    assert {name for name, _ in EXAMPLES} == {name for name, reader in READERS.items() if reader.takes == "text"}


def test_each_format_and_each_option_of_an_import_is_named() -> None:
    assert [name for name in (*READERS, *WRITERS, *DEFAULTS) if f"`{name}`" not in GUIDE] == []


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_is_read_whole(name: str, example: str, tmp_path: Path) -> None:
    path = tmp_path / f"example.{name}"
    path.write_text(example, encoding="utf-8")
    reader, options = READERS[name], ReadOptions()
    found = reader.survey(path, options)
    records = list(reader.read(path, options, found))
    assert records
    assert [record for record in records if not isinstance(record, Record)] == []
    assert len(records) == found.records or name == "csv"


def test_the_codes_of_bad_records_are_those_of_the_code() -> None:
    section = GUIDE.split("### What is reported", 1)[1].split("\n## ", 1)[0]
    listed = set(re.findall(r"`(\w+)`", section))
    assert listed
    missing = {code for code in listed if f'"{code}"' not in "".join(_sources())}
    assert missing == set()


def _sources() -> Iterator[str]:
    for path in (ROOT / "datasets_app").rglob("*.py"):
        yield path.read_text(encoding="utf-8")


def test_the_example_of_a_format_of_ones_own_works(tmp_path: Path) -> None:
    (source,) = re.findall(r"^```python\n(from datasets_app.*?)^```", GUIDE, flags=re.M | re.S)
    held: dict[str, Any] = {}
    exec(source, held)  # noqa: S102 our own page
    path = tmp_path / "a.sub"
    path.write_text("one\n\ntwo\n", encoding="utf-8")
    codec = held["CODEC"]
    found = codec.reader.survey(path, ReadOptions())
    records = list(codec.reader.read(path, ReadOptions(), found))
    assert [getattr(record, "text", None) for record in records] == ["one", None, "two"]
    assert found.records == 3
