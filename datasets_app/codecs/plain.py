"""Text files in: each line that is not blank is a text, kept as it stands without its line ending."""

from collections.abc import Iterator
from pathlib import Path

from datasets_app.codecs.codec import Codec, Reader
from datasets_app.codecs.lines import numbered, too_long
from datasets_app.records import Failure, ReadOptions, Record, Survey


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the lines that are not blank."""
    with path.open("rb") as stream:
        return Survey(sum(line is None or bool(line.strip()) for _, line in numbered(stream)))


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a line."""
    with path.open("rb") as stream:
        for number, line in numbered(stream):
            if line is None:
                yield too_long(number)
            elif line.strip():
                yield Record(number, line.removesuffix("\n").removesuffix("\r"))


CODEC = Codec("txt", "Plain text: a text a line", Reader(survey, read, (".txt", ".text")))
