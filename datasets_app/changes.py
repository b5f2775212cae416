"""Changes of many annotations at once, each undone in one step.

    with recording(project, user, "version.restored", data) as change:
        note_before(change, document_ids)
        note_suggestions(change, prediction_ids)
        …  # any statements on these documents' annotations and status, and on the tags of these suggestions

What they were before and after is kept with the change. Undoing puts back what was, unless somebody
has worked on one of the documents since: nobody's work is lost. One transaction, one event, both times.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from datasets_app.models import Change
from labeling.access import Person
from labeling.errors import Conflict
from labeling.events import record
from labeling.models import Annotation, Document, Project

SHOWN = 20  # documents named in a refusal; changes of one document

# Revision and time of saving grow with each change, also with the one that undoes it: they do not count.
_STATE = """
jsonb_build_object('status', document.status, 'annotations', coalesce((
  SELECT jsonb_agg(to_jsonb(annotation) - 'revision' - 'updated_at' ORDER BY annotation.id)
    FROM labeling_annotation AS annotation WHERE annotation.document_id = document.id), '[]'))
"""
_BEFORE = f"""
INSERT INTO datasets_app_changeddocument (change_id, document_id, before)
SELECT %s, document.id, {_STATE} FROM labeling_document AS document
 WHERE document.id = ANY(%s) AND document.project_id = %s ORDER BY document.id FOR UPDATE OF document
"""
_AFTER = f"""
UPDATE datasets_app_changeddocument AS changed SET after = {_STATE}
  FROM labeling_document AS document WHERE changed.change_id = %s AND document.id = changed.document_id
"""
_UNCHANGED = "DELETE FROM datasets_app_changeddocument WHERE change_id = %s AND before = after"
_LOCK = """
SELECT FROM labeling_document WHERE id IN (SELECT document_id FROM datasets_app_changeddocument WHERE change_id = %s)
 ORDER BY id FOR UPDATE
"""
_WORKED_ON = f"""
SELECT document.id FROM datasets_app_changeddocument AS changed
  JOIN labeling_document AS document ON document.id = changed.document_id
 WHERE changed.change_id = %s AND changed.after <> {_STATE} ORDER BY document.id LIMIT %s
"""
_CREATED = """
DELETE FROM labeling_annotation AS annotation USING datasets_app_changeddocument AS changed
 WHERE changed.change_id = %s AND annotation.document_id = changed.document_id
   AND NOT EXISTS (SELECT FROM jsonb_array_elements(changed.before->'annotations') AS was
                    WHERE (was->>'id')::bigint = annotation.id)
"""
# Two rows of a document cannot be accepted, not even between two rows of one statement.
_NONE_ACCEPTED = """
UPDATE labeling_annotation AS annotation SET accepted = false FROM datasets_app_changeddocument AS changed
 WHERE changed.change_id = %s AND annotation.document_id = changed.document_id AND annotation.accepted
"""
_STATUS = """
UPDATE labeling_document AS document SET status = changed.before->>'status' FROM datasets_app_changeddocument AS changed
 WHERE changed.change_id = %s AND document.id = changed.document_id
"""
_SUGGESTIONS_BEFORE = """
INSERT INTO datasets_app_changedprediction (change_id, prediction_id, before)
SELECT %s, id, tags FROM labeling_prediction WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
_SUGGESTIONS_AFTER = """
UPDATE datasets_app_changedprediction AS changed SET after = given.tags
  FROM labeling_prediction AS given WHERE changed.change_id = %s AND given.id = changed.prediction_id
"""
# What a model has suggested anew since is its own.
_SUGGESTIONS_BACK = """
UPDATE labeling_prediction AS given SET tags = changed.before FROM datasets_app_changedprediction AS changed
 WHERE changed.change_id = %s AND given.id = changed.prediction_id AND given.tags = changed.after
"""


@contextmanager
def recording(project: Project, user: Person | None, kind: str, data: dict[str, Any]) -> Iterator[Change]:
    """One transaction with its event; `kind` is the event's verb. `change.data` may be added to within."""
    with transaction.atomic():
        by = user.pk if user is not None else None
        change = Change.objects.create(project=project, kind=kind, data=data, created_by_id=by)
        yield change
        with connection.cursor() as cursor:
            for statement in (_AFTER, _UNCHANGED, _SUGGESTIONS_AFTER):
                cursor.execute(statement, [change.pk])
        change.data["documents"] = change.documents.count()
        change.save(update_fields=["data"])
        document = change.data.get("document")
        record(project, user, kind, document=document, data={"change": change.pk, **change.data})


def note_before(change: Change, documents: Sequence[int]) -> None:
    """Lock the documents and keep what they are; what is done to them from now on can be undone."""
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [change.pk, list(documents), change.project_id])


def note_suggestions(change: Change, predictions: Sequence[int]) -> None:
    """The same for the tags of suggestions."""
    with connection.cursor() as cursor:
        cursor.execute(_SUGGESTIONS_BEFORE, [change.pk, list(predictions)])


def of_document(document: Document) -> list[Change]:
    """The latest changes that reached a document, newest first."""
    found = Change.objects.filter(documents__document=document).select_related("created_by", "undone_by")
    return list(found.order_by("-id")[:SHOWN])


def changes_of(project: Project) -> QuerySet[Change]:
    """The project's changes."""
    return Change.objects.filter(project=project).select_related("created_by", "undone_by")


@transaction.atomic
def put_back(change: Change) -> None:
    """Give documents and suggestions what they had before; raises `Conflict` if a document was worked on since."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [change.pk])
        cursor.execute(_WORKED_ON, [change.pk, SHOWN])
        if worked_on := [document for (document,) in cursor.fetchall()]:
            raise Conflict(
                f"Documents {', '.join(map(str, worked_on))} were worked on since; undoing would lose that work.",
                code="changed_since",
                details={"documents": worked_on},
            )
        for statement in (_CREATED, _NONE_ACCEPTED, _restoring(), _STATUS, _SUGGESTIONS_BACK):
            cursor.execute(statement, [change.pk])


def _restoring() -> str:
    """The statement that gives annotations back all their columns but those that grow with each change."""
    kept = {"id", "document_id", "annotator_id", "revision", "created_at", "updated_at"}
    columns = [column for field in Annotation._meta.concrete_fields if (column := field.column) not in kept]
    set_back = ", ".join(f"{column} = was.{column}" for column in columns)
    return f"""
UPDATE labeling_annotation AS annotation SET revision = annotation.revision + 1, updated_at = now(), {set_back}
  FROM datasets_app_changeddocument AS changed,
       jsonb_populate_recordset(NULL::labeling_annotation, changed.before->'annotations') AS was
 WHERE changed.change_id = %s AND annotation.document_id = changed.document_id AND annotation.id = was.id
"""


def mark_undone(change: Change, user: Person) -> None:
    """Note that a change was taken back, with its event."""
    change.undone_at = timezone.now()
    change.undone_by_id = user.pk
    change.save(update_fields=["undone_at", "undone_by"])
    document = change.data.get("document")
    record(change.project, user, "change.undone", document=document, data={"change": change.pk, "kind": change.kind})


def as_json(change: Change) -> dict[str, Any]:
    """The REST shape."""
    return {
        "id": change.pk,
        "kind": change.kind,
        "data": change.data,
        "created_by": change.created_by.username if change.created_by else None,
        "created_at": change.created_at,
        "undone_by": change.undone_by.username if change.undone_by else None,
        "undone_at": change.undone_at,
    }
