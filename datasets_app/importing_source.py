"""The file of an import, made ready to be read: told by its content, unpacked, in UTF-8, looked through once."""

from pathlib import Path
from typing import Any

from django.conf import settings

from datasets_app.codecs import READERS, Reader, packed, reader_for, recognize, recognize_archive
from datasets_app.codecs.lines import check_head, prepare
from datasets_app.records import ReadOptions, Survey
from labeling.errors import Invalid

HEAD_BYTES = 65_536
UNPACKED_TIMES = 4  # what may come out of a packed upload, in times of the largest upload


def format_of(path: Path, name: str, asked: str) -> str:
    """The format to read a new upload with; raises `Invalid` if it cannot be that, or cannot be told."""
    inside = packed.look(path, name, size=HEAD_BYTES)
    if inside.head.startswith(packed.ZIP) and inside.names:
        found = recognize_archive(name, inside.names)
    else:
        found = _told(inside) if asked == "auto" else asked
    reader = reader_for(found if asked == "auto" else asked)
    if asked != "auto" and reader.takes != "zip" and inside.head.startswith(packed.ZIP) and len(inside.names) > 1:
        raise packed.several(name, inside.names)
    if reader.takes == "text":
        check_head(inside.head)
    elif asked != "auto" and not _begins_so(reader, inside):
        raise Invalid(f"{name!r} does not begin like a file of format {asked}.", code="wrong_format")
    return found if asked == "auto" else asked


def _told(inside: packed.Inside) -> str:
    for name, reader in READERS.items():
        if reader.magic and inside.head.startswith(reader.magic):
            return name
    check_head(inside.head)
    head = inside.head
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "ignore").encode()
    return recognize(inside.name, head)


def _begins_so(reader: Reader, inside: packed.Inside) -> bool:
    if reader.takes == "zip":
        return bool(reader.holds and reader.holds(inside.names))
    return not reader.magic or inside.head.startswith(reader.magic)


def plain_file(path: Path, reader: Reader, *, name: str, limit: int | None = None) -> Path:
    """The file as the reader takes it; raises `Invalid`, or `TooLarge` if it has more than `limit` bytes unpacked."""
    limit = limit or UNPACKED_TIMES * settings.UPLOAD_MAX_BYTES
    if reader.takes == "zip":
        packed.require_small(path, limit=limit)
        return path
    path = packed.unpack(path, name, limit=limit)
    return prepare(path) if reader.takes == "text" else path


def survey(path: Path, reader: Reader, options: ReadOptions, known: Any = None) -> Survey:
    """What a first pass over the file says; `known` is what one has said before a crash."""
    if known:
        return Survey(**known)
    found = reader.survey(path, options)
    if not found.records:
        raise Invalid("The file holds no texts; nothing has been imported.", code="no_texts")
    return found
