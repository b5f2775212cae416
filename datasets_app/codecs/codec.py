"""What a file format is: how it is read, how it is written, and by what it is known.

A format is a module with a `CODEC`. Those of others come in by the entry point group `goldset.codecs`, each
naming such a value. Readers and writers are streams: neither may hold a whole file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from datasets_app.records import Failure, Gold, ReadOptions, Record, Survey, Whole


@dataclass(frozen=True, slots=True)
class Reader:
    """How a format is read.

    `survey` looks through a file once, `read` yields a `Record` or a `Failure` for each of its records.
    `takes` says what they are given: `text` (UTF-8, checked), `binary` (as it is), or `zip` (the archive).
    """

    survey: Callable[[Path, ReadOptions], Survey]
    read: Callable[[Path, ReadOptions, Survey], Iterator[Record | Failure]]
    endings: tuple[str, ...]  # of file names
    takes: str = "text"
    magic: tuple[bytes, ...] = ()  # how files of a binary format begin
    holds: Callable[[Sequence[str]], bool] | None = None  # whether an archive of these names is of the format


class Write(Protocol):
    """Turns rows into the bytes of a file."""

    def __call__(self, rows: Iterable[Gold], *, scheme: str) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Writer:
    """How a format is written; `schemes` are the tag schemes that it can be asked for.

    `everything` writes texts with all that was said about them, where the format can carry it.
    """

    write: Write
    ending: str
    media_type: str
    schemes: tuple[str, ...] = ("iob2",)
    everything: Callable[[Iterable[Whole]], Iterator[bytes]] | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """A format: its name in addresses, what a person reads in a list, and what it can do."""

    name: str
    title: str
    reader: Reader | None = None
    writer: Writer | None = None
