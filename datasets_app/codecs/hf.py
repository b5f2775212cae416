"""A version as a zipped Hugging Face dataset, for `datasets.load_from_disk` and `load_dataset` alike.

Each split is a folder as `DatasetDict.save_to_disk` makes it; the README.md, which is the dataset card,
names the same files for `load_dataset` and the Hub. Nothing is kept: rows go through into the stream.
"""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from datasets_app.card import ARROW_FILE
from datasets_app.codecs.arrow import BATCH_ROWS, batches, features, schema
from datasets_app.codecs.sink import Sink
from datasets_app.records import Gold

Rows = Callable[[str], Iterator[Gold]]


def write(
    rows: Rows,
    *,
    splits: Sequence[str],
    labels: Sequence[str],
    card: str,
    fingerprint: str,
    made: datetime,
    pictures: Mapping[str, str] | None = None,
) -> Iterator[bytes]:
    """The archive; `rows(split)` gives a split's rows, `pictures` are the card's, by their file names.

    The same version gives the same bytes each time.
    """
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        put = _Putter(archive, made)
        put.text("README.md", card)
        for name, picture in (pictures or {}).items():
            put.text(name, picture)
        put.json("dataset_dict.json", {"splits": list(splits)})
        for split in splits:
            put.json(f"{split}/dataset_info.json", _info(labels))
            put.json(f"{split}/state.json", _state(split, fingerprint))
            for _ in put.table(f"{split}/{ARROW_FILE}", rows(split), labels):
                yield sink.drain()
    yield sink.drain()


class _Putter:
    """Adds entries to the archive, all with one date."""

    def __init__(self, archive: zipfile.ZipFile, made: datetime) -> None:
        self.archive, self.made = archive, made

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self.made.timetuple()[:6])
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        return entry

    def text(self, name: str, content: str) -> None:
        self.archive.writestr(self._entry(name), content)

    def json(self, name: str, content: Any) -> None:
        self.text(name, json.dumps(content, indent=2, ensure_ascii=False))

    def table(self, name: str, rows: Iterator[Gold], labels: Sequence[str]) -> Iterator[None]:
        """Write an Arrow stream; yields after each batch, so that the bytes can be taken away."""
        shape = schema(labels)
        with (
            self.archive.open(self._entry(name), "w", force_zip64=True) as file,
            pa.ipc.new_stream(file, shape) as stream,
        ):
            for batch in batches(rows, shape, labels, size=BATCH_ROWS):
                stream.write_batch(batch)
                yield
        yield


def _info(labels: Sequence[str]) -> dict[str, Any]:
    return {"citation": "", "description": "", "features": features(labels), "homepage": "", "license": ""}


def _state(split: str, fingerprint: str) -> dict[str, Any]:
    return {
        "_data_files": [{"filename": ARROW_FILE}],
        "_fingerprint": f"{fingerprint[:16]}-{split}",
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
