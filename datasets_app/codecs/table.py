"""Parquet and Arrow tables in, one or a zipped `datasets` folder of them; a row is read as a JSON object is.

Row groups and record batches are read one at a time. Class labels are read by the names that `datasets` keeps in
the schema. pyarrow is imported where it is used: the web process tells these formats by their first bytes alone.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from datasets_app.codecs.codec import Codec, Reader
from datasets_app.codecs.dialects import DIALECTS
from datasets_app.codecs.objects import record, tags_of
from datasets_app.codecs.packed import complaining, members, split_of
from datasets_app.records import Failure, ReadOptions, Record, Refused, Survey, ascii_safe, shown
from labeling import bio
from labeling.errors import Invalid

BATCH_ROWS = 500
_TAGS = ("tags", "ner_tags", "ner", "ner_labels", "labels")
_TEXTS = ("text", "tokens", "words")
_ENDINGS = (".parquet", ".arrow")
_PARQUET = b"PAR1"


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the rows, and find the scheme of their tags; raises `Invalid` for a broken file."""
    evidence, rows = bio.SchemeEvidence(), 0
    for table in _tables(path):
        table.require_text(options)
        for batch in table.batches():
            rows += len(batch)
            for row in batch if options.tags else ():
                evidence.add(tags_of(row))
    return Survey(rows, evidence.scheme)


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a row; its number is counted through all tables."""
    number = 0
    for table in _tables(path):
        chosen = replace(options, tag_names=options.tag_names or table.tag_names)
        for batch in table.batches():
            for row in batch:
                number += 1
                try:
                    yield record(number, _object(row, options, table.split), chosen, found.scheme)
                except Refused as refused:
                    yield refused.at(number)


def _object(row: Mapping[str, Any], options: ReadOptions, split: str | None) -> dict[str, Any]:
    """A row as an object of JSON: what only tables have, such as times, as strings."""
    try:
        values: dict[str, Any] = json.loads(json.dumps(row, default=str, allow_nan=False, ensure_ascii=False))
        text = json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused("lone_surrogate", "The row holds half a surrogate pair, which is no character.") from None
    except (ValueError, RecursionError) as error:
        raise Refused("bad_row", f"The row holds what JSON cannot: {ascii_safe(str(error))}.") from None
    if b"\\u0000" in text:
        raise Refused("nul", "The row holds a NUL character, which no text has; remove it.")
    for name, column in (("text", options.text_column), ("id", options.id_column), ("split", options.split_column)):
        if column and column in values:
            values[name] = values.pop(column)
    if split and not values.get("split"):
        values["split"] = split
    return {name: value for name, value in values.items() if value is not None}


class _Table:
    """One file of a data set, with the split that its place says and the names of its class labels."""

    def __init__(self, path: Path, split: str | None) -> None:
        self.path, self.split = path, split
        with self._opened() as (schema, _):
            self.tag_names, self.columns = _class_names(schema), list(schema.names)

    def require_text(self, options: ReadOptions) -> None:
        """Raise `Invalid` with the columns that there are if none of them holds texts."""
        known = {*_TEXTS, options.text_column}.intersection(self.columns)
        if not known and not any(dialect.known(dict.fromkeys(self.columns)) for dialect in DIALECTS):
            listed = ", ".join(shown(name) for name in self.columns[:100])
            raise Invalid(
                f"The table has no column `text` or `tokens`; its columns are {listed}. Say in `text_column` which one"
                " holds the texts.",
                code="no_text_column",
                details={"field": "text_column", "columns": list(map(shown, self.columns[:100]))},
            )

    def batches(self) -> Iterator[list[dict[str, Any]]]:
        """The rows, some hundred at a time."""
        with self._opened() as (_, batches):
            for batch in batches:
                batch.validate(full=True)  # offsets of a file made to harm may lie anywhere
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(start, BATCH_ROWS).to_pylist()

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Iterator[Any]]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            # Mapped: a length that the file does not have is an error, where reading would take the memory first.
            with pa.memory_map(str(self.path)) as source:
                if source.read(4) == _PARQUET:
                    source.seek(0)
                    with closing(pq.ParquetFile(source)) as file:
                        yield file.schema_arrow, file.iter_batches(batch_size=BATCH_ROWS)
                else:
                    source.seek(0)
                    yield _arrow(pa, source)
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise Invalid(f"The table cannot be read: {ascii_safe(str(error))[:500]}", code="broken_table") from error


def _arrow(pa: Any, source: Any) -> tuple[Any, Iterator[Any]]:
    """An Arrow file with its directory at the end, or the stream that `datasets` writes."""
    if source.read(6) == b"ARROW1":
        source.seek(0)
        reader = pa.ipc.open_file(source)
        return reader.schema, (reader.get_batch(index) for index in range(reader.num_record_batches))
    source.seek(0)
    stream = pa.ipc.open_stream(source)
    return stream.schema, iter(stream)


def _class_names(schema: Any) -> tuple[str, ...]:
    """The names of the tags' classes, as `datasets` keeps them in the schema's metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        for name in _TAGS:
            feature: Any = features.get(name) or {}
            feature = feature.get("feature", feature[0] if isinstance(feature, list) and feature else {})
            if isinstance(feature.get("names"), list):
                return tuple(map(str, feature["names"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return ()


def _tables(path: Path) -> Iterator[_Table]:
    """The table that a file is, or those of an archive, each taken out while it is read."""
    if not zipfile.is_zipfile(path):
        yield _Table(path, None)
        return
    with (
        complaining(),
        zipfile.ZipFile(path) as archive,
        tempfile.TemporaryDirectory(dir=path.parent) as place,
    ):
        for name in filter(_is_table, members(archive)):
            target = Path(place) / "table"
            with archive.open(name) as packed, target.open("wb") as out:
                shutil.copyfileobj(packed, out, 1 << 20)
            yield _Table(target, split_of(name))


def _is_table(name: str) -> bool:
    # What `datasets` caches beside its data is a copy of it.
    return name.lower().endswith(_ENDINGS) and not PurePosixPath(name).name.startswith("cache-")


def _holds(names: Sequence[str]) -> bool:
    return any(map(_is_table, names))


def _reader(*endings: str, magic: tuple[bytes, ...] = (), takes: str = "binary") -> Reader:
    return Reader(survey, read, endings, takes=takes, magic=magic, holds=_holds if takes == "zip" else None)


PARQUET = Codec("parquet", "Parquet: a table with tokens and tags, or texts", _reader(".parquet", magic=(_PARQUET,)))
ARROW = Codec(
    "arrow",
    "Arrow: a table with tokens and tags, or texts",
    _reader(".arrow", ".feather", magic=(b"ARROW1", b"\xff\xff\xff\xff")),
)
FOLDER = Codec("hf", "Hugging Face: a zipped folder of datasets, with its splits", _reader(takes="zip"))
