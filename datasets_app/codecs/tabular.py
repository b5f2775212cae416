"""CSV files in: a header with a column `text`; `id` and `split` are understood, other columns become meta.

The delimiter (comma, semicolon or tab) is the one that the header holds most of.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets_app.codecs.codec import Codec, Reader
from datasets_app.codecs.lines import numbered, too_long
from datasets_app.records import LINE_BYTES_MAX, Failure, ReadOptions, Record, Refused, Survey, shown
from labeling.errors import Invalid

csv.field_size_limit(LINE_BYTES_MAX)


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the rows; raises `Invalid` if the header has no column `text`."""
    return Survey(sum(1 for _ in read(path, options, Survey(0))))


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a row."""
    with path.open("rb") as stream:
        source = _Lines(numbered(stream))
        first = next(source, "")
        header = _header(first)
        rows = csv.reader(source, delimiter=_delimiter(first), strict=True)
        while True:
            source.begin()
            try:
                row = next(rows)
            except StopIteration:
                yield from source.too_long
                return
            except csv.Error as error:
                yield Failure(source.started, "bad_csv", f"Not a row of CSV: {error}. Is a quote not closed?")
                continue
            yield from source.too_long
            if row:
                yield _record(source.started, header, row)


class _Lines:
    """Lines for the csv reader, which remembers where a row began and which lines were too long for it."""

    def __init__(self, lines: Iterator[tuple[int, str | None]]) -> None:
        self.lines = lines
        self.started = 0
        self.too_long: list[Failure] = []

    def begin(self) -> None:
        """The next line asked for begins a row."""
        self.started, self.too_long = 0, []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        for number, line in self.lines:
            if line is not None:
                self.started = self.started or number
                return line
            self.too_long.append(too_long(number))
        raise StopIteration


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _header(line: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    if "text" not in names:
        listed = ", ".join(shown(name) for name in names)
        raise Invalid(
            f"The first line has no column `text`; its columns are {listed}. Name the column of the texts `text`.",
            code="no_text_column",
        )
    if len(set(names)) < len(names):
        raise Invalid("The first line names a column twice; give each its own name.", code="bad_header")
    return names


def _record(line: int, header: Sequence[str], row: Sequence[str]) -> Record | Failure:
    if len(row) != len(header):
        message = f"The row has {len(row)} fields; the header names {len(header)} columns."
        return Failure(line, "wrong_columns", message)
    values: dict[str, Any] = dict(zip(header, row, strict=True))
    try:
        if any("\0" in value for value in row):
            raise Refused("nul", "The row holds a NUL character, which no text has; remove it.")
        text, key, split = values.pop("text"), values.pop("id", "") or None, values.pop("split", "") or None
    except Refused as refused:
        return refused.at(line)
    return Record(line, text, key=key, split=split, meta=values)


CODEC = Codec("csv", "CSV or TSV: a text a row", Reader(survey, read, (".csv", ".tsv")))
