"""Labeled texts out as doccano, Prodigy and Label Studio take them in; `dialects` reads them back.

doccano and Prodigy count code points, Label Studio UTF-16 units. A text's id, split and metadata go along where
each tool keeps what it does not know.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from datasets_app.codecs import everything
from datasets_app.codecs.codec import Codec, Writer
from datasets_app.codecs.units import to_utf16
from datasets_app.records import CharSpan, Gold, Whole
from labeling import bio


def write_doccano(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """JSON lines with `label: [[start, end, label], …]`."""
    for gold in rows:
        label = [[span.start, span.end, span.label] for span in _spans(gold)]
        yield _line({"id": gold.key, "text": gold.text, "label": label, "split": gold.split, "meta": gold.meta})


def write_prodigy(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """JSON lines with tokens and spans; the last token of a span counts in, as in Prodigy's `token_end`."""
    for gold in rows:
        yield _line(_prodigy(gold))


def write_all_prodigy(rows: Iterable[Whole]) -> Iterator[bytes]:
    """A line for each annotation of each text, with its annotator; one without spans for a text that has none."""
    for whole in rows:
        for row in (*whole.annotations, *(() if whole.annotations else (None,))):
            tags = row["tags"] if row else [bio.OUTSIDE] * len(whole.starts)
            yield _line(everything.prodigy(whole, _prodigy(whole.gold(tags)), row))


def _prodigy(gold: Gold) -> dict[str, Any]:
    return {
        "id": gold.key,
        "text": gold.text,
        "tokens": list(_tokens(gold)),
        "spans": [
            {
                "start": gold.starts[span.start],
                "end": gold.ends[span.end - 1],
                "token_start": span.start,
                "token_end": span.end - 1,
                "label": span.label,
            }
            for span in bio.spans(gold.tags)
        ],
        "answer": "accept",
        "split": gold.split,
        "meta": gold.meta,
    }


def _tokens(gold: Gold) -> Iterator[dict[str, Any]]:
    nexts = (*gold.starts[1:], len(gold.text))
    for index, (start, end, after) in enumerate(zip(gold.starts, gold.ends, nexts, strict=True)):
        yield {"text": gold.text[start:end], "start": start, "end": end, "id": index, "ws": end < after}


def write_label_studio(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """An array of tasks for a labeling setup whose labels are called `label` and whose text is called `text`."""
    before = "[\n"
    for gold in rows:
        yield before.encode() + json.dumps(_task(gold), ensure_ascii=False).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _task(gold: Gold) -> dict[str, Any]:
    units = to_utf16(gold.text)
    result = [
        {
            "id": f"{gold.key}-{number}",
            "type": "labels",
            "from_name": "label",
            "to_name": "text",
            "value": {
                "start": units[span.start],
                "end": units[span.end],
                "text": gold.text[span.start : span.end],
                "labels": [span.label],
            },
        }
        for number, span in enumerate(_spans(gold), 1)
    ]
    data = {"text": gold.text, "id": gold.key, "split": gold.split, "meta": gold.meta}
    return {"data": data, "annotations": [{"result": result, "ground_truth": True}]}


def _spans(gold: Gold) -> list[CharSpan]:
    return [CharSpan(gold.starts[s.start], gold.ends[s.end - 1], s.label) for s in bio.spans(gold.tags)]


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


DOCCANO = Codec("doccano", "doccano: JSONL", writer=Writer(write_doccano, "jsonl", "application/x-ndjson"))
PRODIGY = Codec(
    "prodigy",
    "Prodigy: JSONL",
    writer=Writer(write_prodigy, "jsonl", "application/x-ndjson", everything=write_all_prodigy),
)
LABEL_STUDIO = Codec(
    "label_studio",
    "Label Studio: JSON",
    writer=Writer(write_label_studio, "json", "application/json", everything=everything.write_label_studio),
)
