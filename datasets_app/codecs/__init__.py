"""File formats, each a row of a table: adding one is adding a module and a row here.

`codec` says what a format is. Other packages add theirs through the entry point group `goldset.codecs`;
one that fails to load, or takes a name that is taken, is logged and left out.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from datasets_app.codecs import brat, conll, files, jsonl, packed, plain, spacy_docs, table, tabular, tools_out
from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.codecs.conll_lines import is_tag
from labeling.errors import Invalid, one_of

__all__ = ["CODECS", "READERS", "WRITERS", "Codec", "Reader", "Writer", "reader_for", "recognize", "recognize_archive"]

GROUP = "goldset.codecs"
logger = logging.getLogger(__name__)

_OWN = (
    conll.CODEC,
    jsonl.CODEC,
    plain.CODEC,
    tabular.CODEC,
    table.PARQUET,
    table.ARROW,
    table.FOLDER,
    brat.CODEC,
    spacy_docs.CODEC,
    files.CODEC,
    tools_out.DOCCANO,
    tools_out.PRODIGY,
    tools_out.LABEL_STUDIO,
)


def _with_others(own: Iterable[Codec], found: Iterable[EntryPoint]) -> dict[str, Codec]:
    table = {codec.name: codec for codec in own}
    for point in found:
        for codec in _loaded(point):
            if codec.name in table:
                logger.warning("codec %s of %s: a format of that name is there already", codec.name, point.value)
            else:
                table[codec.name] = codec
    return table


def _loaded(point: EntryPoint) -> Iterator[Codec]:
    try:
        codec = point.load()
    except Exception:  # somebody else's code: Goldset works without it
        logger.exception("codec %s cannot be loaded from %s", point.name, point.value)
        return
    if isinstance(codec, Codec):
        yield codec
    else:
        logger.error("codec %s: %s is no datasets_app.codecs.codec.Codec", point.name, point.value)


CODECS: Mapping[str, Codec] = _with_others(_OWN, entry_points(group=GROUP))
READERS: Mapping[str, Reader] = {name: codec.reader for name, codec in CODECS.items() if codec.reader}
WRITERS: Mapping[str, Writer] = {name: codec.writer for name, codec in CODECS.items() if codec.writer}


def reader_for(name: str) -> Reader:
    """The reader of a format; raises `Invalid` with the names that there are."""
    return READERS[one_of("format", name, READERS)]


def recognize(file_name: str, head: bytes) -> str:
    """The format that a file's name or else its beginning speaks for; raises `Invalid` if neither does."""
    lines = [line for line in head.decode("utf-8", "replace").lstrip("\ufeff").splitlines() if line.strip()]
    if lines and (_is_object(lines[0]) or _is_json(Path(file_name).suffix.lower(), lines[0])):
        return "jsonl"
    ending = Path(file_name).suffix.lower()
    for name, reader in READERS.items():
        if ending in reader.endings and not (name == "txt" and _has_tags(lines)):
            return name
    if _has_tags(lines):
        return "conll"
    raise Invalid(
        f"The format of {file_name!r} cannot be told from its name or content; choose one.",
        code="unknown_format",
        details={"field": "format"},
    )


def recognize_archive(file_name: str, names: Sequence[str]) -> str:
    """The format of an archive that holds files of these names; raises `Invalid` if there is none."""
    for name, reader in READERS.items():
        if reader.holds is not None and reader.holds(names):
            return name
    raise packed.several(file_name, names)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return line.startswith('{"')  # a line that is longer than the head


def _is_json(ending: str, line: str) -> bool:
    """Whether it opens an array, or an object over several lines; a text file may begin so too."""
    told = any(ending in reader.endings for reader in READERS.values())
    if told:
        return ending in _JSON and line.lstrip().startswith(("[", "{"))
    return line.strip() in ("[", "{", "[{")


_JSON = (".json", ".jsonl", ".ndjson")


def _has_tags(lines: list[str]) -> bool:
    tokens = [line.split() for line in lines[:50] if not line.startswith("#")]
    return bool(tokens) and all(len(parts) > 1 and is_tag(parts[-1]) for parts in tokens[:-1] or tokens)
