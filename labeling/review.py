"""Deciding which annotation of a document is the gold one: compare, accept, correct, take back, return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import alignment, annotate, bio, documents, predictions, projects, provenance
from labeling.access import Person, annotation_for, document_for
from labeling.annotate import mark_accepted, settle
from labeling.errors import Conflict
from labeling.events import record
from labeling.models import Annotation, Assignment, Document, Project


def waiting(project: Project) -> QuerySet[Document]:
    """Documents that wait for a reviewer, in the order of `id`."""
    return Document.objects.filter(project=project, status=Document.Status.SUBMITTED, archived_at=None)


def following(project: Project, document_id: int) -> int | None:
    """The id of the next waiting document after this one, from the front again at the end."""
    ids = waiting(project).order_by("id").values_list("id", flat=True)
    return ids.filter(pk__gt=document_id).first() or ids.filter(pk__lt=document_id).first()


@dataclass(frozen=True)
class Comparison:
    """What people submitted for a text and what a model suggests, aligned: one version each, in this order."""

    document: Document
    annotations: list[Annotation]
    suggestion: predictions.Suggestion | None
    agreed: list[bio.Span]
    differences: list[alignment.Difference]

    @property
    def versions(self) -> list[list[bio.Span]]:
        """The spans of each version: those of the annotations, then those of the suggestion if there is one."""
        tags = [annotation.tags for annotation in self.annotations]
        return [bio.spans(each) for each in (*tags, *([self.suggestion.tags] if self.suggestion else []))]


def compare(document: Document) -> Comparison:
    """The submitted annotations of a document, in the order in which they were begun, and the suggestion."""
    submitted = document.annotations.filter(state=Annotation.State.SUBMITTED)
    annotations = list(submitted.select_related("annotator").order_by("id"))
    suggestion = predictions.suggestion(document)
    bare = Comparison(document, annotations, suggestion, [], [])
    versions = bare.versions
    return Comparison(document, annotations, suggestion, alignment.agreed(versions), alignment.differences(versions))


@dataclass(frozen=True)
class Seen:
    """What a reviewer saw when deciding: the document's status, and the revision of each annotation by its id."""

    status: str
    annotations: Mapping[str, int]


def _require_seen(document: Document, seen: Seen | None) -> None:
    """Raise `Conflict` if the document or an annotation of it has changed since."""
    if seen is None:
        return
    now = dict(document.annotations.filter(state=Annotation.State.SUBMITTED).values_list("id", "revision"))
    if document.status != seen.status or {str(pk): revision for pk, revision in now.items()} != dict(seen.annotations):
        raise Conflict(
            "Somebody changed or decided about this text meanwhile; look at it again before you decide.",
            code="changed_meanwhile",
            details={"status": document.status},
        )


@transaction.atomic
def accept(
    project: Project, reviewer: Person, document_id: int, *, annotation_id: int, seen: Seen | None = None
) -> Annotation:
    """Accept a submitted annotation; another one that was accepted is no longer. Repeating is harmless.

    With `seen`, raises `Conflict` if what the reviewer decided on is no longer what is there.
    """
    document = document_for(project, document_id, lock=True)
    annotation = annotation_for(document, annotation_id)
    if not (annotation.accepted and annotation.accepted_by_id == reviewer.pk):  # else the request came a second time
        _require_seen(document, seen)
    if annotation.state != Annotation.State.SUBMITTED:
        raise Conflict(
            f"Annotation {annotation.pk} is a {annotation.state}, not submitted; it cannot be accepted.",
            code="not_submitted",
            details={"annotation": annotation.pk, "state": annotation.state},
        )
    return _make_gold(project, reviewer, document, annotation)


@transaction.atomic
def correct(
    project: Project, reviewer: Person, document_id: int, *, tags: Sequence[str], seen: Seen | None = None
) -> Annotation:
    """Accept a reviewer's own tags instead; the annotators' rows stay as they were, for comparison.

    Its provenance says of each span who had it so, or that it was the model's, or drawn. `seen` as in `accept`.
    """
    document = document_for(project, document_id, lock=True)
    bio.require_legal(tags, length=len(document.token_starts), labels=project.labels.values_list("name", flat=True))
    before = [tag for each in document.annotations.all() for tag in each.tags]
    projects.require_not_retired(project, tags, before)
    own = document.annotations.filter(annotator_id=reviewer.pk).first()
    if own is None or not own.accepted or own.tags != list(tags):  # else the request came a second time
        _require_seen(document, seen)
    document.annotations.filter(accepted=True).exclude(annotator_id=reviewer.pk).update(accepted=False)
    annotation = own or Annotation(document=document, annotator_id=reviewer.pk, revision=0)
    if annotation.tags != list(tags) or annotation.state != Annotation.State.SUBMITTED:
        annotation.tags = list(tags)
        annotation.provenance = _judged(document, reviewer, tags)
        annotation.suggested_by, annotation.suggestion_use = "", {}  # it is judged here, not labeled with suggestions
        annotation.accepted = False  # a correction of one's own correction is a decision of its own
        annotation.state = Annotation.State.SUBMITTED
        annotation.submitted_at = timezone.now()
        annotation.revision += 1
        annotation.save()
    return _make_gold(project, reviewer, document, annotation)


def _judged(document: Document, reviewer: Person, tags: Sequence[str]) -> dict[str, Any]:
    compared = compare(document)
    others = [each for each in compared.annotations if each.annotator_id != reviewer.pk]
    said = {each.annotator.get_username(): each.tags for each in others}
    return provenance.judged(tags, said, compared.suggestion.offers if compared.suggestion else [])


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


def as_json(compared: Comparison) -> dict[str, Any]:
    """The REST shape of a comparison; readings stand in the order of the versions: annotations, then the suggestion."""
    return {
        "document": documents.as_json(compared.document),
        "annotations": [annotate.as_json(annotation) for annotation in compared.annotations],
        "suggestion": predictions.as_json(compared.suggestion),
        "agreed": [_span(span) for span in compared.agreed],
        "differences": [
            {
                "start": each.start,
                "end": each.end,
                "readings": [[_span(span) for span in reading] for reading in each.readings],
            }
            for each in compared.differences
        ],
    }


def _span(span: bio.Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "label": span.label}
