"""CSV and TSV files in: a column of texts; an id and a split are understood, other columns become meta.

The columns are `text`, `id` and `split` by the names in the header, unless the import names others. If it gives the
column of the texts as a number, from 1, and no column is called so, then the file has no header. The delimiter
(comma, semicolon or tab) is the one that the first line holds most of.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_app.codecs.codec import Codec, Reader
from datasets_app.codecs.lines import numbered, too_long
from datasets_app.records import LINE_BYTES_MAX, Failure, ReadOptions, Record, Refused, Survey, shown
from labeling.errors import Invalid

csv.field_size_limit(LINE_BYTES_MAX)


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the rows; raises `Invalid` if a column that is asked for is not there, or a field does not end."""
    return Survey(sum(1 for _ in read(path, options, Survey(0))))


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a row."""
    with path.open("rb") as stream:
        source = _Lines(numbered(stream))
        first = next(source, "")
        columns = _columns(first, options)
        yield from source.too_long
        if not columns.header:
            source.again(first)
        rows = csv.reader(source, delimiter=_delimiter(first), strict=True)
        while True:
            source.begin()
            try:
                row = next(rows)
            except StopIteration:
                yield from source.too_long
                return
            except csv.Error as error:
                if "field limit" in str(error):  # what follows would be taken for rows
                    raise _endless(source.started) from error
                yield Failure(source.started, "bad_csv", f"Not a row of CSV: {error}. Is a quote not closed?")
                continue
            yield from source.too_long
            if row:
                yield _record(source.started, columns, row)


def _endless(line: int) -> Invalid:
    return Invalid(
        f"The field that begins on line {line:,} does not end within {LINE_BYTES_MAX:,} characters."
        " Is a quote not closed? Nothing has been imported.",
        code="bad_csv",
        details={"line": line},
    )


class _Lines:
    """Lines for the csv reader, which remembers where a row began and which lines were too long for it."""

    def __init__(self, lines: Iterator[tuple[int, str | None]]) -> None:
        self.lines = lines
        self.started = 0
        self.too_long: list[Failure] = []
        self.held: str | None = None

    def begin(self) -> None:
        """The next line asked for begins a row."""
        self.started, self.too_long = 0, []

    def again(self, line: str) -> None:
        """The first line is to come once more."""
        self.held = line

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.held is not None:
            line, self.held, self.started = self.held, None, 1
            return line
        for number, more in self.lines:
            if more is not None:
                self.started = self.started or number
                return more
            self.too_long.append(too_long(number))
        raise StopIteration


@dataclass(frozen=True, slots=True)
class _Columns:
    """The names of the columns, and which of them hold the text, the id and the split."""

    names: Sequence[str]
    text: str
    key: str
    split: str
    header: bool = True


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(line: str, options: ReadOptions) -> _Columns:
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    except csv.Error as error:
        raise Invalid(f"The first line is not one of CSV: {error}.", code="bad_header") from error
    asked = options.text_column
    if asked.isdecimal() and asked not in names:
        names = [str(number) for number in range(1, len(names) + 1)]
        _require(names, "text_column", asked)
        return _Columns(names, asked, options.id_column, options.split_column, header=False)
    _require(names, "text_column", asked or "text")
    for field in ("id_column", "split_column"):
        if name := getattr(options, field):
            _require(names, field, name)
    if len(set(names)) < len(names):
        raise Invalid("The first line names a column twice; give each its own name.", code="bad_header")
    return _Columns(names, asked or "text", options.id_column or "id", options.split_column or "split")


def _require(names: Sequence[str], field: str, name: str) -> None:
    if name not in names:
        listed = ", ".join(shown(each) for each in names)
        raise Invalid(
            f"The first line has no column {shown(name)}; its columns are {listed}. Say in `{field}` which one it is.",
            code="no_text_column" if field == "text_column" else "no_column",
            details={"field": field, "columns": list(map(shown, names[:100]))},
        )


def _record(line: int, columns: _Columns, row: Sequence[str]) -> Record | Failure:
    if len(row) != len(columns.names):
        first = "header names" if columns.header else "first row has"
        message = f"The row has {len(row)} fields; the {first} {len(columns.names)} columns."
        return Failure(line, "wrong_columns", message)
    values: dict[str, Any] = dict(zip(columns.names, row, strict=True))
    try:
        if any("\0" in value for value in row):
            raise Refused("nul", "The row holds a NUL character, which no text has; remove it.")
    except Refused as refused:
        return refused.at(line)
    text = values.pop(columns.text)
    key, split = (values.pop(name, "") or None for name in (columns.key, columns.split))
    return Record(line, text, key=key, split=split, meta=values)


CODEC = Codec("csv", "CSV or TSV: a text a row", Reader(survey, read, (".csv", ".tsv")))
