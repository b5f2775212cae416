"""spaCy's `.spacy` files (DocBin), in and out, where spaCy is installed (`pip install goldset[spacy]`).

`spacy_child` does the work in a process of its own. A DocBin is one compressed lump, so unlike all other formats it
is held in that process's memory as a whole.
"""

import json
import subprocess
import sys
import tempfile
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
BYTES_MAX = 1_000_000_000


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the texts; raises `Invalid` if spaCy cannot read the file."""
    if path.stat().st_size > BYTES_MAX:
        raise Invalid(f"A .spacy file is taken up to {BYTES_MAX:,} bytes; split it.", code="file_too_large")
    return Survey(sum(1 for _ in _lines(path)))


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
        if status == 2:
            raise Invalid(f"The file is none that spaCy can read: {said}", code="broken_table")
        if status:
            raise Unavailable(f"spaCy does not work here ({said}). Install it: pip install 'goldset[spacy]'.")


CODEC = Codec(
    "spacy",
    "spaCy: a .spacy file",
    Reader(survey, read, (".spacy",), takes="binary", magic=(b"x\x9c", b"x\xda", b"x\x01")),
    Writer(write, "spacy", "application/octet-stream"),
)
