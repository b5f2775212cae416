"""Pages on which people work: annotate, review, browse documents."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from labeling import access, annotate, documents, highlight, predictions, preferences, remarks, review
from labeling.access import Person
from labeling.errors import Invalid
from labeling.models import Annotation, Document, Label, Project, Role, Split
from labeling.pages import attempt, colors_of, show
from labeling.paging import page

PAGE = 50
RECENT = 10
# What the annotate page loads, told at once: else each module is found only after the one that names it.
MODULES = sorted(
    f"js/annotate/{path.name}"
    for path in (settings.BASE_DIR / "static/js/annotate").glob("*.js")
    if path.name != "gold-shortcuts.js"
)
SKIP_REASONS = ("Unclear", "Not in a language I read", "Broken text", "Guidelines do not cover it")


@require_GET
@login_required
def annotate_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page on which texts are labeled; `?document=` opens a given one instead of the next."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    labels = list(project.labels.all())
    wanted = request.GET.get("document", "")
    item = _item(project, request.user, _number(wanted)) if wanted else None
    left = access.documents_in(project).filter(status=Document.Status.PENDING, archived_at=None).count()
    config = _config(project, request.user, labels, mode="label", item=item)
    return show(
        request, "labeling/annotate.html", project, tab="annotate", labels=labels, config=config, left=left,
        skip_reasons=SKIP_REASONS, modules=MODULES,
    )  # fmt: skip


def _recent(project: Project, user: Person) -> list[dict[str, Any]]:
    """The person's last texts, newest first, for the side list."""
    own = Annotation.objects.filter(annotator_id=user.pk, document__project=project, document__archived_at=None)
    rows = own.annotate(shown=Left("document__text", 80)).order_by("-updated_at")[:RECENT]
    return [
        {"document": row["document"], "text": row["shown"], "state": row["state"]}
        for row in rows.values("document", "shown", "state")
    ]


def _number(value: str) -> int:
    if not value.isdecimal() or len(value) > 18:
        raise Invalid(f"{value[:40]!r} is not the number of a document.")
    return int(value)


def _item(project: Project, user: Person, document_id: int) -> dict[str, Any]:
    """A given document with the person's own annotation, in the shape of a lease."""
    document = access.document_for(project, document_id)
    own = document.annotations.select_related("annotator").filter(annotator_id=user.pk).first()
    return {
        "document": documents.as_json(document),
        "suggestion": predictions.as_json(predictions.suggestion(document)),
        "annotation": annotate.as_json(own) if own else None,
    }


def _config(project: Project, user: Person, labels: list[Label], *, mode: str, item: Any) -> dict[str, Any]:
    """What static/js/annotate/gold-annotator.js needs; 0 stands for the document's number."""
    on_document = {"slug": project.slug, "pk": 0}
    return {
        "mode": mode,
        "user": user.pk,
        "project": project.slug,
        "keys": preferences.keys_of(user),
        "recent": _recent(project, user),
        "open_suggestions": project.open_suggestions,
        "lease_seconds": project.lease_minutes * 60,
        "item": item,
        "labels": [
            {
                "name": each.name,
                "color": each.color,
                "hotkey": each.hotkey,
                "description": each.description,
                "retired": each.retired,
            }
            for each in labels
        ],
        "urls": {
            "page": reverse("annotate", args=[project.slug]),
            "next": reverse("api:assignments", args=[project.slug]),
            "document": reverse("api:document", kwargs=on_document),
            "occurrences": reverse("api:occurrences", args=[project.slug]),
            "annotation": reverse("api:annotation", kwargs=on_document),
            "skip": reverse("api:skip", kwargs=on_document),
            "acceptance": reverse("api:acceptance", kwargs=on_document),
            "done": reverse("review", args=[project.slug]),
        },
    }


# Review --------------------------------------------------------------------------------------------------


@require_GET
@login_required
def review_queue(request: HttpRequest, slug: str) -> HttpResponse:
    """Texts that wait for a decision, oldest first."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    query = documents.with_gold(review.waiting(project))
    found = page(query, order=("id",), cursor=request.GET.get("cursor"), limit=PAGE)
    rows = [_waiting_row(document) for document in found.rows]
    return show(
        request, "labeling/review.html", project, tab="review", rows=rows, next=found.next, colors=colors_of(project)
    )


def _waiting_row(document: Any) -> dict[str, Any]:
    shown = document.shown_annotations
    differing = highlight.differing([annotation.tags for annotation in shown])
    tags = shown[0].tags if shown else ["O"] * len(document.token_starts)
    pieces = highlight.snippet(highlight.pieces(document, tags, differing=differing))
    return {"document": document, "pieces": pieces, "annotators": len(shown), "differences": len(differing)}


@require_GET
@login_required
def review_document(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One text with everybody's annotation, their differences marked; `?correct=` opens one for correction."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    document = access.document_for(project, pk)
    if wanted := request.GET.get("correct"):
        return _correction(request, project, document, _number(wanted))
    annotations = list(document.annotations.select_related("annotator").exclude(state="draft").order_by("id"))
    differing = highlight.differing([each.tags for each in annotations if each.state == "submitted"])
    rows = [
        {"annotation": each, "pieces": highlight.pieces(document, each.tags, differing=differing)}
        | _origins(document, each)
        for each in annotations
    ]
    return show(
        request, "labeling/review_document.html", project, tab="review", document=document, rows=rows,
        differences=len(differing), colors=colors_of(project), waiting=review.waiting(project).count(),
    )  # fmt: skip


def _origins(document: Document, annotation: Annotation) -> dict[str, Any]:
    """Where the spans come from, rejected suggestions at the end; nothing for tags from a file."""
    traced = annotation.provenance
    rows = [*traced.get("spans", []), *({**each, "origin": "rejected"} for each in traced.get("rejected", []))]
    counts = Counter(row["origin"] for row in rows)
    return {
        "origins": [
            row | {"text": _covered(document, row), "from_text": _covered(document, row.get("from"))} for row in rows
        ],
        "summary": ", ".join(f"{count} {origin}" for origin, count in counts.items()),
    }


def _covered(document: Document, span: dict[str, Any] | None) -> str:
    if span is None:
        return ""
    return document.text[document.token_starts[span["start"]] : document.token_ends[span["end"] - 1]]


def _correction(request: HttpRequest, project: Project, document: Document, annotation_id: int) -> HttpResponse:
    """The annotator, opened on an annotation; what is handed in is accepted as the reviewer's own."""
    given = access.annotation_for(document, annotation_id)
    labels = list(project.labels.all())
    item = {"document": documents.as_json(document), "suggestion": None, "annotation": annotate.as_json(given)}
    config = _config(project, request.user, labels, mode="correct", item=item)
    config["urls"]["done"] = reverse("review-next", args=[project.slug, document.pk])
    return show(
        request,
        "labeling/annotate.html",
        project,
        tab="review",
        labels=labels,
        config=config,
        correcting=given,
        modules=MODULES,
    )


@require_POST
@login_required
def decide(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Accept or return an annotation, or take an acceptance back."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    action = request.POST.get("action")
    if action == "take-back":
        attempt(request, lambda: review.take_back(project, request.user, pk), "The acceptance is taken back.")
        return redirect("review-document", slug, pk)
    annotation = _number(request.POST.get("annotation", ""))
    if action == "return":
        note = request.POST.get("note", "").strip()[:2000]
        verb = lambda: review.give_back(project, request.user, pk, annotation_id=annotation, note=note)  # noqa: E731
        done = attempt(request, verb, "Returned to its annotator.")
    else:
        verb = lambda: review.accept(project, request.user, pk, annotation_id=annotation)  # noqa: E731
        done = attempt(request, verb, "Accepted.")
    return redirect("review-next" if done else "review-document", slug, pk)


@require_GET
@login_required
def review_next(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """To the next waiting text after the given one, from the front again at the end, to the list if none waits."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    waiting = review.waiting(project).order_by("id").values_list("id", flat=True)
    following = waiting.filter(pk__gt=pk).first() or waiting.exclude(pk=pk).first()
    return redirect("review-document", slug, following) if following else redirect("review", slug)


# Documents -----------------------------------------------------------------------------------------------


@require_GET
@login_required
def document_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Browse and search the project's texts."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    names = ("status", "split", "label", "q", "order")
    given = {name: request.GET.get(name, "").strip() for name in names}
    archived = request.GET.get("archived") == "1"
    try:
        query = documents.search(
            project, status=given["status"], split=given["split"], label=given["label"], text=given["q"],
            archived=archived,
        )  # fmt: skip
        asked = remarks.read(request.GET)
        query = remarks.narrow(query, asked, project=project, user=request.user)
        order = documents.order_for(given["order"])
        found = page(
            _with_shown(request.user, project, query), order=order, cursor=request.GET.get("cursor"), limit=PAGE
        )
    except Invalid as error:
        messages.error(request, error.message)
        return redirect("documents", slug)
    return show(
        request, "labeling/documents.html", project, tab="documents",
        rows=[_document_row(document) for document in found.rows], next=found.next, given=given, archived=archived,
        filtered=archived or any(given.values()) or asked != remarks.Remarks(),
        asked=asked, people=_people(project), colors=colors_of(project),
        statuses=Document.Status.choices, splits=Split.values, orders=list(documents.ORDERS),
    )  # fmt: skip


def _people(project: Project) -> list[str]:
    return list(access.members_of(project).values_list("user__username", flat=True))


def _with_shown(user: Person, project: Project, query: Any) -> Any:
    """Reviewers see the annotations of all; annotators work unseen by each other and see the plain text."""
    role = access.role_in(user, project)
    return query if role == Role.ANNOTATOR else documents.with_gold(query)


def _document_row(document: Any) -> dict[str, Any]:
    shown = next(iter(getattr(document, "shown_annotations", [])), None)
    tags = shown.tags if shown else ["O"] * len(document.token_starts)
    return {"document": document, "pieces": highlight.snippet(highlight.pieces(document, tags)), "shown": shown}


@require_GET
@login_required
def document_detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One text: annotations, prediction and history; annotators see their own annotation only."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    document = access.document_for(project, pk)
    role = access.role_in(request.user, project)
    annotations = document.annotations.select_related("annotator").order_by("-accepted", "id")
    sees_all = role != Role.ANNOTATOR
    if not sees_all:
        annotations = annotations.filter(annotator_id=request.user.pk)
    prediction = predictions.latest(document) if sees_all else None
    events = list(access.events_of(project).filter(document=document.pk)[:100]) if sees_all else []
    return show(
        request, "labeling/document.html", project, tab="documents", document=document, events=events,
        rows=[{"annotation": each, "pieces": highlight.pieces(document, each.tags)} for each in annotations],
        prediction=prediction, predicted=highlight.pieces(document, prediction.tags) if prediction else [],
        colors=colors_of(project), may_label=_may_label(document), sees_all=sees_all,
    )  # fmt: skip


def _may_label(document: Document) -> bool:
    """Whether an offer to label this text makes sense; the verb has the last word."""
    return document.archived_at is None and document.status == Document.Status.PENDING


@require_POST
@login_required
def archive(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Put a document aside, or take it back in."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    if request.POST.get("action") == "restore":
        attempt(request, lambda: documents.restore(project, request.user, pk), "The document is back.")
    else:
        attempt(request, lambda: documents.archive(project, request.user, pk), "The document is archived.")
    return redirect("document", slug, pk)
