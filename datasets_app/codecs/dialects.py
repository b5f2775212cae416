"""JSON objects of other tools in our own shape: doccano, Label Studio, Prodigy, Argilla, pipelines' entities.

Each tool is a row of a table: by which keys its objects are known, how one is turned into
`{"text" or "tokens", "spans"?, "tags"?, "suggested"?, "id"?, "split"?, "meta"?}`, and how it counts characters. What a
tool says beside that goes to `meta`; what cannot be taken goes to `remarks`, which the import reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.codecs.units import CODE_POINTS, UTF16
from datasets_app.records import ReadOptions, Refused, shown
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


def translate(values: Values, options: ReadOptions) -> tuple[Values, str, Remarks]:
    """The object in our shape, the unit of its offsets, and what is to be said about it."""
    remarks: Remarks = []
    for dialect in DIALECTS:
        if dialect.known(values):
            found = dialect.ours(values, remarks)
            _suggest(found, found.pop("suggested", None), remarks, options)
            return found, dialect.unit, remarks
    return values, CODE_POINTS, remarks


def _suggest(found: dict[str, Any], suggested: Any, remarks: Remarks, options: ReadOptions) -> None:
    """Take what a model suggested for a text that nobody has labeled, if that is asked for; else say that it is not."""
    if not suggested or found.get("spans") is not None or not options.tags:
        return
    if options.suggestions:
        found["spans"] = suggested
    else:
        why = "Nobody has labeled this text, and what a model suggested is taken only with annotations=suggest."
        remarks.append(("suggestions_left_out", why))


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
        found["spans"], others = _results(annotation, remarks)
        found["meta"] |= {"result": others} if others else {}
    predictions = _list(values.get("predictions") or [], "predictions")
    if annotation is None and predictions:
        found["suggested"], _ = _results(_dict(predictions[-1], "predictions[]"), remarks)
    return found


_REGIONS = (None, "labels", "hypertextlabels")


def _results(given: Values, remarks: Remarks) -> tuple[list[dict[str, Any]], list[Any]]:
    """The spans of an annotation or a prediction, and what else it says; labels of other kinds are reported."""
    results = [_dict(item, "result[]") for item in _list(given.get("result"), "result")]
    spans = _regions([item.get("value") for item in results if item.get("type") in _REGIONS])
    others = [item for item in results if item.get("type") not in _REGIONS]
    left = sorted({str(item["type"]) for item in others if str(item["type"]).endswith("labels")})
    if left:
        remarks.append(("regions_left_out", f"Regions of type {', '.join(map(shown, left))} are not taken."))
    return spans, others


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
        region = _hypertext(_dict(value, "value"))
        for label in _list(region.get("labels") or [None], "labels"):
            found.append({"start": region.get("start"), "end": region.get("end"), "label": label or ""})
            if isinstance(region.get("text"), str):
                found[-1]["text"] = region["text"]
    return found


def _hypertext(region: dict[str, Any]) -> dict[str, Any]:
    """A region of a text that was shown as HTML: its place counts from the beginning of the text."""
    place = region.get("globalOffsets")
    if not isinstance(place, dict):
        return region
    return {**region, "start": place.get("start"), "end": place.get("end"), "labels": region.get("hypertextlabels")}


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
        found |= {} if given is None else {"spans": [_old_argilla(item) for item in _list(given, "annotation")]}
        return found | {
            "suggested": [_old_argilla(item) for item in _list(values.get("prediction") or [], "prediction")]
        }
    fields = _dict(values["fields"], "fields")
    name = _text_of(fields)
    meta = _rest(fields, name) | _dict(values.get("metadata") or {}, "metadata")
    found = {"text": fields[name], "id": _first(values, "external_id", "id"), "meta": meta}
    responses = _dict(values.get("responses") or {}, "responses")
    spans = [value for question in responses.values() if (value := _answered(question, remarks)) is not None]
    if spans:
        found["spans"] = spans[0]
    suggestions = _dict(values.get("suggestions") or {}, "suggestions")
    found["suggested"] = next((each["value"] for each in suggestions.values() if _suggests(each)), None)
    return found


def _suggests(value: Any) -> bool:
    return isinstance(value, dict) and _are_spans(value.get("value"))


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


# Argilla's records as rows of a table, each question and each metadata in columns of its own.
_ROW_FIELDS = ("id", "external_id", "status", "_server_id", "split")
_ANSWERS, _SUGGESTION, _METADATA = ".responses", ".suggestion", "metadata."


def _is_argilla_row(values: Values) -> bool:
    return any(name.endswith((_ANSWERS, _SUGGESTION)) for name in values)


def _argilla_row(values: Values, remarks: Remarks) -> dict[str, Any]:
    fields = {name: value for name, value in values.items() if "." not in name and name not in _ROW_FIELDS}
    name = _text_of(fields)
    meta = _rest(fields, name, "vectors")
    meta |= {key.removeprefix(_METADATA): value for key, value in values.items() if key.startswith(_METADATA) and value}
    found = {
        "text": fields[name],
        "id": _first(values, "external_id", "id"),
        "split": values.get("split"),
        "meta": meta,
    }
    asked = [_list(value, key) for key, value in values.items() if key.endswith(_ANSWERS) and value]
    spans = [value for each in asked if (value := _answered([{"value": one} for one in each], remarks)) is not None]
    if spans:
        found["spans"] = spans[0]
    offered = [value for key, value in values.items() if key.endswith(_SUGGESTION) and value]
    return found | {"suggested": next(filter(_are_spans, offered), None)}


# Tokens and tags under other names, as data sets have them -------------------------------------------------

_TAGS = ("tags", "ner_tags", "ner", "ner_labels", "labels")


def _words(values: Values) -> Any:
    found = values.get("tokens")
    return values.get("words") if found is None else found


def _tags_name(values: Values) -> str | None:
    """The field with a tag for each word; a list of another length is something else."""
    words = _words(values)
    if not isinstance(words, list):
        return None
    return next(
        (name for name in _TAGS if isinstance(values.get(name), list) and len(values[name]) == len(words)), None
    )


def _is_words(values: Values) -> bool:
    name = _tags_name(values)
    if values.get("tokens") is None and isinstance(values.get("words"), list):
        return "text" not in values or name is not None
    return name not in (None, "tags", "ner_tags") or (name is not None and _are_surfaces(values.get("spans")))


def _are_surfaces(value: Any) -> bool:
    """What WikiANN calls spans: `["PER: Ada Lovelace"]`, which the tags say too."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _other_names(values: Values, remarks: Remarks) -> dict[str, Any]:
    name, left = _tags_name(values), {"words", "tokens"}
    found = {"tokens": _words(values)}
    if name is not None:
        found["tags"], left = values[name], left | {name}
    if _are_surfaces(values.get("spans")):
        found["meta"], left = (
            {**_dict(values.get("meta") or {}, "meta"), "spans": values["spans"]},
            left | {"spans", "meta"},
        )
    return {**{name: value for name, value in values.items() if name not in left}, **found}


DIALECTS = (
    Dialect("goldset", _is_everything, _everything),
    Dialect("label_studio", _is_label_studio, _label_studio, unit=UTF16),
    Dialect("prodigy", _is_prodigy, _prodigy),
    Dialect("argilla", _is_argilla, _argilla),
    Dialect("argilla_row", _is_argilla_row, _argilla_row),
    Dialect("doccano", _is_doccano, _doccano),
    Dialect("words", _is_words, _other_names),
)
