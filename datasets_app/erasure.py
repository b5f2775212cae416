"""Erasing a document for good, as a person may ask: nothing of its text stays, and a tombstone says that it was there.

The row stays, archived, with blocks in the place of its tokens; so do its items of frozen versions, without its key.
Versions leave it out of what they give; their counts and fingerprints are those of the day on which they were made.
Not reached: files that were exported before, backups, models that were trained on it, and what people wrote into
notes that events keep.
"""

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from datasets_app import likeness
from datasets_app.models import (
    ChangedDocument,
    ChangedPrediction,
    DatasetVersion,
    Described,
    Duplicate,
    JobError,
    TextKey,
    VersionItem,
)
from labeling.access import Person, document_for
from labeling.events import record
from labeling.models import Annotation, Assignment, Document, Event, Prediction, Project

BLOCK = "█"
HEIRS_MAX = 1000  # texts of a group that are looked at for keys that an erased one had


@transaction.atomic
def erase(project: Project, user: Person, document_id: int, *, reason: str = "") -> Document:
    """Erase a document, all annotations and suggestions of it and whatever quotes it. Cannot be undone; repeatable."""
    document = document_for(project, document_id, lock=True)
    if document.erased_at is not None:
        return document
    versions = list(DatasetVersion.objects.filter(items__document=document).order_by("number"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL goldset.erasing = 'on'")
        _forget_duplicates(document)
        _forget_work(document)
        _forget_quotes(document, versions)
        _bury(document)
        cursor.execute("SET LOCAL goldset.erasing = 'off'")
    data = {"versions": [version.number for version in versions], "reason": reason}
    record(project, user, "document.erased", document=document, data=data)
    return document


def _forget_duplicates(document: Document) -> None:
    """The keys by which it is found, and its place in its group; the group's next document becomes its first."""
    (known,) = likeness.of([document.text])
    held = TextKey.objects.filter(key__in=known.keys, project=document.project_id, document_id=document.pk)
    place = Duplicate.objects.filter(document=document).first()
    if place is None:
        held.delete()
        return
    _hand_over(held, place)
    place.delete()
    others = Duplicate.objects.filter(project=document.project_id, first=place.first_id)
    remaining = list(others.order_by("document_id").values_list("document_id", flat=True)[:2])
    if len(remaining) == 1:  # a group of one is none
        others.delete()
    elif remaining and place.first_id == document.pk:
        others.update(first=remaining[0])


def _hand_over(held: QuerySet[TextKey], place: Duplicate) -> None:
    """Give the keys to texts of its group that have them too: by these, duplicates that are yet to come are found."""
    keys = set(held.values_list("key", flat=True))
    held.delete()
    group = Duplicate.objects.filter(project=place.project_id, first=place.first_id).exclude(pk=place.pk)
    heirs = Document.objects.filter(pk__in=group.order_by("pk").values("pk")[:HEIRS_MAX]).order_by("pk")
    for heir, each in zip(heirs, likeness.of([heir.text for heir in heirs]), strict=True):
        own = keys.intersection(each.keys)
        keys -= own
        TextKey.objects.bulk_create(TextKey(key=key, project_id=place.project_id, document_id=heir.pk) for key in own)


def _forget_work(document: Document) -> None:
    ChangedPrediction.objects.filter(
        prediction_id__in=Prediction.objects.filter(document=document).values("pk")
    ).delete()
    for rows in (Annotation, Prediction, Assignment, ChangedDocument):
        rows.objects.filter(document=document).delete()


def _forget_quotes(document: Document, versions: list[DatasetVersion]) -> None:
    """Its key in versions, and texts of it in leak reports, counted surfaces and complaints about its line."""
    VersionItem.objects.filter(document=document).update(key=_key(document))
    for version in versions:
        if version.report is not None:
            version.report["leaks"]["examples"] = _without(document, version.report["leaks"]["examples"])
            version.save(update_fields=["report"])
    Described.objects.filter(project=document.project_id).delete()
    JobError.objects.filter(job_id=document.source, line=document.line).delete()


def _without(document: Document, examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in examples if all(text["document"] != document.pk for text in one["texts"])]


def _key(document: Document) -> str:
    return f"erased-{document.pk}"


def _bury(document: Document) -> None:
    """Blocks with blanks between: as many tokens as there were, so that frozen tags still fit."""
    count = len(document.token_starts)
    document.text = " ".join([BLOCK] * count)
    document.token_starts, document.token_ends = list(range(0, 2 * count, 2)), list(range(1, 2 * count, 2))
    document.key = document.group_key = _key(document)
    document.meta, document.layout = {}, None
    document.status = Document.Status.PENDING
    document.erased_at = timezone.now()
    document.archived_at = document.archived_at or document.erased_at
    document.save()


def erased_in(version: DatasetVersion) -> int:
    """How many documents of a version were erased since."""
    gone = Event.objects.filter(
        project=version.project_id, verb="document.erased", data__versions__contains=version.number
    )
    return gone.count()
