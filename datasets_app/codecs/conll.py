"""CoNLL files in: one token a line, its tag in the last column, blank lines between sentences.

Columns are parted by tabs, or by blanks where a line has no tab; -DOCSTART- and `# ` lines at the head of
a sentence are kept as layout. What a record remembers of its lines (`layout`) is exactly what
`conll_out.render` needs to give the same bytes back, and None where the plain form already does.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from datasets_app.codecs.lines import BOM, numbered, too_long
from datasets_app.records import TEXT_MAX, Failure, ReadOptions, Record, Refused, Survey, ascii_safe, shown
from labeling import bio, tokens
from labeling.errors import Invalid

DOCSTART = "-DOCSTART-"
BLANKS = " \t\r\n"
ROWS_MAX = 200_000  # token lines of one sentence; more means that the blank lines are missing
_TAG = re.compile(r"O|[BIESLU]-.+")


@dataclass(slots=True)
class Sentence:
    """The lines of one sentence as they stand: what precedes it, its token lines, the blank lines after it."""

    line: int = 0  # of the first token
    head: list[str] = field(default_factory=list)
    rows: list[str | None] = field(default_factory=list)  # None: a line over the limit
    tail: list[str] = field(default_factory=list)

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


def survey(path: Path, options: ReadOptions) -> Survey:
    """Find the tag scheme and the usual number of columns; raises `Invalid` for a unit that the file has not."""
    evidence, columns = bio.SchemeEvidence(), Counter[int]()
    sentences = blocks = outside = 0
    for sentence in _sentences(path, columns=0):
        sentences += 1
        blocks += sentence.docstart is not None
        outside += not blocks
        rows = [row for row in sentence.rows if row is not None]
        columns[_split(rows[0]).columns if rows else 2] += len(rows)
        evidence.add((row.rsplit(None, 1) or [""])[-1] for row in rows)
    if options.unit == "document" and not blocks:
        raise Invalid(
            "The file has no -DOCSTART- lines, so its documents are unknown; import it with unit=sentence.",
            code="no_docstart",
        )
    records = blocks + outside if options.unit == "document" else sentences
    usual = columns.most_common(1)[0][0] if columns else 2
    return Survey(records, evidence.scheme, max(usual, 2), blocks)


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """The file's sentences, or its -DOCSTART- blocks, one record each."""
    for block in _blocks(path, options, found):
        try:
            yield _record(block.sentences, options, found, block.group)
        except Refused as refused:
            yield refused.at(block.sentences[0].line)


@dataclass(slots=True)
class Block:
    """The sentences of one record, and what names the -DOCSTART- document that they belong to."""

    sentences: list[Sentence]
    group: str | None


def _blocks(path: Path, options: ReadOptions, found: Survey) -> Iterator[Block]:
    group, block, number = None, None, 0
    for sentence in _sentences(path, columns=found.columns):
        if begins := sentence.docstart is not None:
            number += 1
            group = _group(number, sentence)
        if group is None or options.unit == "sentence":
            yield Block([sentence], group)
        elif begins or block is None:
            if block:
                yield block
            block = Block([sentence], group)
        else:
            block.sentences.append(sentence)
    if block:
        yield block


def _group(number: int, sentence: Sentence) -> str:
    """A name for a -DOCSTART- document that stays when the file grows: its place and its first sentence."""
    lines = [f"{number} {sentence.docstart}", *(row or "" for row in sentence.rows)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sentences(path: Path, *, columns: int) -> Iterator[Sentence]:
    """Part the lines; every line of the file goes to exactly one sentence."""
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
            elif len(current.rows) <= ROWS_MAX:
                current.line = current.line or number
                current.rows.append(line)
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
    row = _split(line)
    return bool(columns and row.columns != columns) or not is_tag(row.tag)


def _split(line: str) -> Row:
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


# One record ----------------------------------------------------------------------------------------------


def _record(sentences: Sequence[Sentence], options: ReadOptions, found: Survey, group: str | None) -> Record:
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    tags: list[str] = []
    layouts: list[dict[str, Any] | None] = []
    at = 0
    for sentence in sentences:
        rows = _rows(sentence, found.columns)
        text, own_starts, own_ends = tokens.join([row.token for row in rows])
        texts.append(text)
        starts += [at + start for start in own_starts]
        ends += [at + end for end in own_ends]
        at += len(text) + 1  # the line break between two sentences
        if options.tags:
            tags += _decoded(sentence, rows, found.scheme)
        layouts.append(_layout(sentence, rows, found.scheme))
    if at > TEXT_MAX:
        raise Refused("text_too_long", f"The text has over {TEXT_MAX:,} characters, the most that is taken.")
    layout = layouts[0]
    if len(sentences) > 1:
        layout = {"sentences": [len(sentence.rows) for sentence in sentences], "parts": layouts}
    return Record(
        line=sentences[0].line,
        text="\n".join(texts),
        grid=(starts, ends),
        tags=tags if options.tags else None,
        group=group,
        layout=layout,
    )


def _rows(sentence: Sentence, columns: int) -> list[Row]:
    if len(sentence.rows) > ROWS_MAX:
        raise Refused(
            "too_many_tokens", f"Over {ROWS_MAX:,} token lines follow without a blank line between sentences."
        )
    if any("\0" in line for line in sentence.head):
        raise Refused("nul", "The lines before the sentence hold a NUL character, which no text has; remove it.")
    rows = []
    for number, line in enumerate(sentence.rows, sentence.line):
        if line is None:
            raise Refused("line_too_long", too_long(number).message, line=number)
        row = _split(line)
        if complaint := _complaint(line, row, columns):
            raise Refused(*complaint, line=number)
        rows.append(row)
    return rows


def _complaint(line: str, row: Row, columns: int) -> tuple[str, str] | None:
    if row.columns == columns and row.token and "\0" not in line:
        return None
    quoted = shown(line.rstrip(BLANKS))
    if "\0" in line:
        return "nul", f"The line {quoted} holds a NUL character, which no text has; remove it."
    if row.columns != columns:
        return "wrong_columns", f"The line {quoted} has {row.columns} columns; the file's lines have {columns}."
    return "empty_token", f"The line {quoted} has no token before its tag."


def _decoded(sentence: Sentence, rows: Sequence[Row], scheme: str) -> list[str]:
    try:
        return bio.decode([row.tag for row in rows], scheme)
    except bio.IllegalTags as error:
        line = sentence.line + error.index
        message = f"Tag {shown(rows[error.index].tag)} of token {shown(rows[error.index].token)} is not legal"
        message = f"{message} {scheme.upper()} after what stands before it. {ascii_safe(error.message)}"
        raise Refused("illegal_tag", message, line=line) from None


def _layout(sentence: Sentence, rows: Sequence[Row], scheme: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    if sentence.head:
        found["head"] = "".join(sentence.head)
    if sentence.tail != ["\n"]:
        found["tail"] = "".join(sentence.tail)
    for name, plain in (("before", ""), ("between", "\t"), ("after", "\n")):
        values = [getattr(row, name) for row in rows]
        if len(set(values)) > 1:
            found[name] = values
        elif values[0] != plain:
            found[name] = values[0]
    if scheme != "iob2":
        found["scheme"] = scheme
    return found or None
