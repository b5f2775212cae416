"""What a codec reads from a file and a writer puts into one: plain values, no Django.

A `Record` is one text to label as the file gives it; a `Failure` is one that cannot be taken, with its
line. A `Gold` is one labeled text on its way out. Offsets are code points, ranges half-open.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LINE_BYTES_MAX = 4_000_000
TEXT_MAX = 1_000_000  # code points of one text
KEY_MAX = 200
SPLITS = {
    "train": "train",
    "validation": "validation",
    "test": "test",
    "dev": "validation",
    "valid": "validation",
    "val": "validation",
}


class CharSpan(NamedTuple):
    """A labeled range `[start, end)` of a text's code points. (A tuple: an import makes millions of them.)"""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Record:
    """One text of a file. Without `grid`, the project's tokenizer makes it; without `tags` or `spans`, unlabeled."""

    line: int
    text: str
    grid: tuple[Sequence[int], Sequence[int]] | None = None
    tags: Sequence[str] | None = None  # IOB2, one per token of the grid
    spans: Sequence[CharSpan] | None = None
    key: str | None = None
    split: str | None = None
    group: str | None = None  # what else must share its split; None: only its own duplicates
    meta: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] | None = None
    remarks: Sequence[tuple[str, str]] = ()  # code and message of what is reported though the record is taken


@dataclass(frozen=True, slots=True)
class Failure:
    """One record that cannot be taken: where it begins, and why. With `taken`, only something of it is left out."""

    line: int
    code: str
    message: str
    taken: bool = False


class Refused(Exception):
    """Raised while one record is read; caught where records are yielded, and turned into its `Failure`."""

    def __init__(self, code: str, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.line = code, message, line

    def at(self, line: int) -> Failure:
        """The failure, at the line that it names itself or else at this one."""
        return Failure(self.line or line, self.code, self.message)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first pass over a file found: how many records it holds, and what they have in common."""

    records: int
    scheme: str = "iob2"
    columns: int = 0  # of most token lines of a CoNLL file
    blocks: int = 0  # -DOCSTART- lines of a CoNLL file
    token_column: int = 0  # of a CoNLL file
    tag_column: int = -1  # from the end
    parts: Sequence[Mapping[str, Any]] = ()  # of an archive: {name, format, lines, survey} of each file


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be read: `unit` is `sentence` or `document` (a -DOCSTART- block as one text)."""

    unit: str = "sentence"
    tags: bool = True  # False: labels are not looked at
    suggestions: bool = False  # True: of a text that nobody has labeled, what a model suggested is taken for its labels
    offsets: str = "auto"  # or `code_points` or `utf16`: what the file's character offsets count
    tag_names: tuple[str, ...] = ()  # what numbered tags stand for
    text_column: str = ""  # of a table: the column of the texts, by name or by number from 1
    id_column: str = ""
    split_column: str = ""


@dataclass(frozen=True, slots=True)
class Gold:
    """One labeled text on its way out; `tags` are IOB2."""

    key: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    tags: Sequence[str]
    split: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] | None = None

    @classmethod
    def of_row(cls, *row: Any) -> "Gold":
        """From a database row of the fields in their order, with `meta` and `layout` as JSON text."""
        key, text, starts, ends, tags, split, meta, layout = row
        held = {} if meta == "{}" else json.loads(meta)
        return cls(key, text, starts, ends, tags, split, held, layout and json.loads(layout))

    @property
    def tokens(self) -> list[str]:
        """The tokens as strings."""
        return [self.text[start:end] for start, end in zip(self.starts, self.ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Whole:
    """One text on its way out with all that people and models said about it."""

    key: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    split: str
    meta: Mapping[str, Any]
    status: str
    archived: bool
    came_in: Mapping[str, Any]  # {job, file, line, at}
    annotations: Sequence[Mapping[str, Any]]  # rows, the accepted one first; tags are IOB2
    suggestions: Sequence[Mapping[str, Any]]  # {model, tags, confidences, at}

    def gold(self, tags: Sequence[str]) -> Gold:
        """The text with these tags."""
        return Gold(self.key, self.text, self.starts, self.ends, tags, self.split, self.meta)

    @property
    def accepted(self) -> Mapping[str, Any] | None:
        """Its gold annotation, if one is accepted."""
        return next((row for row in self.annotations if row["accepted"]), None)


def storable(record: Record) -> Record | Failure:
    """The record, or its failure where it holds what neither a database nor UTF-8 takes. Whatever codec read it."""
    parts = (record.text, record.key or "", *(json.dumps(held, ensure_ascii=False) for held in _held(record)))
    if any("\0" in part or "\\u0000" in part for part in parts[1:]) or "\0" in record.text:
        return Failure(record.line, "nul", "The text, id or meta holds a NUL character, which no text has; remove it.")
    try:
        for part in parts:
            part.encode()
    except UnicodeEncodeError as error:
        half = shown(error.object[error.start])
        return Failure(
            record.line, "lone_surrogate", f"There is half a surrogate pair ({half}), which is no character."
        )
    return record


def _held(record: Record) -> list[Mapping[str, Any]]:
    return [held for held in (record.meta, record.layout) if held]


def shown(value: object, limit: int = 60) -> str:
    """A value as a message quotes it: one short line whatever it holds."""
    text = value if isinstance(value, str) else str(value)
    return ascii_safe(repr(text if len(text) <= limit else text[:limit] + "…"))


def ascii_safe(text: str) -> str:
    """The text with whatever no database can store (lone surrogates, NUL) escaped."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
