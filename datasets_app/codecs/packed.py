"""Compressed files: gzip, bzip2, xz and ZIP around any format, unpacked as a stream beside the upload.

A small file may unpack to more than a disk holds, so what comes out is limited in bytes and, from
`RATIO_FROM` bytes on, to `RATIO_MAX` times what went in. Formats that are archives themselves (several
files that belong together) stay packed, once `require_small` has looked at what they would unpack to.
"""

import bz2
import errno
import gzip
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from datasets_app.records import SPLITS
from labeling.errors import Invalid, TooLarge

CHUNK = 1 << 20
RATIO_MAX = 1000
RATIO_FROM = 100_000_000
MEMBERS_MAX = 1_000_000
_BROKEN = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, NotImplementedError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error),
)
ZIP = b"PK\x03\x04"
_ASIDE = ("readme", "license", "licence", "citation", ".")  # beginnings of names that hold no texts


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to compress one file: how it begins, how its name ends, how it is opened."""

    name: str
    magic: bytes
    endings: tuple[str, ...]
    open: Callable[[Path], Any]


PACKINGS = (
    Packing("gzip", b"\x1f\x8b", (".gz", ".gzip"), gzip.GzipFile),
    Packing("bzip2", b"BZh", (".bz2",), bz2.BZ2File),
    Packing("xz", b"\xfd7zXZ\x00", (".xz",), lzma.LZMAFile),
)


@dataclass(frozen=True, slots=True)
class Inside:
    """What a file holds once it is unpacked: a name, its beginning, and the names of an archive's files."""

    name: str
    head: bytes
    names: tuple[str, ...] = ()


def look(path: Path, name: str, *, size: int) -> Inside:
    """The beginning of what is packed in a file, or of the file itself; raises `Invalid` if it is broken."""
    with path.open("rb") as stream:
        head = stream.read(size)
    with complaining():
        if packing := _packing(head):
            with packing.open(path) as inside:
                return Inside(_bare(name, packing), inside.read(size))
        if head.startswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                names = members(archive)
                only = _only(names)
                return Inside(only or name, _beginning(archive, only, size), tuple(names))
    return Inside(name, head)


def unpack(path: Path, name: str, *, limit: int) -> Path:
    """The file that is packed in another, written beside it; the same file if it is not packed.

    Raises `Invalid` if it is broken or holds several files, `TooLarge` if more than `limit` bytes come out.
    """
    with path.open("rb") as stream:
        head = stream.read(16)
    target = path.with_name(f"{path.name}.plain")
    with complaining():
        if packing := _packing(head):
            with packing.open(path) as inside:
                return _written(inside, target, path, limit)
        if head.startswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                names = members(archive)
                if (only := _only(names)) is None:
                    raise several(name, names)
                with archive.open(only) as inside:
                    return _written(inside, target, path, limit)
    return path


def members(archive: zipfile.ZipFile) -> list[str]:
    """The names of an archive's files, sorted, without folders and what systems put beside them."""
    if len(archive.namelist()) > MEMBERS_MAX:
        raise Invalid(f"The archive holds more than {MEMBERS_MAX:,} files, the most that is taken; split it.")
    return sorted(name for name in archive.namelist() if not name.endswith("/") and not _is_aside(name))


def require_small(path: Path, *, limit: int) -> None:
    """Raise `TooLarge` if an archive's files say that they are over the limits: no reader gets more than they say."""
    with complaining(), zipfile.ZipFile(path) as archive:
        members(archive)
        _require(sum(info.file_size for info in archive.infolist()), path.stat().st_size, limit)


@contextmanager
def complaining() -> Iterator[None]:
    """Turn what goes wrong with a broken archive into `Invalid`."""
    try:
        yield
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # the disk's fault, not the file's
            raise
        raise Invalid(
            f"The packed file cannot be unpacked: {error}. Is it whole, and without a password?", code="broken_archive"
        ) from error


def _packing(head: bytes) -> Packing | None:
    return next((packing for packing in PACKINGS if head.startswith(packing.magic)), None)


def _bare(name: str, packing: Packing) -> str:
    ending = next((ending for ending in packing.endings if name.lower().endswith(ending)), "")
    return name[: -len(ending)] if ending else name


def _is_aside(name: str) -> bool:
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith(".")


def _only(names: list[str]) -> str | None:
    """The one file with texts, if there is one: a README or a licence beside it does not count."""
    if len(names) > 1:
        names = [name for name in names if not is_beside(name)]
    return names[0] if len(names) == 1 else None


def is_beside(name: str) -> bool:
    """Whether a file of an archive says something about the texts rather than holds some: a README, a license."""
    return PurePosixPath(name).name.lower().startswith(_ASIDE)


def split_of(name: str) -> str | None:
    """The split that a folder or a file's name says: `test/data-00000.arrow`, `data/test-00000-of-00001.parquet`."""
    path = PurePosixPath(name.lower())
    words = [*reversed(path.parent.parts), *re.split(r"[^a-z]+", path.stem)]
    return next((SPLITS[word] for word in words if word in SPLITS), None)


def _beginning(archive: zipfile.ZipFile, only: str | None, size: int) -> bytes:
    if only is None:
        return ZIP
    with archive.open(only) as inside:
        return inside.read(size)


def _written(inside: IO[bytes], target: Path, packed: Path, limit: int) -> Path:
    packed_bytes, written = packed.stat().st_size, 0
    try:
        with target.open("wb") as out:
            while chunk := inside.read(CHUNK):
                written += len(chunk)
                _require(written, packed_bytes, limit)
                out.write(chunk)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _require(size: int, packed_bytes: int, limit: int) -> None:
    most = min(limit, max(RATIO_FROM, RATIO_MAX * packed_bytes))
    if size > most:
        raise TooLarge(
            f"More than {most:,} bytes come out of the packed file's {packed_bytes:,}; at most {limit:,} are taken,"
            f" and no more than {RATIO_MAX:,} times the packed size. Split it into parts.",
            code="unpacks_too_large",
            details={"limit": most},
        )


def several(name: str, names: Sequence[str]) -> Invalid:
    """The error for an archive of several files that do not belong together."""
    if not names:
        return Invalid(f"{name!r} holds no file.", code="empty_file")
    listed = ", ".join(repr(each) for each in names[:5]) + (" …" if len(names) > 5 else "")
    return Invalid(
        f"{name!r} holds {len(names):,} files ({listed}) that are not read together in this format; leave the format to"
        " be recognized, keep only CoNLL, JSONL, text and CSV files in it, or import them one by one.",
        code="many_files",
    )
