"""What a file holds, told before there is a project to import it into: its format, its labels, its first texts.

Read by the same codecs as an import; a large file by its beginning only.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from datasets_app.codecs import CODECS, reader_for
from datasets_app.importing_source import format_of, plain_file
from datasets_app.importing_source import survey as look_through
from datasets_app.records import Failure, ReadOptions, Record
from labeling import bio
from labeling.errors import Invalid, TooLarge

BYTES_MAX, UNPACKED_MAX = 20_000_000, 100_000_000
TEXTS_MAX = 20_000
SAMPLE, SAMPLE_CHARACTERS = 3, 300


def survey(stream: BinaryIO, *, name: str, size: int) -> dict[str, Any]:
    """`{format, title, texts, more, labels: [{name, spans}], errors, sample}`; raises `Invalid` or `TooLarge`.

    `more` says that only the first `TEXTS_MAX` texts were read.
    """
    if size > BYTES_MAX:
        raise TooLarge(
            f"The file is larger than the {BYTES_MAX:,} bytes that are looked through here."
            " Make the project, then import it: its labels are added then.",
            details={"limit": BYTES_MAX},
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        found = format_of(path, name, "auto")
        return _told(plain_file(path, reader_for(found), name=name, limit=UNPACKED_MAX), found)


def _told(path: Path, name: str) -> dict[str, Any]:
    reader, options = reader_for(name), ReadOptions()
    records = reader.read(path, options, look_through(path, reader, options))
    spans, texts, errors, sample = Counter[str](), 0, 0, list[str]()
    for record in islice(records, TEXTS_MAX):
        if isinstance(record, Failure):
            errors += not record.taken
            continue
        texts += 1
        spans.update(labels_of(record))
        if len(sample) < SAMPLE:
            sample.append(record.text[:SAMPLE_CHARACTERS])
    if not texts:
        raise Invalid("No text of the file can be read.", code="no_texts")
    return {
        "format": name,
        "title": CODECS[name].title,
        "texts": texts,
        "more": next(records, None) is not None,
        "labels": [{"name": label, "spans": count} for label, count in spans.most_common()],
        "errors": errors,
        "sample": sample,
    }


def labels_of(record: Record) -> Iterator[str]:
    """The label of each of a record's spans."""
    if record.spans is not None:
        yield from (span.label for span in record.spans)
    else:
        yield from (bio.label_of(tag) for tag in record.tags or () if tag.startswith("B-"))
