"""The lines of a CoNLL file, parted into sentences: where one begins and ends, and what a line is made of.

Every line of the file goes to exactly one sentence, as it stands; `conll` makes records of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from datasets_app.codecs.lines import BOM, numbered
from datasets_app.records import TEXT_MAX

DOCSTART = "-DOCSTART-"
BLANKS = " \t\r\n"
ROWS_MAX = 200_000  # token lines of one sentence; more means that the blank lines are missing
CHARACTERS_MAX = 16 * TEXT_MAX  # of one record's lines, other columns included: what is held in memory
_TAG = re.compile(r"O|[BIESLU]-.+")


@dataclass(slots=True)
class Sentence:
    """The lines of one sentence as they stand: what precedes it, its token lines, the blank lines after it."""

    line: int = 0  # of the first token
    head: list[str] = field(default_factory=list)
    rows: list[str | None] = field(default_factory=list)  # None: a line over the limit
    tail: list[str] = field(default_factory=list)
    size: int = 0  # characters of the token lines

    @property
    def overfull(self) -> bool:
        """Whether it is over a limit; what then follows of it is not kept."""
        return len(self.rows) > ROWS_MAX or self.size > CHARACTERS_MAX

    @property
    def docstart(self) -> str | None:
        """Its -DOCSTART- line, if it begins a document."""
        return next((line for line in reversed(self.head) if line.startswith(DOCSTART)), None)


class Row(NamedTuple):
    """A token line in five parts that make up the line again. (A tuple: a file has millions of them.)"""

    before: str
    token: str
    between: str
    tag: str
    after: str
    columns: int


def sentences_of(path: Path, *, columns: int) -> Iterator[Sentence]:
    """The sentences of a file; `columns` is the usual number of columns, 0 if it is not known yet."""
    current, ready = Sentence(), None
    with path.open("rb") as stream:
        if stream.read(len(BOM)) == BOM:
            current.head.append("\ufeff")
        stream.seek(0)
        for number, line in numbered(stream):
            if line is not None and not line.strip(BLANKS):
                (current.tail if current.rows else current.head).append(line)
                continue
            if current.tail:
                if ready:
                    yield ready
                current, ready = Sentence(), current
            if line is not None and not current.rows and _is_remark(line, columns):
                current.head.append(line)
            elif not current.overfull:
                current.line = current.line or number
                current.rows.append(line)
                current.size += len(line or "")
    if current.rows:
        if ready:
            yield ready
        yield current
    elif ready:
        ready.tail += current.head
        yield ready


def is_tag(value: str) -> bool:
    """Whether it is a tag of any scheme."""
    return _TAG.fullmatch(value) is not None


def _is_remark(line: str, columns: int) -> bool:
    """A -DOCSTART- line or a comment; a token `#` with its columns and a tag is neither."""
    if line.startswith(DOCSTART):
        parts = line.split()
        return parts[0] == DOCSTART and (len(parts) == 1 or parts[-1] == "O" or not is_tag(parts[-1]))
    if not line.startswith("# ") and line.rstrip(BLANKS) != "#":
        return False
    row = split(line)
    return bool(columns and row.columns != columns) or not is_tag(row.tag)


def split(line: str) -> Row:
    body = line.rstrip(BLANKS)
    after = line[len(body) :]
    if "\t" in body:
        first, last = body.index("\t"), body.rindex("\t") + 1
        tag = body[last:].lstrip(" ")
        between = body[first : len(body) - len(tag)]
        return Row("", body[:first], between, tag, after, body.count("\t") + 1)
    inner = body.lstrip(" ")
    before, parts = body[: len(body) - len(inner)], [part for part in inner.split(" ") if part]
    if len(parts) < 2:
        return Row(before, inner, "", "", after, len(parts))
    token, tag = parts[0], parts[-1]
    return Row(before, token, inner[len(token) : len(inner) - len(tag)], tag, after, len(parts))
