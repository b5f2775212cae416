"""brat's standoff, in and out: an archive of texts `x.txt`, each with its entities in `x.ann`.

`T1<tab>PER 0 12<tab>Ada Lovelace` is an entity, by code points. One in fragments (`0 3;8 12`) is taken where blanks
alone lie between them, as brat itself writes an entity that goes over a line break. Relations, events, attributes
and notes are kept in `meta`. A folder named for a split says the split.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.codecs.packed import complaining, members
from datasets_app.codecs.sink import Sink
from datasets_app.codecs.units import CODE_POINTS, GivenSpan, settle
from datasets_app.records import (
    SPLITS,
    TEXT_MAX,
    Failure,
    Gold,
    ReadOptions,
    Record,
    Refused,
    Survey,
    ascii_safe,
    shown,
)
from labeling import bio

ANN_BYTES_MAX = 64_000_000
_ENTITY = re.compile(r"(\S.*?) (\d+ \d+(?:;\d+ \d+)*)")
_NAME_MAX = 150  # bytes of a file's name


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the texts."""
    with complaining(), zipfile.ZipFile(path) as archive:
        return Survey(len(_texts(archive)))


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a text; its number is its place among the sorted names, which messages give."""
    with complaining(), zipfile.ZipFile(path) as archive:
        there = set(archive.namelist())
        for number, name in enumerate(_texts(archive), 1):
            try:
                yield _record(archive, number, name, there, options)
            except Refused as refused:
                yield Failure(number, refused.code, f"{ascii_safe(name)}: {refused.message}")


def _texts(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in members(archive) if name.endswith(".txt")]


def _record(archive: zipfile.ZipFile, number: int, name: str, there: set[str], options: ReadOptions) -> Record:
    text = _content(archive, name, 4 * TEXT_MAX)
    ann, spans = f"{name.removesuffix('.txt')}.ann", None
    others: list[str] = []
    if options.tags and ann in there:
        given, others = _entities(_content(archive, ann, ANN_BYTES_MAX), text)
        spans = settle(text, given, asked=options.offsets, usual=CODE_POINTS) if text else []
    folders = PurePosixPath(name).parent.parts
    split = next((SPLITS[folder] for folder in reversed(folders) if folder in SPLITS), None)
    return Record(number, text, spans=spans, key=_key(name), split=split, meta={"brat": others} if others else {})


def _content(archive: zipfile.ZipFile, name: str, limit: int) -> str:
    with archive.open(name) as inside:
        data = inside.read(limit + 1)
    if len(data) > limit:
        raise Refused("text_too_long", f"The file has over {limit:,} bytes, the most that is taken.")
    try:
        text = data.decode()  # a byte order mark counts as a character, as it does for brat
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"Byte 0x{data[error.start]:02x} at position {error.start:,} is not UTF-8.") from None
    if "\0" in text:
        raise Refused("nul", "The file holds a NUL character, which no text has; remove it.")
    return text


def _key(name: str) -> str:
    """The file's name without its ending; folders that only say the split or hold all are left out."""
    parts = [unquote(part) for part in PurePosixPath(name.removesuffix(".txt")).parts]
    return "/".join([part for part in parts[:-1] if part not in SPLITS] + parts[-1:])


def _entities(ann: str, text: str) -> tuple[list[GivenSpan], list[str]]:
    found, others = [], []
    ending = "\r\n" if ann.count("\r\n") == ann.count("\n") else "\n"
    for line in ann.split(ending):
        if line.startswith("T"):
            found.append(_entity(line, text))
        elif line.strip():
            others.append(line)
    return found, others


def _entity(line: str, text: str) -> GivenSpan:
    parts = line.split("\t", 2)
    match = _ENTITY.fullmatch(parts[1]) if len(parts) > 1 else None
    if match is None:
        raise Refused("bad_span", f"The line {shown(line)} is no entity such as T1<tab>PER 0 12<tab>Ada Lovelace.")
    ranges = [tuple(map(_offset, part.split(" "))) for part in match[2].split(";")]
    start, end = ranges[0][0], ranges[-1][1]
    for (_, before), (after, _) in pairwise(ranges):
        if not before <= after or text[before:after].strip():
            raise Refused(
                "span_in_pieces",
                f"The entity {shown(line)} is in pieces with other words between; label one piece, or each.",
            )
    surface = parts[2] if len(ranges) == 1 and len(parts) == 3 else None
    return GivenSpan(start, end, unquote(match[1]), surface)


def _offset(digits: str) -> int:
    return int(digits) if len(digits) < 16 else 10**15


# Out -----------------------------------------------------------------------------------------------------


def write(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """The archive, a text at a time; files are named for the texts' keys, in a folder for each split."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for gold in rows:
            name = _file_name(gold.key)
            _put(archive, f"{gold.split}/{name}.txt", gold.text)
            _put(archive, f"{gold.split}/{name}.ann", "".join(_lines(gold)))
            yield sink.drain()
    yield sink.drain()


def _put(archive: zipfile.ZipFile, name: str, content: str) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, content.encode())


_DATE = datetime(2000, 1, 1, tzinfo=UTC).timetuple()[:6]  # the same content gives the same bytes


def _file_name(key: str) -> str:
    """The key, where it can be a file's name; the reader takes it back."""
    name = quote(key, safe=" ()+,;=@[]{}~!$&'")
    name = name.replace(".", "%2E") if name.startswith(".") else name
    if len(name) > _NAME_MAX:
        name = f"{name[: _NAME_MAX // 2].rpartition('%')[0]}-{hashlib.sha256(key.encode()).hexdigest()}"
    return name


def _lines(gold: Gold) -> Iterator[str]:
    for number, span in enumerate(bio.spans(gold.tags), 1):
        start, end = gold.starts[span.start], gold.ends[span.end - 1]
        pieces = list(_pieces(gold.text, start, end))
        where = ";".join(f"{first} {last}" for first, last in pieces)
        surface = " ".join(gold.text[first:last] for first, last in pieces)
        # brat's names of types have no blanks, and neither have labels; a semicolon would part fragments.
        yield f"T{number}\t{quote(span.label, safe=_SAFE)} {where}\t{surface}\n"


_SAFE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of a span between line breaks, since an annotation is one line."""
    for match in re.finditer(r"[^\n]+", text[start:end]):
        yield start + match.start(), start + match.end()


def _holds(names: Sequence[str]) -> bool:
    return any(name.endswith(".ann") for name in names)


CODEC = Codec(
    "brat",
    "brat: a zip of .txt and .ann",
    Reader(survey, read, (), takes="zip", holds=_holds),
    Writer(write, "zip", "application/zip"),
)
