"""Hugging Face's Arrow and Parquet tables: `id`, `tokens`, `ner_tags`, written batch by batch into a stream.

The schema's metadata carries the features, so that `datasets` reads `ner_tags` as class labels; pyarrow is
all that is needed to write them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datasets_app.codecs.sink import Sink
from datasets_app.records import Gold
from labeling import bio

BATCH_ROWS = 1000
GROUP_ROWS = 10_000  # rows of a Parquet row group, the least that its readers load at once
TOKENS_MAX = 200_000  # of one batch: long texts make small batches


def features(labels: Sequence[str]) -> dict[str, Any]:
    """The features as `datasets` writes them down: `List` of strings, `List` of class labels in the labels' order."""
    strings = {"dtype": "string", "_type": "Value"}
    classes = {"names": bio.tag_names(labels), "_type": "ClassLabel"}
    return {
        "id": strings,
        "tokens": {"feature": strings, "_type": "List"},
        "ner_tags": {"feature": classes, "_type": "List"},
    }


def schema(labels: Sequence[str], *, with_split: bool = False) -> pa.Schema:
    """The Arrow schema; `with_split` adds a column `split`."""
    described = features(labels)
    fields = [("id", pa.string()), ("tokens", pa.list_(pa.string())), ("ner_tags", pa.list_(pa.int64()))]
    if with_split:
        described["split"] = {"dtype": "string", "_type": "Value"}
        fields.append(("split", pa.string()))
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": described}})})


def batches(rows: Iterable[Gold], shape: pa.Schema, labels: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
    """Record batches of at most `size` rows, fewer where texts are long."""
    numbers = {name: number for number, name in enumerate(bio.tag_names(labels))}
    for page in _pages(rows, size):
        columns: dict[str, list[Any]] = {
            "id": [gold.key for gold in page],
            "tokens": [gold.tokens for gold in page],
            "ner_tags": [[numbers[tag] for tag in gold.tags] for gold in page],
            "split": [gold.split for gold in page],
        }
        yield pa.record_batch([pa.array(columns[field.name], field.type) for field in shape], schema=shape)


def _pages(rows: Iterable[Gold], size: int) -> Iterator[list[Gold]]:
    page: list[Gold] = []
    tokens = 0
    for gold in rows:
        page.append(gold)
        tokens += len(gold.tags)
        if len(page) == size or tokens >= TOKENS_MAX:
            yield page
            page, tokens = [], 0
    if page:
        yield page


def write_parquet(rows: Iterable[Gold], labels: Sequence[str], *, with_split: bool) -> Iterator[bytes]:
    """One Parquet file."""
    shape, sink = schema(labels, with_split=with_split), Sink()
    with pq.ParquetWriter(sink, shape, compression="zstd") as writer:
        for batch in batches(rows, shape, labels, size=GROUP_ROWS):
            writer.write_batch(batch)
            yield sink.drain()
    yield sink.drain()
