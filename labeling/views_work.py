"""Pages on which people work: annotate, browse documents."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from labeling import access, annotate, documents, highlight, predictions, preferences, selection, words
from labeling.access import Person
from labeling.errors import Invalid
from labeling.models import Annotation, Document, Label, Project, Role, Split
from labeling.pages import attempt, colors_of, label_rows, number, show

PAGE = 50
RECENT = 10
# What the annotate page loads, told at once: else each module is found only after the one that names it.
MODULES = sorted(
    f"js/annotate/{path.name}"
    for path in (settings.BASE_DIR / "static/js/annotate").glob("*.js")
    if path.name != "gold-shortcuts.js"
)
SKIP_REASONS = (
    gettext_lazy("Unclear"),
    gettext_lazy("Not in a language I read"),
    gettext_lazy("Broken text"),
    gettext_lazy("Guidelines do not cover it"),
)


@require_GET
@login_required
def annotate_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page on which texts are labeled; `?document=` opens a given one instead of the next."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    labels = list(project.labels.all())
    wanted = request.GET.get("document", "")
    item = _item(project, request.user, number(wanted)) if wanted else None
    left = access.documents_in(project).filter(status=Document.Status.PENDING, archived_at=None).count()
    config = _config(project, request.user, labels, item=item)
    return show(
        request, "labeling/annotate.html", project, tab="annotate", labels=labels, config=config, left=left,
        skip_reasons=SKIP_REASONS, modules=MODULES,
    )  # fmt: skip


@require_GET
def offline_worker(request: HttpRequest, slug: str) -> HttpResponse:
    """The service worker that speaks at the annotate page's address while the server is away."""
    page = render_to_string("labeling/offline.html", request=request)
    return render(request, "labeling/offline.js", {"page": page}, content_type="text/javascript")


def _recent(project: Project, user: Person) -> list[dict[str, Any]]:
    """The person's last texts, newest first, for the side list."""
    own = Annotation.objects.filter(annotator_id=user.pk, document__project=project, document__archived_at=None)
    rows = own.annotate(shown=Left("document__text", 80)).order_by("-updated_at")[:RECENT]
    return [
        {"document": row["document"], "text": row["shown"], "state": row["state"]}
        for row in rows.values("document", "shown", "state")
    ]


def _item(project: Project, user: Person, document_id: int) -> dict[str, Any]:
    """A given document with the person's own annotation, in the shape of a lease."""
    document = access.document_for(project, document_id)
    own = document.annotations.select_related("annotator").filter(annotator_id=user.pk).first()
    return {
        "document": documents.as_json(document),
        "suggestion": predictions.as_json(predictions.suggestion(document)),
        "annotation": annotate.as_json(own) if own else None,
    }


def _config(project: Project, user: Person, labels: list[Label], *, item: Any) -> dict[str, Any]:
    """What static/js/annotate/gold-annotator.js needs; 0 stands for the document's number."""
    on_document = {"slug": project.slug, "pk": 0}
    return {
        "user": user.pk,
        "project": project.slug,
        "keys": preferences.keys_of(user),
        "recent": _recent(project, user),
        "open_suggestions": project.open_suggestions,
        "lease_seconds": project.lease_minutes * 60,
        "item": item,
        "labels": label_rows(labels),
        "urls": {
            "page": reverse("annotate", args=[project.slug]),
            "offline": reverse("annotate-offline", args=[project.slug]),
            "next": reverse("api:assignments", args=[project.slug]),
            "document": reverse("api:document", kwargs=on_document),
            "examples": reverse("api:examples", args=[project.slug]),
            "occurrences": reverse("api:occurrences", args=[project.slug]),
            "annotation": reverse("api:annotation", kwargs=on_document),
            "skip": reverse("api:skip", kwargs=on_document),
        },
    }


# Documents -----------------------------------------------------------------------------------------------


@require_GET
@login_required
def document_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Browse and search the project's texts."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    try:
        selected = selection.read(request.GET)
        found = selection.page_of(
            project, request.user, selected, order=request.GET.get("order", ""), cursor=request.GET.get("cursor"),
            limit=PAGE, shown=lambda query: _with_shown(request.user, project, query),
        )  # fmt: skip
    except Invalid as error:
        messages.error(request, error.message)
        return redirect("documents", slug)
    return show(
        request, "labeling/documents.html", project, tab="documents",
        rows=[_document_row(document) for document in found.rows], next=found.next,
        given=selected.filters, order=request.GET.get("order", ""), people=_people(project), colors=colors_of(project),
        statuses=Document.Status.choices, splits=Split.values, orders=words.ORDERS, acts=words.ACTS,
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
    prediction = predictions.current(document) if sees_all else None
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
        attempt(request, lambda: documents.restore(project, request.user, pk), _("The document is back."))
    else:
        attempt(request, lambda: documents.archive(project, request.user, pk), _("The document is archived."))
    return redirect("document", slug, pk)
