"""CoNLL files in: one token a line, its tag in the last column, blank lines between sentences.

Columns are parted by tabs, or by blanks where a line has no tab; -DOCSTART- and `# ` lines at the head of
a sentence are kept as layout. What a record remembers of its lines (`layout`) is exactly what
`conll_out.render` needs to give the same bytes back, and None where the plain form already does.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_app.codecs import conll_out
from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.codecs.conll_lines import (
    BLANKS,
    CHARACTERS_MAX,
    NO_TAGS,
    ROWS_MAX,
    Row,
    Sentence,
    columns_of,
    is_no_token,
    sentences_of,
    split,
)
from datasets_app.codecs.lines import too_long
from datasets_app.records import TEXT_MAX, Failure, ReadOptions, Record, Refused, Survey, ascii_safe, shown
from labeling import bio, tokens
from labeling.errors import Invalid


def survey(path: Path, options: ReadOptions) -> Survey:
    """Find the tag scheme and the usual number of columns; raises `Invalid` for a unit that the file has not."""
    evidence, columns = bio.SchemeEvidence(), Counter[int]()
    token, tag = columns_of(path)
    sentences = blocks = outside = 0
    for sentence in sentences_of(path, columns=0):
        sentences += 1
        blocks += sentence.docstart is not None
        outside += not blocks
        rows = [row for row in sentence.rows if row is not None]
        columns[split(rows[0], token, tag).columns if rows else 2] += len(rows)
        if token or tag != -1:
            parts = (split(row, token, tag) for row in rows)
            evidence.add(part.tag for part in parts if not is_no_token(part))
        else:
            evidence.add((row.rsplit(None, 1) or [""])[-1] for row in rows)
    if options.unit == "document" and not blocks:
        raise Invalid(
            "The file has no -DOCSTART- lines, so its documents are unknown; import it with unit=sentence.",
            code="no_docstart",
        )
    records = blocks + outside if options.unit == "document" else sentences
    usual = columns.most_common(1)[0][0] if columns else 2
    return Survey(records, evidence.scheme, usual if tag == NO_TAGS else max(usual, 2), blocks, token, tag)


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """The file's sentences, or its -DOCSTART- blocks, one record each."""
    for block in _blocks(path, options, found):
        try:
            if block.overfull:
                raise _too_long()
            yield _record(block.sentences, options, found, block.group)
        except Refused as refused:
            yield refused.at(block.sentences[0].line)


@dataclass(slots=True)
class Block:
    """The sentences of one record, and what names the -DOCSTART- document that they belong to."""

    sentences: list[Sentence]
    group: str | None
    size: int = 0

    @property
    def overfull(self) -> bool:
        """Whether it is over the limit; what then follows of it is not kept."""
        return self.size > CHARACTERS_MAX

    def add(self, sentence: Sentence) -> None:
        """One more sentence of the same document."""
        if not self.overfull:
            self.sentences.append(sentence)
            self.size += sentence.size


def _blocks(path: Path, options: ReadOptions, found: Survey) -> Iterator[Block]:
    group, block, number = None, None, 0
    for sentence in sentences_of(path, columns=found.columns):
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
            block.add(sentence)
    if block:
        yield block


def _group(number: int, sentence: Sentence) -> str:
    """A name for a -DOCSTART- document that stays when the file grows: its place and its first sentence."""
    lines = [f"{number} {sentence.docstart}", *(row or "" for row in sentence.rows)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# One record ----------------------------------------------------------------------------------------------


def _record(sentences: Sequence[Sentence], options: ReadOptions, found: Survey, group: str | None) -> Record:
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    tags: list[str] = []
    layouts: list[dict[str, Any] | None] = []
    at = 0
    for sentence in sentences:
        words, own_tags, layout = _plain(sentence, options, found) or _general(sentence, options, found)
        text, own_starts, own_ends = tokens.join(words)
        texts.append(text)
        starts += [at + start for start in own_starts]
        ends += [at + end for end in own_ends]
        at += len(text) + 1  # the line break between two sentences
        tags += own_tags
        layouts.append(layout)
    if at > TEXT_MAX:
        raise _too_long()
    layout = layouts[0]
    if len(sentences) > 1:
        layout = {"sentences": [len(sentence.rows) for sentence in sentences], "parts": layouts}
    return Record(
        line=sentences[0].line,
        text="\n".join(texts),
        grid=(starts, ends),
        tags=tags if _tagged(options, found) else None,
        group=group,
        layout=layout,
    )


def _tagged(options: ReadOptions, found: Survey) -> bool:
    return options.tags and found.tag_column != NO_TAGS


def _too_long() -> Refused:
    return Refused("text_too_long", f"The text has over {TEXT_MAX:,} characters, the most that is taken.")


Read = tuple[Sequence[str], Sequence[str], dict[str, Any] | None]  # a sentence's tokens, tags and layout


def _plain(sentence: Sentence, options: ReadOptions, found: Survey) -> Read | None:
    """A sentence of which each line is a token, a tab and a legal tag; None for any other. The same as `_general`
    gives, in a fraction of the time."""
    if found.columns != 2 or found.token_column or found.tag_column != -1 or sentence.head or sentence.tail != ["\n"]:
        return None
    lines = [row for row in sentence.rows if row is not None]
    body = "".join(lines)
    if len(lines) < len(sentence.rows) or body[-1:] != "\n" or any(mark in body for mark in " \r\0"):
        return None
    cells = [line[:-1].split("\t") for line in lines]
    if {*map(len, cells)} != {2}:
        return None
    words, tags = zip(*cells, strict=True)
    if not all(words) or not all(tags):
        return None
    try:
        decoded = bio.decode(tags, found.scheme) if options.tags else []
    except bio.IllegalTags:
        return None
    return words, decoded, None if found.scheme == "iob2" else {"scheme": found.scheme}


def _general(sentence: Sentence, options: ReadOptions, found: Survey) -> Read:
    rows = _rows(sentence, found)
    tags = _decoded(sentence, rows, found.scheme) if _tagged(options, found) else []
    return [row.token for row in rows], tags, _layout(sentence, rows, found.scheme)


def _rows(sentence: Sentence, found: Survey) -> list[Row]:
    if sentence.overfull:
        raise Refused(
            "too_many_tokens", f"Over {ROWS_MAX:,} token lines follow without a blank line between sentences."
        )
    if any("\0" in line for line in sentence.head):
        raise Refused("nul", "The lines before the sentence hold a NUL character, which no text has; remove it.")
    rows: list[Row] = []
    held = ""  # lines that are no tokens, kept with the next one
    for number, line in enumerate(sentence.rows, sentence.line):
        if line is None:
            raise Refused("line_too_long", too_long(number).message, line=number)
        row = split(line, found.token_column, found.tag_column)
        if complaint := _complaint(line, row, found.columns):
            raise Refused(*complaint, line=number)
        if found.token_column and is_no_token(row):
            held += line
        else:
            rows.append(row._replace(before=held + row.before) if held else row)
            held = ""
    if not rows:
        raise Refused("no_tokens", "The sentence has no token.")
    if held:
        rows[-1] = rows[-1]._replace(after=rows[-1].after + held)
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
        row = rows[error.index]
        message = (
            f"Tag {shown(row.tag)} of token {shown(row.token)} is not legal {scheme.upper()} "
            f"after what stands before it. {ascii_safe(error.message)}"
        )
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


CODEC = Codec(
    "conll",
    "CoNLL: a token a line, its tag in a column",
    Reader(survey, read, (".conll", ".conllu", ".iob", ".iob2", ".bio", ".conll03")),
    Writer(conll_out.write, "conll", "text/plain; charset=utf-8", conll_out.SCHEMES),
)
