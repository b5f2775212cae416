"""Which document a person labels next: leases, overlap, and the mix of training and held-out texts.

A person first gets back what was returned to them, then what they still hold, then something new.
New documents of `train` come by priority (the active-learning order); those of `validation` and `test`
come in random order. Claims use `FOR UPDATE SKIP LOCKED`, so people do not wait for each other.
"""

import random
from collections.abc import Collection, Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from labeling.access import Person, document_for
from labeling.events import record
from labeling.models import Annotation, Assignment, Document, Project, Split

# Slots taken by others: submitted annotations and live leases. %(me)s never counts against themselves.
_TAKEN = """
  SELECT count(*) FROM (
    SELECT annotator_id FROM labeling_annotation
     WHERE document_id = document.id AND state = 'submitted' AND annotator_id <> %(me)s
    UNION
    SELECT annotator_id FROM labeling_assignment
     WHERE document_id = document.id AND skipped_at IS NULL AND expires_at > now() AND annotator_id <> %(me)s
  ) AS taken"""
_NEXT = f"""
SELECT document.id FROM labeling_document AS document
 WHERE document.project_id = %(project)s AND document.split = %(split)s
   AND document.status = 'pending' AND document.archived_at IS NULL AND document.id <> ALL(%(exclude)s)
   AND NOT EXISTS (SELECT FROM labeling_annotation
                    WHERE document_id = document.id AND annotator_id = %(me)s AND state = 'submitted')
   AND NOT EXISTS (SELECT FROM labeling_assignment
                    WHERE document_id = document.id AND annotator_id = %(me)s AND skipped_at IS NOT NULL)
   AND ({_TAKEN}) < %(overlap)s
 ORDER BY document.priority DESC, document.id LIMIT 1 FOR UPDATE OF document SKIP LOCKED"""


@transaction.atomic
def lease(project: Project, user: Person, *, exclude: Collection[int] = ()) -> Assignment | None:
    """The person's next document, leased to them; None when nothing is left. Asking again gives the same one.

    `exclude` names documents that the client holds already, to fetch others ahead.
    """
    held = _held(project, user, exclude)
    if held is not None:
        return _grant(project, user, held)
    for split in _order_of_splits(project):
        found = _claim(project, user, split, exclude)
        if found is not None:
            return _grant(project, user, found)
    return None


def _held(project: Project, user: Person, exclude: Collection[int]) -> int | None:
    """A document returned to the person, or leased to them and not done; what they have begun comes first."""
    own = Annotation.objects.filter(document=OuterRef("pk"), annotator_id=user.pk)
    mine = Assignment.objects.filter(document=OuterRef("pk"), annotator_id=user.pk)
    leased, skipped = mine.filter(expires_at__gt=timezone.now(), skipped_at=None), mine.exclude(skipped_at=None)
    open_to_them = Document.objects.filter(project=project, status="pending", archived_at=None).exclude(pk__in=exclude)
    returned = open_to_them.filter(Exists(own.filter(state=Annotation.State.RETURNED)), ~Exists(skipped)).order_by("id")
    held = open_to_them.filter(Exists(leased), ~Exists(own.filter(state=Annotation.State.SUBMITTED)))
    begun = held.annotate(begun=Exists(own)).order_by("-begun", "-priority", "id")
    for query in (returned, begun):
        if (found := query.values_list("pk", flat=True).first()) is not None:
            return int(found)
    return None


def _order_of_splits(project: Project) -> list[str]:
    """Which part to look in first, drawn at the project's rate; the others follow, so that none is forgotten."""
    held_out = [Split.VALIDATION.value, Split.TEST.value]
    # Which text comes next is no secret, so the plain generator will do.
    random.shuffle(held_out)
    first_held_out = random.random() < project.held_out_rate
    return [*held_out, Split.TRAIN.value] if first_held_out else [Split.TRAIN.value, *held_out]


def _claim(project: Project, user: Person, split: str, exclude: Collection[int]) -> int | None:
    """Lock the next free document of a split."""
    for document_id in _candidates(project, user, split, list(exclude)):
        # Seen again under the lock: a lease that committed between the search and the lock is not overlooked.
        if _has_free_slot(document_id, user, project.overlap):
            return document_id
    return None


def _candidates(project: Project, user: Person, split: str, exclude: list[int]) -> Iterator[int]:
    while True:
        values = {
            "project": project.pk, "split": split, "me": user.pk, "overlap": project.overlap, "exclude": exclude,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, values)
            row = cursor.fetchone()
        if row is None:
            return
        yield int(row[0])
        exclude = [*exclude, int(row[0])]


def _has_free_slot(document_id: int, user: Person, overlap: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT document.status = 'pending' AND ({_TAKEN}) < %(overlap)s"
            " FROM labeling_document AS document WHERE document.id = %(document)s",
            {"me": user.pk, "document": document_id, "overlap": overlap},
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _grant(project: Project, user: Person, document_id: int) -> Assignment:
    expires = timezone.now() + timedelta(minutes=project.lease_minutes)
    assignment, created = Assignment.objects.select_related("document").update_or_create(
        document_id=document_id, annotator_id=user.pk, defaults={"expires_at": expires, "skipped_at": None}
    )
    if created:
        record(project, user, "document.leased", document=document_id)
    return assignment


@transaction.atomic
def take(project: Project, user: Person, document: Document) -> Assignment | None:
    """A lease on one given document, if it has a free slot; the caller holds its lock."""
    if not _has_free_slot(document.pk, user, project.overlap):
        return None
    return _grant(project, user, document.pk)


@transaction.atomic
def skip(project: Project, user: Person, document_id: int, *, reason: str = "") -> Assignment:
    """Put a document aside for this person; others may still get it. Skipping again changes the reason only."""
    document = document_for(project, document_id, lock=True)
    now = timezone.now()
    assignment, _ = Assignment.objects.update_or_create(
        document=document,
        annotator_id=user.pk,
        defaults={"skipped_at": now, "skip_reason": reason},
        create_defaults={"skipped_at": now, "skip_reason": reason, "expires_at": now},
    )
    record(project, user, "document.skipped", document=document, data={"reason": reason})
    return assignment
