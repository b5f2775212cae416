"""Text files as numbered lines: encoding, limits and line endings, once for all formats.

`prepare` looks through a whole file before anything is taken from it, so that a binary file or a wrong
encoding changes nothing; `numbered` then yields lines one at a time, however large the file is.
Lines end at LF alone: U+2028, U+0085 and form feeds may stand inside a token.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from datasets_app.records import LINE_BYTES_MAX, Failure
from labeling.errors import Invalid

CHUNK = 1 << 20
BOM = codecs.BOM_UTF8
NUL_SHARE = 0.3  # of a file's first bytes: Latin letters in UTF-16 have a half
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# How files begin that people take for text.
_MAGIC = {
    b"PK\x03\x04": "a ZIP archive or office document",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "gzip-compressed",
    b"\x7fELF": "a program",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ": "xz-compressed",
    b"ARROW1": "an Arrow file",
    b"\xd0\xcf\x11\xe0": "an office document",
}


def check_head(head: bytes) -> None:
    """Raise `Invalid` if a file that begins so cannot be text: nothing in it, or a known binary format."""
    if not head.removeprefix(BOM).strip():
        raise Invalid("The file is empty; choose one that holds texts.", code="empty_file")
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise Invalid(f"The file is {what}, not text; unpack or convert it first.", code="binary_file")
    if head.startswith(_UTF32):
        raise Invalid("The file is UTF-32; save it as UTF-8.", code="bad_encoding")
    if head[:2] not in _UTF16 and head.count(b"\0") > NUL_SHARE * len(head):
        raise Invalid(
            "Many of the file's bytes are NUL, as in UTF-16 or UTF-32 without a byte order mark; save it as UTF-8.",
            code="bad_encoding",
        )


def prepare(path: Path) -> Path:
    """The file to read, all of it valid UTF-8: the same, or a copy of a UTF-16 one; raises `Invalid`."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    check_head(head)
    if (encoding := _UTF16.get(head[:2])) is None:
        _check_utf8(path, head)
        return path
    return _rewritten(path, encoding)


def _check_utf8(path: Path, head: bytes) -> None:
    blank = True
    for text in _decoded(path, "utf-8", binary=b"\0" in head):
        blank = blank and not text.lstrip("\ufeff").strip()
    if blank:
        raise Invalid("The file holds only blanks; choose one that holds texts.", code="empty_file")


def _rewritten(path: Path, encoding: str) -> Path:
    target = path.with_name(f"{path.name}.utf8")
    try:
        with target.open("wb") as out:
            for text in _decoded(path, encoding, binary=False):
                out.write(text.encode())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _decoded(path: Path, encoding: str, *, binary: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    read = lines = 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder may still have held some bytes of the chunk before.
                begin = read + len(chunk) - len(error.object)
                raise _wrong(error, begin, lines, encoding, binary) from None
            yield text
            if not chunk:
                return
            read += len(chunk)
            lines += text.count("\n")


def _wrong(error: UnicodeDecodeError, begin: int, lines: int, encoding: str, binary: bool) -> Invalid:
    at, byte = begin + error.start, error.object[error.start]
    line = lines + error.object[: error.start].count(b"\n") + 1
    details = {"position": at, "line": line}
    if binary:
        message = f"The file is binary, not text (byte 0x{byte:02x} at position {at:,})."
        return Invalid(message, code="binary_file", details=details)
    return Invalid(
        f"The file is not {encoding.upper()}: byte 0x{byte:02x} at position {at:,} (line {line:,}) does not"
        " belong there. Save the file as UTF-8 and import it again.",
        code="bad_encoding",
        details=details,
    )


def numbered(stream: BinaryIO, *, limit: int = LINE_BYTES_MAX) -> Iterator[tuple[int, str | None]]:
    """Each line with its number from 1 and its ending; None stands for one longer than `limit` bytes.

    The file must have been through `prepare`. A byte order mark is left out.
    """
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)
    yield from lines_from(stream, 0, limit=limit)


def lines_from(stream: BinaryIO, number: int, *, limit: int = LINE_BYTES_MAX) -> Iterator[tuple[int, str | None]]:
    """As `numbered`, from where the stream is: after `number` lines."""
    while line := stream.readline(limit + 2):
        number += 1
        if len(line) <= limit or len(line.rstrip(b"\r\n")) <= limit:
            yield number, line.decode()
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(CHUNK)
        yield number, None


def too_long(line: int) -> Failure:
    """The failure for a line over the limit."""
    message = f"Line {line:,} is longer than {LINE_BYTES_MAX:,} bytes, the most that is taken; split the text."
    return Failure(line, "line_too_long", message)
