"""Texts out with all that people and models said about them: as JSON lines of ours, as Prodigy's and as Label Studio's.

Of what is written here, `dialects` takes back the accepted annotation alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from datasets_app.codecs.units import to_utf16
from datasets_app.records import Whole
from labeling import bio
from labeling.provenance import offers

_SAID = ("suggested_by", "seconds", "flagged", "comment", "note", "updated_at", "submitted_at", "accepted_at")


def spans_of(whole: Whole, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The spans of an annotation in characters, each with its origin as far as it is known."""
    traced = {(one["start"], one["end"], one["label"]): one for one in row["provenance"].get("spans", ())}
    return [_span(whole, span, traced.get((span.start, span.end, span.label), {})) for span in bio.spans(row["tags"])]


def rejected_of(whole: Whole, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The suggestions that the annotator rejected."""
    found = row["provenance"].get("rejected", ())
    return [_span(whole, bio.Span(one["start"], one["end"], one["label"]), one) for one in found]


def suggested_of(whole: Whole, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The spans of a suggestion, each with its confidence: that of its least sure token."""
    found = offers(row["tags"], row["confidences"], model=row["model"])
    return [_span(whole, each.span, {"confidence": each.confidence}) for each in found]


def _span(whole: Whole, span: bio.Span, known: Mapping[str, Any]) -> dict[str, Any]:
    start, end = whole.starts[span.start], whole.ends[span.end - 1]
    found = {"start": start, "end": end, "label": span.label, "text": whole.text[start:end]}
    found |= {name: known[name] for name in ("origin", "model", "confidence", "by") if known.get(name) is not None}
    if was := known.get("from"):
        found["from"] = _span(whole, bio.Span(was["start"], was["end"], was["label"]), {})
    return found


def as_object(whole: Whole, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Our own object: `fields` are those of the text and, where it has one, of its gold."""
    return {
        **fields,
        "status": whole.status,
        **({"archived": True} if whole.archived else {}),
        "came_in": whole.came_in,
        "annotations": [_annotation(whole, row) for row in whole.annotations],
        "suggestions": [
            {"model": row["model"], "created_at": row["created_at"], "spans": suggested_of(whole, row)}
            for row in whole.suggestions
        ],
    }


def _annotation(whole: Whole, row: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: row[name] for name in ("annotator", "state", "accepted")}
    if row["accepted"]:
        found["accepted_by"] = row["accepted_by"]
    found |= {name: row[name] for name in _SAID if row[name] not in (None, "", 0, False)}
    return {**found, "spans": spans_of(whole, row), "rejected": rejected_of(whole, row)}


# Other tools ---------------------------------------------------------------------------------------------


def prodigy(whole: Whole, line: Mapping[str, Any], row: Mapping[str, Any] | None) -> dict[str, Any]:
    """A line of Prodigy's with who wrote it; only what is accepted has the answer `accept`."""
    if row is None:
        return {**line, "spans": [], "answer": "ignore", "status": whole.status}
    said = {name: row[name] for name in ("state", *_SAID) if row[name] not in (None, "", 0, False)}
    origins = [
        {**span, **{name: known[name] for name in ("origin", "model", "confidence") if name in known}}
        for span, known in zip(line["spans"], spans_of(whole, row), strict=True)
    ]
    answer = "accept" if row["accepted"] else "ignore"
    return {**line, "spans": origins, "answer": answer, "_annotator_id": row["annotator"], "annotation": said}


def write_label_studio(rows: Iterable[Whole]) -> Iterator[bytes]:
    """An array of tasks: annotations by everybody (the gold one is the ground truth), drafts and predictions."""
    before = "[\n"
    for whole in rows:
        yield before.encode() + json.dumps(_task(whole), ensure_ascii=False).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _task(whole: Whole) -> dict[str, Any]:
    units = to_utf16(whole.text)
    drafts = [row for row in whole.annotations if row["state"] != "submitted"]
    return {
        "data": {"text": whole.text, "id": whole.key, "split": whole.split, "meta": whole.meta},
        "goldset": {"status": whole.status, "came_in": whole.came_in},
        "annotations": [_decided(whole, row, units) for row in whole.annotations if row["state"] == "submitted"],
        "drafts": [_decided(whole, row, units) for row in drafts],
        "predictions": [_predicted(whole, row, units) for row in whole.suggestions],
    }


def _decided(whole: Whole, row: Mapping[str, Any], units: Sequence[int]) -> dict[str, Any]:
    return {
        "annotator": row["annotator"],
        "ground_truth": row["accepted"],
        "was_cancelled": False,
        "lead_time": row["seconds"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "result": _regions(whole, spans_of(whole, row), units),
    }


def _predicted(whole: Whole, row: Mapping[str, Any], units: Sequence[int]) -> dict[str, Any]:
    spans = suggested_of(whole, row)
    scores = [span["confidence"] for span in spans]
    return {
        "model_version": row["model"],
        "created_at": row["created_at"],
        "score": min(scores) if scores else None,
        "result": _regions(whole, spans, units),
    }


def _regions(whole: Whole, spans: Iterable[Mapping[str, Any]], units: Sequence[int]) -> list[dict[str, Any]]:
    return [_region(f"{whole.key}-{number}", span, units) for number, span in enumerate(spans, 1)]


def _region(name: str, span: Mapping[str, Any], units: Sequence[int]) -> dict[str, Any]:
    start, end = units[span["start"]], units[span["end"]]
    region = {
        "id": name,
        "type": "labels",
        "from_name": "label",
        "to_name": "text",
        "value": {"start": start, "end": end, "text": span["text"], "labels": [span["label"]]},
    }
    if "confidence" in span:
        region["score"] = span["confidence"]
    if known := {field: span[field] for field in ("origin", "model") if field in span}:
        region["meta"] = known
    return region
