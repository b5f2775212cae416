"""A ZIP of several plain files, such as train.conll, dev.conll and test.conll: each read in its own format.

A file is known as it would be alone; a folder or a word of its name says the split of its records. Lines are counted
on through the files in the order of their names, and messages say in which they are.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import Any

from datasets_app.codecs import lines, packed
from datasets_app.codecs.codec import Codec, Reader
from datasets_app.records import Failure, ReadOptions, Record, Survey, ascii_safe
from labeling.errors import Invalid

HEAD_BYTES = 65_536
FILES_MAX = 1000  # what is known of each is kept with the job's progress
_ENDINGS = (
    ".conll",
    ".conllu",
    ".iob",
    ".iob2",
    ".bio",
    ".conll03",
    ".jsonl",
    ".ndjson",
    ".json",
    ".txt",
    ".csv",
    ".tsv",
)


def survey(path: Path, options: ReadOptions) -> Survey:
    """Look through each file; raises `Invalid`, with its name, for one that cannot be read."""
    parts: list[dict[str, Any]] = []
    with _opened(path) as (archive, place):
        names = _texts(packed.members(archive))
        if len(names) > FILES_MAX:
            raise Invalid(
                f"The archive holds {len(names):,} files; at most {FILES_MAX:,} are taken at once.", code="many_files"
            )
        for name in names:
            with _named(name):
                file = _extracted(archive, name, place)
                format, reader = _reader_of(name, file)
                found = reader.survey(file, options)
                parts.append({"name": name, "format": format, "lines": _lines(file), "survey": asdict(found)})
    schemes = {part["survey"]["scheme"] for part in parts if part["survey"]["records"]}
    records = sum(part["survey"]["records"] for part in parts)
    return Survey(records, ", ".join(sorted(schemes)) or "iob2", parts=parts)


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """The records of each file, one file after another."""
    before = 0
    with _opened(path) as (archive, place):
        for part in found.parts:
            file = _extracted(archive, part["name"], place)
            for record in _readers()[part["format"]].read(file, options, Survey(**part["survey"])):
                yield _placed(record, part["name"], before)
            before += part["lines"]


def _placed(record: Record | Failure, name: str, before: int) -> Record | Failure:
    line = before + record.line
    if isinstance(record, Record):
        return replace(record, line=line, split=record.split or packed.split_of(name))
    return replace(record, line=line, message=f"{ascii_safe(name)}, line {record.line:,}: {record.message}")


def _texts(names: Sequence[str]) -> list[str]:
    return [name for name in names if not packed.is_beside(name)]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Path]]:
    with (
        packed.complaining(),
        zipfile.ZipFile(path) as archive,
        tempfile.TemporaryDirectory(dir=path.parent) as place,
    ):
        yield archive, Path(place)


def _extracted(archive: zipfile.ZipFile, name: str, place: Path) -> Path:
    for left in place.iterdir():
        left.unlink()
    target = place / "file"
    with archive.open(name) as inside, target.open("wb") as out:
        shutil.copyfileobj(inside, out, 1 << 20)
    return lines.prepare(target)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say of which file of the archive a complaint is."""
    try:
        yield
    except Invalid as error:
        raise Invalid(f"{ascii_safe(name)}: {error.message}", code=error.code, details=error.details) from error


def _reader_of(name: str, file: Path) -> tuple[str, Reader]:
    from datasets_app.codecs import recognize  # the table of formats, of which this is one

    with file.open("rb") as stream:
        format = recognize(PurePosixPath(name).name, stream.read(HEAD_BYTES))
    reader = _readers()[format]
    if reader.takes != "text":
        raise Invalid(
            f"A file of format {format} does not stand beside others; import it by itself.", code="many_files"
        )
    return format, reader


def _readers() -> Mapping[str, Reader]:
    from datasets_app.codecs import READERS

    return READERS


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b"")) + 1


def _holds(names: Sequence[str]) -> bool:
    texts = _texts(names)
    return len(texts) > 1 and all(PurePosixPath(name).suffix.lower() in _ENDINGS for name in texts)


CODEC = Codec(
    "files", "Several files in a ZIP: CoNLL, JSONL, text, CSV", Reader(survey, read, (), takes="zip", holds=_holds)
)
