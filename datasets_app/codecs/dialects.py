"""JSON objects of other tools in our own shape: doccano, Label Studio, Prodigy, Argilla, pipelines' entities.

Each tool is a row of a table: by which keys its objects are known, how one is turned into
`{"text" or "tokens", "spans"?, "tags"?, "id"?, "split"?, "meta"?}`, and how it counts characters. What a tool
says beside that goes to `meta`; what cannot be taken goes to `remarks`, which the import reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.codecs.units import CODE_POINTS, UTF16
from datasets_app.records import Refused, shown
from labeling.tokens import tokenize

Values = Mapping[str, Any]
Remarks = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A tool's way to write an object down."""

    name: str
    known: Callable[[Values], bool]
    ours: Callable[[Values, Remarks], dict[str, Any]]
    unit: str = CODE_POINTS


def translate(values: Values) -> tuple[Values, str, Remarks]:
    """The object in our shape, the unit of its offsets, and what is to be said about it."""
    remarks: Remarks = []
    for dialect in DIALECTS:
        if dialect.known(values):
            return dialect.ours(values, remarks), dialect.unit, remarks
    return values, CODE_POINTS, remarks


def _rest(values: Values, *taken: str) -> dict[str, Any]:
    """What a tool says beside what is taken, less what is empty."""
    return {name: value for name, value in values.items() if name not in taken and value not in (None, [], {}, "")}


def _first(values: Values, *names: str) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


def _dict(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused("bad_field", f"`{name}` is {shown(value)}; it must be an object.")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise Refused("bad_field", f"`{name}` is {shown(value)}; it must be a list.")
    return value


# doccano, and what looks like it ------------------------------------------------------------------------

_DOCCANO = ("entities", "label", "labels")


def _is_doccano(values: Values) -> bool:
    return "text" in values and "spans" not in values and any(_are_spans(values.get(name)) for name in _DOCCANO)


def _are_spans(value: Any) -> bool:
    """A list of ranges, such as `[[0, 4, "PER"]]` or `[{"start_offset": 0, …}]`; not a list of categories."""
    return isinstance(value, list) and all(
        (isinstance(item, list) and len(item) == 3) or (isinstance(item, dict) and _start(item) is not None)
        for item in value
    )


def _start(item: dict[str, Any]) -> Any:
    return _first(item, "start", "start_offset")


def _doccano(values: Values, remarks: Remarks) -> dict[str, Any]:
    name = next(name for name in _DOCCANO if _are_spans(values.get(name)))
    meta = _rest(values, "id", "text", "tokens", "split", "meta", "metadata", name)
    meta |= _dict(_first(values, "meta", "metadata") or {}, "meta")
    return {**_kept(values, "id", "text", "tokens", "split"), "spans": values[name], "meta": meta}


def _kept(values: Values, *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


# Prodigy ------------------------------------------------------------------------------------------------


def _is_prodigy(values: Values) -> bool:
    if "text" not in values:
        return False
    if "_task_hash" in values or "_input_hash" in values:
        return True
    for name, key in (("tokens", "text"), ("spans", "token_start")):
        items = values.get(name)
        if isinstance(items, list) and items and isinstance(items[0], dict) and key in items[0]:
            return True
    return False


def _prodigy(values: Values, remarks: Remarks) -> dict[str, Any]:
    found = _kept(values, "id", "text", "split")
    found["meta"] = _rest(values, "id", "text", "split", "tokens", "spans", "meta", "_input_hash", "_task_hash")
    found["meta"] |= _dict(values.get("meta") or {}, "meta")
    if values.get("tokens"):
        tokens = [_dict(item, "tokens[]") for item in _list(values["tokens"], "tokens")]
        # Prodigy's tokens may be blanks, which nobody labels.
        real = [item for item in tokens if tokenize(str(item.get("text", "")))[0]]
        found["tokens"] = [item.get("text") for item in real]
        found["offsets"] = [[item.get("start"), item.get("end")] for item in real]
    if found["meta"].get("answer", "accept") == "accept":
        found["meta"].pop("answer", None)
        found["spans"] = values.get("spans") or []
    return found


# Label Studio -------------------------------------------------------------------------------------------


def _is_label_studio(values: Values) -> bool:
    if isinstance(values.get("data"), dict) and any(name in values for name in ("annotations", "predictions")):
        return True
    label = values.get("label")
    return "text" in values and isinstance(label, list) and bool(label) and _is_region(label[0])


def _is_region(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("labels"), list)


def _label_studio(values: Values, remarks: Remarks) -> dict[str, Any]:
    if "data" not in values:  # the short form, JSON-MIN
        meta = _rest(values, "id", "text", "label", "split", "meta") | _dict(values.get("meta") or {}, "meta")
        return {**_kept(values, "id", "text", "split"), "spans": _regions(values["label"]), "meta": meta}
    data = _dict(values["data"], "data")
    name = _text_of(data)
    meta = _rest(data, name, "id", "split", "meta") | _dict(values.get("meta") or {}, "meta")
    meta |= _dict(data.get("meta") or {}, "data.meta")
    found = {"text": data[name], "id": _first(data, "id") or values.get("id"), "split": data.get("split"), "meta": meta}
    annotation = _annotation(values, remarks)
    if annotation is not None:
        results = [_dict(item, "result[]") for item in _list(annotation.get("result"), "result")]
        found["spans"] = _regions([item.get("value") for item in results if item.get("type") in (None, "labels")])
        others = [item for item in results if item.get("type") not in (None, "labels")]
        found["meta"] |= {"result": others} if others else {}
    return found


def _text_of(data: Values) -> str:
    strings = [name for name, value in data.items() if isinstance(value, str)]
    if "text" in data or len(strings) != 1:
        name = "text"
    else:
        name = strings[0]
    if name not in data:
        raise Refused("no_text", f"`data` holds {shown(list(data))}; its text must stand in `text`.")
    return name


def _annotation(values: Values, remarks: Remarks) -> dict[str, Any] | None:
    """The one annotation that is taken: what is marked as ground truth, or else the first."""
    every = [_dict(item, "annotations[]") for item in _list(values.get("annotations") or [], "annotations")]
    usable = [item for item in every if not item.get("was_cancelled")]
    usable.sort(key=lambda item: not item.get("ground_truth"))
    if len(usable) > 1:
        remarks.append(
            ("more_annotations", f"{len(usable) - 1} more annotation(s) of this text are not taken; the first is.")
        )
    return usable[0] if usable else None


def _regions(values: Any) -> list[dict[str, Any]]:
    """A span per label of each region; one without labels has been left unfinished."""
    found = []
    for value in _list(values, "label"):
        region = _dict(value, "value")
        for label in _list(region.get("labels") or [None], "labels"):
            found.append({"start": region.get("start"), "end": region.get("end"), "label": label or ""})
            if isinstance(region.get("text"), str):
                found[-1]["text"] = region["text"]
    return found


# Our own texts with all that was said about them ---------------------------------------------------------


def _is_everything(values: Values) -> bool:
    return "text" in values and all(isinstance(values.get(name), list) for name in ("annotations", "suggestions"))


def _everything(values: Values, remarks: Remarks) -> dict[str, Any]:
    others = [row for row in values["annotations"] if not (isinstance(row, dict) and row.get("accepted"))]
    if others:
        remarks.append(("more_annotations", f"{len(others)} annotation(s) of this text are not accepted, nor taken."))
    return _kept(values, "id", "text", "tokens", "offsets", "tags", "spans", "split", "meta")


# Argilla ------------------------------------------------------------------------------------------------


def _is_argilla(values: Values) -> bool:
    if isinstance(values.get("fields"), dict):
        return "responses" in values or "suggestions" in values
    old = any(isinstance(values.get(name), list) for name in ("annotation", "prediction"))
    return old and "text" in values and "spans" not in values


def _argilla(values: Values, remarks: Remarks) -> dict[str, Any]:
    if "fields" not in values:  # before version 2
        meta = _rest(values, "id", "text", "tokens", "annotation", "prediction", "metadata", "split")
        meta |= _dict(values.get("metadata") or {}, "metadata")
        found = {**_kept(values, "id", "text", "tokens", "split"), "meta": meta}
        given = values.get("annotation")
        return found | ({} if given is None else {"spans": [_old_argilla(item) for item in _list(given, "annotation")]})
    fields = _dict(values["fields"], "fields")
    name = _text_of(fields)
    meta = _rest(fields, name) | _dict(values.get("metadata") or {}, "metadata")
    found = {"text": fields[name], "id": _first(values, "external_id", "id"), "meta": meta}
    responses = _dict(values.get("responses") or {}, "responses")
    spans = [value for question in responses.values() if (value := _answered(question, remarks)) is not None]
    if spans:
        found["spans"] = spans[0]
    return found


def _old_argilla(item: Any) -> Any:
    """`["PER", 0, 4]`, and sometimes a score after it."""
    if isinstance(item, list) and len(item) >= 3 and isinstance(item[0], str):
        return {"label": item[0], "start": item[1], "end": item[2]}
    return item


def _answered(question: Any, remarks: Remarks) -> Any:
    answers = [item for item in question if isinstance(item, dict)] if isinstance(question, list) else [question]
    usable = [item["value"] for item in answers if isinstance(item, dict) and _are_spans(item.get("value"))]
    if len(usable) > 1:
        remarks.append(
            ("more_annotations", f"{len(usable) - 1} more answer(s) for this text are not taken; the first is.")
        )
    return usable[0] if usable else None


DIALECTS = (
    Dialect("goldset", _is_everything, _everything),
    Dialect("label_studio", _is_label_studio, _label_studio, unit=UTF16),
    Dialect("prodigy", _is_prodigy, _prodigy),
    Dialect("argilla", _is_argilla, _argilla),
    Dialect("doccano", _is_doccano, _doccano),
)
