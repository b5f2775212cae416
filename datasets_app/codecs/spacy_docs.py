"""spaCy's `.spacy` files (DocBin), in and out, where spaCy is installed (`pip install goldset[spacy]`).

`spacy_child` does the work in a process of its own. A DocBin is one compressed lump, so unlike all other formats it
is held in that process's memory as a whole.
"""

import json
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.codecs.objects import parsed, record
from datasets_app.records import Failure, Gold, ReadOptions, Record, Refused, Survey, ascii_safe
from labeling.errors import Invalid, Unavailable

ROOT = Path(__file__).parents[2]
CHUNK = 1 << 16
BYTES_MAX = 1_000_000_000  # unpacked
NOT_INSTALLED = 3  # exit status of `spacy_child`


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the texts; raises `Invalid` if spaCy cannot read the file."""
    _require_small(path)
    return Survey(sum(1 for _ in _lines(path)))


def _require_small(path: Path) -> None:
    """spaCy unpacks a file into memory, so how much comes out is looked at first."""
    unpacked, decompressor = 0, zlib.decompressobj()
    with path.open("rb") as stream:
        while chunk := decompressor.unconsumed_tail or stream.read(CHUNK):
            try:
                unpacked += len(decompressor.decompress(chunk, 1 << 20))
            except zlib.error as error:
                raise Invalid(f"The file is none of spaCy's: {error}.", code="broken_table") from error
            if unpacked > BYTES_MAX:
                raise Invalid(
                    f"A .spacy file is taken up to {BYTES_MAX:,} bytes when it is unpacked; split it.",
                    code="file_too_large",
                )


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a text, numbered from 1."""
    for number, line in enumerate(_lines(path), 1):
        try:
            yield record(number, parsed(line.decode()), options, found.scheme)
        except Refused as refused:
            yield refused.at(number)


def _lines(path: Path) -> Iterator[bytes]:
    with _child("read", str(path)) as process:
        assert process.stdout is not None
        yield from process.stdout


def write(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """The file, once all rows have been handed over."""
    with tempfile.TemporaryFile() as given:
        for gold in rows:
            given.write(json.dumps(_object(gold)).encode() + b"\n")
        given.seek(0)
        with _child("write", given=given) as process:
            assert process.stdout is not None
            while chunk := process.stdout.read(CHUNK):
                yield chunk


def _object(gold: Gold) -> dict[str, Any]:
    return {
        "id": gold.key,
        "text": gold.text,
        "offsets": list(zip(gold.starts, gold.ends, strict=True)),
        "tags": list(gold.tags),
        "split": gold.split,
        "meta": dict(gold.meta),
    }


@contextmanager
def _child(*arguments: str, given: IO[bytes] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended with the block; raises what its exit status says."""
    command = [sys.executable, "-m", "datasets_app.codecs.spacy_child", *arguments]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=given or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        )
        try:
            yield process
            status = process.wait()
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        complaints.seek(0)
        said = ascii_safe(complaints.read(2000).decode("utf-8", "replace").strip())
        if status == NOT_INSTALLED:
            raise Unavailable(f"spaCy does not work here ({said}). Install it: pip install 'goldset[spacy]'.")
        if status:  # below zero: it was brought down, as a file made for it may
            raise Invalid(f"The file is none that spaCy can read: {said or status}", code="broken_table")


CODEC = Codec(
    "spacy",
    "spaCy: a .spacy file",
    Reader(survey, read, (".spacy",), takes="binary", magic=(b"x\x9c", b"x\xda", b"x\x01")),
    Writer(write, "spacy", "application/octet-stream"),
)
