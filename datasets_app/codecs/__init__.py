"""File formats, each a row of a table: adding one is adding a module and a row here.

A reader surveys a file, then yields a `Record` or a `Failure` for each of its records; a writer turns
`Gold` rows into chunks of bytes. Both are streams.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from datasets_app.codecs import conll, conll_out, jsonl, plain, tabular
from datasets_app.codecs.conll_lines import is_tag
from datasets_app.records import Failure, Gold, ReadOptions, Record, Survey
from labeling import bio
from labeling.errors import Invalid


@dataclass(frozen=True, slots=True)
class Reader:
    """How a format is read, and the endings of its files' names."""

    survey: Callable[[Path, ReadOptions], Survey]
    read: Callable[[Path, ReadOptions, Survey], Iterator[Record | Failure]]
    endings: tuple[str, ...]


class Write(Protocol):
    """Turns rows into the bytes of a file."""

    def __call__(self, rows: Iterable[Gold], *, scheme: str) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Writer:
    """How a text format is written."""

    write: Write
    ending: str
    media_type: str
    schemes: tuple[str, ...]


READERS: Mapping[str, Reader] = {
    "conll": Reader(conll.survey, conll.read, (".conll", ".iob", ".iob2", ".bio", ".conll03")),
    "jsonl": Reader(jsonl.survey, jsonl.read, (".jsonl", ".ndjson", ".json")),
    "txt": Reader(plain.survey, plain.read, (".txt", ".text")),
    "csv": Reader(tabular.survey, tabular.read, (".csv", ".tsv")),
}
WRITERS: Mapping[str, Writer] = {
    "conll": Writer(conll_out.write, "conll", "text/plain; charset=utf-8", conll_out.SCHEMES),
    "jsonl": Writer(jsonl.write, "jsonl", "application/x-ndjson", bio.SCHEMES),
}


def reader_for(name: str) -> Reader:
    """The reader of a format; raises `Invalid` with the names that there are."""
    if name not in READERS:
        known = ", ".join(READERS)
        raise Invalid(f"Format {name!r} is not known; use one of: {known}.", details={"field": "format"})
    return READERS[name]


def recognize(file_name: str, head: bytes) -> str:
    """The format that a file's name or else its beginning speaks for; raises `Invalid` if neither does."""
    lines = [line for line in head.decode("utf-8", "replace").lstrip("\ufeff").splitlines() if line.strip()]
    if lines and _is_object(lines[0]):
        return "jsonl"
    ending = Path(file_name).suffix.lower()
    for name, reader in READERS.items():
        if ending in reader.endings and not (name == "txt" and _has_tags(lines)):
            return name
    if _has_tags(lines):
        return "conll"
    raise Invalid(
        f"The format of {file_name!r} cannot be told from its name or content; choose one.",
        code="unknown_format",
        details={"field": "format"},
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return line.startswith('{"')  # a line that is longer than the head


def _has_tags(lines: list[str]) -> bool:
    tokens = [line.split() for line in lines[:50] if not line.startswith("#")]
    return bool(tokens) and all(len(parts) > 1 and is_tag(parts[-1]) for parts in tokens[:-1] or tokens)
