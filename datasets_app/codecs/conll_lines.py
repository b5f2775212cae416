"""The lines of a CoNLL file, parted into sentences: where one begins and ends, and what a line is made of.

Every line of the file goes to exactly one sentence, as it stands; `conll` makes records of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import SEEK_CUR
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from datasets_app.codecs.lines import BOM, lines_from
from datasets_app.records import TEXT_MAX

DOCSTART = "-DOCSTART-"
BLANKS = " \t\r\n"
ROWS_MAX = 200_000  # token lines of one sentence; more means that the blank lines are missing
CHARACTERS_MAX = 16 * TEXT_MAX  # of one record's lines, other columns included: what is held in memory
STRETCH = 1 << 16  # bytes that are looked at together: far less than a sentence or a line may have
_BLANK_BYTES = BLANKS.encode()
_NO_TOKEN = b" \t\r\n#"  # how a line begins that is no token line, or may be none
_IRREGULAR = (b"\r", b"\n ", b"\n\t", b"\n\n\n", b"\n#", DOCSTART.encode())
NO_TAGS = 0  # in the place of a tag's column, which counts from the end
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
    current, ready, number = Sentence(), None, 0
    with path.open("rb") as stream:
        if stream.read(len(BOM)) == BOM:
            current.head.append("\ufeff")
        else:
            stream.seek(0)
        while stretch := stream.read(STRETCH):
            end = _end_of_sentences(stretch)
            stream.seek(-len(stretch), SEEK_CUR)
            if _is_regular(stretch[:end]) and (current.tail or current == Sentence()):
                for sentence in _regular(stream.read(end), number):
                    if ready:
                        yield ready
                    current, ready = sentence, current if current.rows else None
                number += stretch.count(b"\n", 0, end)
                continue
            lines = lines_from(stream, number)
            for number, line in islice(lines, stretch.count(b"\n", 0, end or len(stretch)) or 1):
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


def _end_of_sentences(stretch: bytes) -> int:
    """Where the last sentence ends that ends for sure: behind an empty line that another line follows; 0 for none."""
    end = stretch.rfind(b"\n\n", 0, len(stretch) - 1) + 2
    return end if end > 1 and stretch[end] not in _BLANK_BYTES else 0


def _is_regular(stretch: bytes) -> bool:
    """Whether one empty line stands between any two sentences, and nothing but token lines elsewhere."""
    return bool(stretch) and stretch[0] not in _NO_TOKEN and not any(mark in stretch for mark in _IRREGULAR)


def _regular(stretch: bytes, number: int) -> Iterator[Sentence]:
    for body in stretch.decode()[:-2].split("\n\n"):
        rows: list[str | None] = [f"{row}\n" for row in body.split("\n")]
        yield Sentence(number + 1, [], rows, ["\n"], len(body) + 1)
        number += len(rows) + 1


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


def split(line: str, token_column: int = 0, tag_column: int = -1) -> Row:
    """The parts of a token line; the token is the first column and the tag the last unless others are named."""
    if tag_column == NO_TAGS:
        return _untagged(line, token_column)
    if token_column or tag_column != -1:
        return _split_at(line, token_column, tag_column)
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


def _untagged(line: str, token_column: int) -> Row:
    """A line of a file without tags: when it goes out, one stands behind its last column."""
    body = line.rstrip(BLANKS)
    cells = body.split("\t") if "\t" in body else body.split(" ")
    if token_column >= len(cells):
        return Row("", "", body, "", line[len(body) :], len(cells))
    before = sum(len(cell) + 1 for cell in cells[:token_column])
    token, parted = cells[token_column], " " if "\t" not in body and len(cells) > 1 else "\t"
    return Row(body[:before], token, body[before + len(token) :] + parted, "", line[len(body) :], len(cells))


_CELL = {True: re.compile(r"[^\t]*"), False: re.compile(r"[^ ]+")}


def _split_at(line: str, token_column: int, tag_column: int) -> Row:
    body = line.rstrip(BLANKS)
    cells = [match.span() for match in _CELL["\t" in body].finditer(body)]
    if "\t" in body:  # an empty match stands at the end of each cell that is not empty
        cells = [cell for index, cell in enumerate(cells) if not (index and cell[0] == cells[index - 1][1])]
    tag_at = tag_column % len(cells) if cells else 0
    if tag_at <= token_column or token_column >= len(cells):
        return Row("", body, "", "", line[len(body) :], len(cells))
    (start, end), (begin, close) = cells[token_column], cells[tag_at]
    return Row(body[:start], body[start:end], body[end:begin], body[begin:close], line[close:], len(cells))


def is_no_token(row: Row) -> bool:
    """Whether it is a line of CoNLL-U that is no token: a range of words (`1-2`) or an empty node (`1.1`)."""
    return _RANGE.fullmatch(row.before.strip(BLANKS).split("\t")[0].split(" ")[0]) is not None


_RANGE = re.compile(r"\d+[-.]\d+")
_SAMPLE = 2000  # token lines


def columns_of(path: Path) -> tuple[int, int]:
    """Where tokens and tags stand, told from the first lines: first and last, unless other columns look more so.

    A first column of numbers is CoNLL-U's; of the columns behind the token's, the last that holds only tags is theirs.
    Tokens alone, and CoNLL-U in which no column holds tags, are texts without labels (`NO_TAGS`).
    """
    sample: list[list[str]] = []
    for sentence in sentences_of(path, columns=0):
        sample += [_cells(row) for row in sentence.rows if row is not None]
        if len(sample) >= _SAMPLE:
            break
    usual = max(map(len, sample), key=[len(cells) for cells in sample].count, default=0) if sample else 0
    rows = [cells for cells in sample if len(cells) == usual]
    if usual < 3:
        return 0, NO_TAGS if usual == 1 else -1
    token = int(all(_NUMBER.fullmatch(cells[0]) for cells in rows))
    rows = [cells for cells in rows if not (token and _RANGE.fullmatch(cells[0]))]
    if all(is_tag(cells[-1]) for cells in rows):
        return token, -1
    tagged = [at for at in range(token + 1, usual) if all(is_tag(cells[at]) for cells in rows)]
    return token, tagged[-1] - usual if tagged else NO_TAGS if token else -1


_NUMBER = re.compile(r"\d+(?:[-.]\d+)?")


def _cells(line: str) -> list[str]:
    body = line.rstrip(BLANKS)
    return body.split("\t") if "\t" in body else body.split()
