"""Deciding which annotation of a document is the gold one: accept, correct, take back, return."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import bio, projects, provenance
from labeling.access import Person, annotation_for, document_for
from labeling.annotate import mark_accepted, settle
from labeling.errors import Conflict
from labeling.events import record
from labeling.models import Annotation, Assignment, Document, Project


def waiting(project: Project) -> QuerySet[Document]:
    """Documents that wait for a reviewer, in the order of `id`."""
    return Document.objects.filter(project=project, status=Document.Status.SUBMITTED, archived_at=None)


@transaction.atomic
def accept(project: Project, reviewer: Person, document_id: int, *, annotation_id: int) -> Annotation:
    """Accept a submitted annotation; another one that was accepted is no longer. Repeating is harmless."""
    document = document_for(project, document_id, lock=True)
    annotation = annotation_for(document, annotation_id)
    if annotation.state != Annotation.State.SUBMITTED:
        raise Conflict(
            f"Annotation {annotation.pk} is a {annotation.state}, not submitted; it cannot be accepted.",
            code="not_submitted",
            details={"annotation": annotation.pk, "state": annotation.state},
        )
    return _make_gold(project, reviewer, document, annotation)


@transaction.atomic
def correct(project: Project, reviewer: Person, document_id: int, *, tags: Sequence[str]) -> Annotation:
    """Accept a reviewer's own tags instead; the annotators' rows stay as they were, for comparison."""
    document = document_for(project, document_id, lock=True)
    bio.require_legal(tags, length=len(document.token_starts), labels=project.labels.values_list("name", flat=True))
    before = [tag for each in document.annotations.all() for tag in each.tags]
    projects.require_not_retired(project, tags, before)
    document.annotations.filter(accepted=True).exclude(annotator_id=reviewer.pk).update(accepted=False)
    own = document.annotations.filter(annotator_id=reviewer.pk).first()
    annotation = own or Annotation(document=document, annotator_id=reviewer.pk, revision=0)
    if annotation.tags != list(tags) or annotation.state != Annotation.State.SUBMITTED:
        annotation.tags = list(tags)
        annotation.accepted = False  # a correction of one's own correction is a decision of its own
        annotation.state = Annotation.State.SUBMITTED
        annotation.submitted_at = timezone.now()
        annotation.revision += 1
        annotation.save()
    return _make_gold(project, reviewer, document, annotation)


def _make_gold(project: Project, reviewer: Person, document: Document, annotation: Annotation) -> Annotation:
    if document.archived_at is not None:
        raise Conflict("The document is archived; restore it before deciding about it.", code="archived")
    if annotation.accepted and document.status == Document.Status.ACCEPTED:
        return annotation
    document.annotations.filter(accepted=True).exclude(pk=annotation.pk).update(accepted=False)
    mark_accepted(annotation, by=reviewer)
    record(project, reviewer, "annotation.accepted", document=document, data=_difference(document, annotation))
    settle(project, document)
    return annotation


def _difference(document: Document, gold: Annotation) -> dict[str, object]:
    """Per annotator, what the gold tags kept, edited, rejected and added: how often people are corrected."""
    others = document.annotations.exclude(pk=gold.pk).filter(state=Annotation.State.SUBMITTED)
    against = {str(other.annotator_id): provenance.between(other.tags, gold.tags) for other in others}
    return {"annotation": gold.pk, "against": against}


@transaction.atomic
def take_back(project: Project, reviewer: Person, document_id: int) -> Document:
    """Undo an acceptance: the document waits for a decision again. Repeating is harmless."""
    document = document_for(project, document_id, lock=True)
    gold = document.annotations.filter(accepted=True).first()
    if gold is None:
        return document
    gold.accepted = False
    gold.save(update_fields=["accepted"])
    record(project, reviewer, "acceptance.taken_back", document=document, data={"annotation": gold.pk})
    _reopen(document)
    return document


def _reopen(document: Document) -> None:
    """To review if somebody submitted, else to label: a reviewer decides, whatever the review policy says."""
    submitted = document.annotations.filter(state=Annotation.State.SUBMITTED).exists()
    document.status = Document.Status.SUBMITTED if submitted else Document.Status.PENDING
    document.save(update_fields=["status"])


@transaction.atomic
def give_back(
    project: Project, reviewer: Person, document_id: int, *, annotation_id: int, note: str = ""
) -> Annotation:
    """Return an annotation to its author with a note; it is the next document that they are given."""
    document = document_for(project, document_id, lock=True)
    annotation = annotation_for(document, annotation_id)
    if annotation.state == Annotation.State.DRAFT:
        raise Conflict("A draft cannot be returned: its author still has it.", code="not_submitted")
    annotation.accepted = False
    annotation.state = Annotation.State.RETURNED
    annotation.note = note
    annotation.revision += 1
    annotation.save()
    Assignment.objects.update_or_create(
        document=document,
        annotator_id=annotation.annotator_id,
        defaults={"expires_at": timezone.now() + timedelta(days=7), "skipped_at": None},
    )
    record(
        project,
        reviewer,
        "annotation.returned",
        document=document,
        data={"annotation": annotation.pk, "note": note},
    )
    document.status = Document.Status.PENDING
    document.save(update_fields=["status"])
    return annotation
