"""Saving a person's tags for a document: drafts, submissions, and what a submission sets in motion."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling import bio, predictions, projects, provenance, queue
from labeling.access import Person, document_for
from labeling.errors import Conflict, Invalid
from labeling.events import record
from labeling.models import Annotation, Assignment, Document, Project, Review

Tags = Sequence[str]


@dataclass(frozen=True)
class Aside:
    """What a client says beside the tags: None leaves what is known.

    `suggested_by` is the model whose suggestions the person saw ("" for none), `rejected` those that they rejected.
    """

    rejected: Collection[bio.Span] = ()
    suggested_by: str | None = None
    flagged: bool | None = None
    comment: str | None = None


@transaction.atomic
def save(
    project: Project,
    user: Person,
    document_id: int,
    *,
    tags: Tags,
    revision: int,
    submit: bool,
    seconds: float = 0,
    aside: Aside = Aside(),
) -> Annotation:
    """Save tags as a draft or as submitted; `revision` is the one last seen, 0 for the first save.

    Raises `Conflict` (with the current row in its details) when somebody saved meanwhile, when the
    annotation is accepted, or when the document has all its annotators. Repeating a save is harmless.
    """
    document = document_for(project, document_id, lock=True)
    bio.require_legal(tags, length=len(document.token_starts), labels=project.labels.values_list("name", flat=True))
    current = document.annotations.select_for_update().filter(annotator_id=user.pk).first()
    if current is not None and _is_repeat(current, tags, revision=revision, submit=submit):
        return current
    _require_current(current, revision)
    projects.require_not_retired(project, tags, current.tags if current is not None else ())
    _require_open(project, user, document, current)
    reopened = current is not None and current.state == Annotation.State.SUBMITTED and not submit
    annotation = current or Annotation(document=document, annotator_id=user.pk, revision=0)
    _write(annotation, tags, submit=submit, seconds=seconds)
    _trace(annotation, aside)
    annotation.save()
    if submit:
        record(project, user, "annotation.submitted", document=document, data={"annotation": annotation.pk})
        settle(project, document)
        annotation.refresh_from_db()
    elif reopened:
        record(project, user, "annotation.reopened", document=document, data={"annotation": annotation.pk})
        settle(project, document)
        queue.take(project, user, document)  # theirs again, before it is served to somebody else
    return annotation


def _is_repeat(current: Annotation, tags: Tags, *, revision: int, submit: bool) -> bool:
    state = Annotation.State.SUBMITTED if submit else Annotation.State.DRAFT
    return current.revision == revision + 1 and current.tags == list(tags) and current.state == state


def _require_current(current: Annotation | None, revision: int) -> None:
    seen = current.revision if current else 0
    if revision != seen:
        raise Conflict(
            f"This annotation was saved elsewhere meanwhile: revision {seen} is current, you sent {revision}.",
            code="stale_revision",
            details={"current": as_json(current) if current else None},
        )


def _require_open(project: Project, user: Person, document: Document, current: Annotation | None) -> None:
    """Raise `Conflict` unless this person may still label this document."""
    if document.archived_at is not None:
        raise Conflict("The document is archived; restore it before labeling it.", code="archived")
    if current is not None and current.accepted:
        raise Conflict(
            "This annotation is accepted; a reviewer must take the acceptance back before it can change.",
            code="accepted",
            details={"current": as_json(current)},
        )
    # Whoever was given the document once may finish it, even when the lease ran out: no work is lost.
    if current is not None or Assignment.objects.filter(document=document, annotator_id=user.pk).exists():
        return
    if document.status == Document.Status.ACCEPTED or queue.take(project, user, document) is None:
        raise Conflict("The document has all the annotators it needs.", code="taken")


def _write(annotation: Annotation, tags: Tags, *, submit: bool, seconds: float) -> None:
    annotation.tags = list(tags)
    annotation.revision += 1
    annotation.seconds += max(0.0, seconds)
    annotation.state = Annotation.State.SUBMITTED if submit else Annotation.State.DRAFT
    annotation.submitted_at = timezone.now() if submit else None


def _trace(annotation: Annotation, aside: Aside) -> None:
    """Where the spans come from, by what the database knows to have been suggested."""
    if aside.flagged is not None:
        annotation.flagged = aside.flagged
    if aside.comment is not None:
        annotation.comment = aside.comment
    shown = predictions.suggestion(annotation.document, model=aside.suggested_by)
    offered = shown.offers if shown else []
    annotation.provenance = provenance.trace(annotation.tags, offered, rejected=set(aside.rejected))
    annotation.suggested_by = shown.model if shown else ""
    annotation.suggestion_use = provenance.use(annotation.provenance)


def settle(project: Project, document: Document) -> None:
    """Bring a document's status in line with its annotations, and accept what needs no reviewer.

    The one home of the rule; the caller holds the document's lock.
    """
    submitted = list(document.annotations.filter(state=Annotation.State.SUBMITTED).order_by("submitted_at", "id"))
    complete = len(submitted) >= project.overlap
    accepted = any(annotation.accepted for annotation in submitted)
    if complete and not accepted and _needs_no_reviewer(project, submitted):
        mark_accepted(submitted[0], by=None)
        record(project, None, "annotation.accepted", document=document, data={"annotation": submitted[0].pk})
        accepted = True
    if accepted:
        document.status = Document.Status.ACCEPTED
    else:
        document.status = Document.Status.SUBMITTED if complete else Document.Status.PENDING
    document.save(update_fields=["status"])


def _needs_no_reviewer(project: Project, submitted: Sequence[Annotation]) -> bool:
    agree = all(annotation.tags == submitted[0].tags for annotation in submitted)
    return project.review == Review.NEVER or (project.review == Review.DISAGREEMENT and agree)


def mark_accepted(annotation: Annotation, *, by: Person | None) -> None:
    """Make this annotation the gold one; the caller has unmarked any other."""
    annotation.accepted = True
    annotation.accepted_at = timezone.now()
    annotation.accepted_by_id = by.pk if by is not None else None
    annotation.save(update_fields=["accepted", "accepted_at", "accepted_by"])


def tags_from(document: Document, body: Mapping[str, Any]) -> list[str]:
    """The tags of a request: `tags` as they are, or `spans` of token indices turned into tags."""
    tags, spans = body.get("tags"), body.get("spans")
    if spans is None:
        if tags is None:
            raise Invalid("Give either tags (one per token) or spans ([{start, end, label}], token indices).")
        return list(tags)
    found = bio.tags_of(_spans(spans), len(document.token_starts))
    if tags is not None and list(tags) != found:
        raise Invalid("tags and spans do not say the same; give one of them.", code="spans_contradict_tags")
    return found


def aside_from(body: Mapping[str, Any]) -> Aside:
    """What a request says beside the tags."""
    return Aside(
        rejected=_spans(body.get("rejected") or ()),
        suggested_by=body.get("suggested_by"),
        flagged=body.get("flagged"),
        comment=body.get("comment"),
    )


def _spans(given: Iterable[Mapping[str, Any]]) -> list[bio.Span]:
    return [bio.Span(span["start"], span["end"], span["label"]) for span in given]


def as_json(annotation: Annotation) -> dict[str, Any]:
    """The REST shape of an annotation."""
    return {
        "id": annotation.pk,
        "document": annotation.document_id,
        "annotator": annotation.annotator.get_username(),
        "tags": annotation.tags,
        "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in bio.spans(annotation.tags)],
        "state": annotation.state,
        "accepted": annotation.accepted,
        "revision": annotation.revision,
        "seconds": annotation.seconds,
        "note": annotation.note,
        "suggested_by": annotation.suggested_by,
        "suggestion_use": annotation.suggestion_use,
        "provenance": annotation.provenance,
        "flagged": annotation.flagged,
        "comment": annotation.comment,
        "updated_at": annotation.updated_at,
        "submitted_at": annotation.submitted_at,
        "accepted_at": annotation.accepted_at,
    }
