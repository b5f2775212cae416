"""How an import is to be done: its options with their defaults, checked, as they stand in the job's `params`.

Pure: `checked` raises `Invalid` for a wrong one; `reading` and `fitting` give what codecs and grids take.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets_app.codecs.units import UNITS
from datasets_app.records import SPLITS, Failure, ReadOptions, Record
from labeling import bio
from labeling.errors import Invalid, one_of

CHOICES = {
    "annotations": ("accept", "suggest", "ignore"),
    "labels": ("create", "report"),
    "unit": ("sentence", "document"),
    "offsets": UNITS,
    "overlaps": ("refuse", "longest", "first"),
    "grid": ("cut", "keep"),
    "on_error": ("keep", "refuse"),
}
DEFAULTS: Mapping[str, Any] = {
    **{name: allowed[0] for name, allowed in CHOICES.items()},
    "format": "auto",
    "split": None,
    "text_column": "",
    "id_column": "",
    "split_column": "",
    "tag_names": [],
    "label_map": {},
    "dry_run": False,
}
_ALWAYS = ("format", "annotations", "split", "unit", "labels")


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are kept, the rarer ones only if they are not at their defaults; raises `Invalid`."""
    unknown = sorted(given.keys() - DEFAULTS.keys())
    if unknown:
        raise Invalid(f"An import has no option {unknown[0]!r}.", details={"field": unknown[0]})
    params = {**DEFAULTS, **{name: value for name, value in given.items() if value is not None}}
    for field, allowed in CHOICES.items():
        one_of(field, params[field], allowed)
    if params["split"]:
        one_of("split", params["split"], SPLITS)
    params["split"] = SPLITS.get(params["split"] or "")
    params["tag_names"] = _tag_names(params["tag_names"])
    params["label_map"] = _label_map(params["label_map"])
    return {name: value for name, value in params.items() if name in _ALWAYS or value != DEFAULTS[name]}


def _tag_names(given: str | Sequence[str]) -> list[str]:
    names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
    return [name for name in names if name] if names != [""] else []


def _label_map(given: str | Mapping[str, str | None]) -> dict[str, str | None]:
    try:
        values = json.loads(given or "{}") if isinstance(given, str) else given
    except (ValueError, RecursionError) as error:
        raise _bad_map(f"it is not JSON: {error}") from None
    if not isinstance(values, Mapping):
        raise _bad_map("it is no object")
    for name, value in values.items():
        if not (value is None or (isinstance(value, str) and value)) or not name or "\0" in f"{name}{value}":
            raise _bad_map(f"{name!r} goes to {value!r}")
    return dict(values)


def _bad_map(why: str) -> Invalid:
    example = '{"PERSON": "PER", "DATE": null}'
    message = f"label_map must be an object such as {example}, where null leaves a label out; {why}."
    return Invalid(message, details={"field": "label_map"})


def reading(params: Mapping[str, Any]) -> ReadOptions:
    """What a codec is told. Jobs from before an option existed have its default."""
    given = {**DEFAULTS, **params}
    return ReadOptions(
        unit=given["unit"],
        tags=given["annotations"] != "ignore",
        suggestions=given["annotations"] == "suggest",
        offsets=given["offsets"],
        tag_names=tuple(given["tag_names"]),
        text_column=given["text_column"],
        id_column=given["id_column"],
        split_column=given["split_column"],
    )


def fitting(params: Mapping[str, Any]) -> dict[str, Any]:
    """What `grids.fit` is told."""
    given = {**DEFAULTS, **params}
    return {"overlaps": given["overlaps"], "cut": given["grid"] == "cut"}


def relabeled(records: Iterator[Record | Failure], names: Mapping[str, str | None]) -> Iterator[Record | Failure]:
    """The records with their labels renamed; those that go to None are left out."""
    if not names:
        yield from records
        return
    for record in records:
        yield _relabeled(record, names) if isinstance(record, Record) else record


def _relabeled(record: Record, names: Mapping[str, str | None]) -> Record:
    tags, spans = record.tags, record.spans
    if tags is not None:
        tags = [_renamed(tag, names) for tag in tags]
    if spans is not None:
        named = [(span, names.get(span.label, span.label)) for span in spans]
        spans = [span._replace(label=name) for span, name in named if name is not None]
    return replace(record, tags=tags, spans=spans)


def _renamed(tag: str, names: Mapping[str, str | None]) -> str:
    prefix, label = bio.split_tag(tag)
    name = names.get(label, label)
    return tag if name == label else bio.OUTSIDE if name is None else f"{prefix}-{name}"
