"""Safe operations on labels: rename, merge, delete, retire, recolor. Each tells beforehand what it touches, and is
one transaction, one event and one undo.

What a label became is kept with the change (`map`), so that older versions and models keep their meaning
(`label_map`). A retired label keeps its spans, and no new ones are made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from datasets_app import changes, label_traces, tallies
from datasets_app.models import Change, DatasetVersion
from labeling import projects
from labeling.access import Person, label_for
from labeling.errors import Conflict, Invalid, one_of
from labeling.models import Label, Project

_FIELDS = ("id", "name", "color", "hotkey", "description", "position", "retired")
_TOUCHED = """
SELECT count(*), count(DISTINCT annotation.document_id), coalesce(sum(cardinality(array_positions(tags, %(b)s))), 0)
  FROM labeling_annotation AS annotation JOIN labeling_document AS document ON document.id = annotation.document_id
 WHERE document.project_id = %(project)s AND annotation.tags @> ARRAY[%(b)s]
"""
_SUGGESTIONS = """
SELECT prediction.id FROM labeling_prediction AS prediction
  JOIN labeling_document AS document ON document.id = prediction.document_id
 WHERE document.project_id = %(project)s AND %(b)s = ANY(prediction.tags)
"""
_DOCUMENTS = """
SELECT DISTINCT annotation.document_id
  FROM labeling_annotation AS annotation JOIN labeling_document AS document ON document.id = annotation.document_id
 WHERE document.project_id = %(project)s AND annotation.tags @> ARRAY[%(b)s]
"""
_REPLACED = "array_replace(array_replace(tags, %(b)s, %(new_b)s), %(i)s, %(new_i)s)"
_ANNOTATIONS = f"""
UPDATE labeling_annotation AS annotation
   SET tags = {_REPLACED}, revision = annotation.revision + 1, updated_at = now()
  FROM labeling_document AS document
 WHERE document.id = annotation.document_id AND document.project_id = %(project)s AND annotation.tags @> ARRAY[%(b)s]
"""
_PREDICTIONS = f"""
UPDATE labeling_prediction AS prediction SET tags = {_REPLACED} FROM labeling_document AS document
 WHERE document.id = prediction.document_id AND document.project_id = %(project)s AND %(b)s = ANY(prediction.tags)
"""


def touches(project: Project, name: str) -> dict[str, int]:
    """What an operation on the label touches: `{annotations, documents, spans, suggestions, versions}`.

    Versions that hold the label stay as they are.
    """
    label_for(project, name)
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, _values(project, name))
        annotations, documents, spans = cursor.fetchone()
        cursor.execute(f"SELECT count(*) FROM ({_SUGGESTIONS}) AS found", _values(project, name))
        (suggestions,) = cursor.fetchone()
    versions = DatasetVersion.objects.filter(project=project, labels__contains=[{"name": name}]).count()
    counted = {"annotations": annotations, "documents": documents, "spans": int(spans), "suggestions": suggestions}
    return {**counted, "versions": versions}


def _values(project: Project, name: str, new: str | None = None) -> dict[str, Any]:
    tags = {"new_b": f"B-{new}" if new else "O", "new_i": f"I-{new}" if new else "O"}
    return {"project": project.pk, "b": f"B-{name}", "i": f"I-{name}", **tags}


# Doing ---------------------------------------------------------------------------------------------------


def rename(project: Project, user: Person, name: str, *, to: str = "", color: str = "") -> Change:
    """Give the label another name, everywhere but in versions. Raises `Conflict` if a label has it: merge them."""
    with changes.recording(project, user, "label.renamed", {"label": name, "map": {name: to}}) as change:
        label = _locked(project, name)
        change.data["annotations"] = _rename(label, to)
    return change


def _rename(label: Label, to: str) -> int:
    old = label.name
    with connection.cursor() as cursor:
        # The trigger that keeps the name of a label in use lets this one pass; its annotations follow below.
        cursor.execute("SET LOCAL goldset.label_renamed = 'on'")
        label.name = to
        projects.save_label(label)
        cursor.execute("SET LOCAL goldset.label_renamed = 'off'")
        cursor.execute(_ANNOTATIONS, _values(label.project, old, to))
        changed: int = cursor.rowcount
        cursor.execute(_PREDICTIONS, _values(label.project, old, to))
    label_traces.rename(label.project, old, to)
    tallies.forget(label.project)
    return changed


def merge(project: Project, user: Person, name: str, *, to: str = "", color: str = "") -> Change:
    """Make every span of the label one of the label `to`; the label is gone then."""
    if name == to:
        raise Invalid("A label cannot be merged into itself.", details={"field": "to"})
    label_for(project, to)
    return _replace(project, user, "label.merged", name, to)


def delete(project: Project, user: Person, name: str, *, to: str = "", color: str = "") -> Change:
    """Take the label away, and its spans with it."""
    return _replace(project, user, "label.erased", name, None)


def _replace(project: Project, user: Person, kind: str, name: str, to: str | None) -> Change:
    data = {"label": name, "map": {name: to}}
    with changes.recording(project, user, kind, data) as change, connection.cursor() as cursor:
        label = _locked(project, name)
        change.data["before"] = _as_row(label)
        cursor.execute(_DOCUMENTS, _values(project, name))
        touched = {document for (document,) in cursor.fetchall()} | set(label_traces.documents(project, name))
        changes.note_before(change, sorted(touched))
        cursor.execute(_SUGGESTIONS, _values(project, name))
        changes.note_suggestions(change, [prediction for (prediction,) in cursor.fetchall()])
        cursor.execute(_ANNOTATIONS, _values(project, name, to))
        change.data["annotations"] = cursor.rowcount
        cursor.execute(_PREDICTIONS, _values(project, name, to))
        label_traces.rename(project, name, to)
        label.delete()
        tallies.forget(project)
    return change


def retire(project: Project, user: Person, name: str, *, to: str = "", color: str = "") -> Change:
    """Keep the label's spans, and let nobody make new ones."""
    return _set(project, user, "label.retired", name, {"retired": True})


def reinstate(project: Project, user: Person, name: str, *, to: str = "", color: str = "") -> Change:
    """Let a retired label be used again."""
    return _set(project, user, "label.reinstated", name, {"retired": False})


def recolor(project: Project, user: Person, name: str, *, to: str = "", color: str = "") -> Change:
    """Give the label another color."""
    return _set(project, user, "label.recolored", name, {"color": color})


def _set(project: Project, user: Person, kind: str, name: str, values: Mapping[str, Any]) -> Change:
    with changes.recording(project, user, kind, {"label": name}) as change:
        label = _locked(project, name)
        change.data["before"] = {field: getattr(label, field) for field in values}
        for field, value in values.items():
            setattr(label, field, value)
        projects.save_label(label)
        change.data["after"] = {field: getattr(label, field) for field in values}
    return change


def _locked(project: Project, name: str) -> Label:
    """Whoever is saving spans of this label comes first, or else finds what became of it."""
    label_for(project, name)
    return Label.objects.select_for_update(of=("self",)).select_related("project").get(project=project, name=name)


def _as_row(label: Label) -> dict[str, Any]:
    return {field: getattr(label, field) for field in _FIELDS}


@dataclass(frozen=True)
class Operation:
    """An operation by the name that a person gives it."""

    do: Callable[..., Change]
    text: str
    needs: str = ""  # what else must be given: `to` or `color`


OPERATIONS: Mapping[str, Operation] = {
    "rename": Operation(rename, "Rename it", "to"),
    "merge": Operation(merge, "Merge it into another label", "to"),
    "delete": Operation(delete, "Delete it with its spans"),
    "retire": Operation(retire, "Retire it: spans stay, no new ones are made"),
    "reinstate": Operation(reinstate, "Let it be used again"),
    "recolor": Operation(recolor, "Give it another color", "color"),
}


def operate(project: Project, user: Person, *, operation: str, label: str, to: str = "", color: str = "") -> Change:
    """Do one of `OPERATIONS`; raises `Invalid` for an unknown one or one that lacks what it needs."""
    needs = OPERATIONS[one_of("operation", operation, OPERATIONS)].needs
    if needs and not {"to": to, "color": color}[needs]:
        raise Invalid(f"To {operation} a label, give `{needs}`.", details={"field": needs})
    return OPERATIONS[operation].do(project, user, label, to=to, color=color)


# Undoing -------------------------------------------------------------------------------------------------


@transaction.atomic
def undo(change: Change) -> None:
    """Take a label's change back; raises `Conflict` where the label, or a text, was changed since."""
    name = change.data["label"]
    if change.kind == "label.renamed":
        _rename(_found(change.project, change.data["map"][name]), name)
    elif "map" in change.data:
        _bring_back(change.project, change.data["before"])
        changes.put_back(change)
    else:
        label = _found(change.project, name)
        for field, value in change.data["before"].items():
            if getattr(label, field) != change.data["after"][field]:
                raise Conflict(f"The {field} of {name} was changed since.", code="changed_since")
            setattr(label, field, value)
        projects.save_label(label)


def _found(project: Project, name: str) -> Label:
    if not project.labels.filter(name=name).exists():
        raise Conflict(f"The label {name!r} is not there any more; undo what became of it first.", code="changed_since")
    return _locked(project, name)


def _bring_back(project: Project, row: Mapping[str, Any]) -> None:
    free = not project.labels.filter(hotkey=row["hotkey"]).exists()
    projects.save_label(Label(project=project, **{**row, "hotkey": row["hotkey"] if free else ""}))
    tallies.forget(project)
