"""What a codec reads from a file and a writer puts into one: plain values, no Django.

A `Record` is one text to label as the file gives it; a `Failure` is one that cannot be taken, with its
line. A `Gold` is one labelled text on its way out. Offsets are code points, ranges half-open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LINE_BYTES_MAX = 4_000_000
TEXT_MAX = 1_000_000  # code points of one text
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, order=True)
class CharSpan:
    """A labelled range `[start, end)` of a text's code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Record:
    """One text of a file. Without `grid`, the project's tokenizer makes it; without `tags` or `spans`, unlabelled."""

    line: int
    text: str
    grid: tuple[Sequence[int], Sequence[int]] | None = None
    tags: Sequence[str] | None = None  # one per token of the grid, in the file's scheme
    spans: Sequence[CharSpan] | None = None
    key: str | None = None
    split: str | None = None
    group: str | None = None  # what else must share its split; None: only its own duplicates
    meta: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One record that cannot be taken: where it begins, and why."""

    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first pass over a file found: how many records it holds, and what they have in common."""

    records: int
    scheme: str = "iob2"
    columns: int = 0  # of most token lines of a CoNLL file
    blocks: int = 0  # -DOCSTART- lines


@dataclass(frozen=True, slots=True)
class Gold:
    """One labelled text on its way out."""

    key: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    tags: Sequence[str]
    split: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] | None = None

    @property
    def tokens(self) -> list[str]:
        """The tokens as strings."""
        return [self.text[start:end] for start, end in zip(self.starts, self.ends, strict=True)]


def shown(value: str, limit: int = 60) -> str:
    """A value as a message quotes it: one short line whatever it holds."""
    return repr(value if len(value) <= limit else value[:limit] + "…")
