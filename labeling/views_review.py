"""Pages on which reviewers decide: what waits, and one text with all its versions side by side.

The page of a text shows; static/js/review/gold-review.js sends the decision to the REST door.
"""

from collections import Counter
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from labeling import access, alignment, bio, documents, highlight, preferences, review, words
from labeling.access import Person
from labeling.models import Annotation, Document, Project, Role
from labeling.pages import colors_of, label_rows, show
from labeling.paging import page

PAGE = 50
AROUND = 5  # tokens shown before and after a difference
MANY = 1000  # counting further helps nobody
_PARTS = (
    "cursor",
    "dialogs",
    "editor",
    "grid",
    "keys",
    "palette",
    "pointer",
    "screen",
    "span-history",
    "span-list",
    "spans",
    "text-view",
)
MODULES = ["js/review/decision.js", "js/review/keys.js", *(f"js/annotate/{part}.js" for part in _PARTS)]


@require_GET
@login_required
def queue(request: HttpRequest, slug: str) -> HttpResponse:
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
    versions = [bio.spans(annotation.tags) for annotation in shown]
    tags = shown[0].tags if shown else ["O"] * len(document.token_starts)
    pieces = highlight.snippet(highlight.pieces(document, tags, differing=alignment.differing(versions)))
    return {
        "document": document,
        "pieces": pieces,
        "annotators": len(shown),
        "differences": len(alignment.differences(versions)),
    }


@require_GET
@login_required
def document(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One text with everybody's version and the model's, difference by difference."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    found = access.document_for(project, pk)
    compared = review.compare(found)
    labels = list(project.labels.all())
    returned = found.annotations.select_related("annotator").filter(state=Annotation.State.RETURNED).order_by("id")
    return show(
        request, "labeling/review_document.html", project, tab="review",
        document=found, compared=compared, versions=_names(compared), people=_people(compared), returned=returned,
        rows=[_row(compared, each) for each in compared.differences], labels=labels, colors=colors_of(project),
        waiting=review.waiting(project)[:MANY].count(), many=MANY, modules=MODULES,
        config=_config(project, request.user, compared) | {"labels": label_rows(labels)},
    )  # fmt: skip


def _names(compared: review.Comparison) -> list[dict[str, Any]]:
    """Each version by the name of who made it."""
    people = [{"name": each.annotator.get_username(), "annotation": each} for each in compared.annotations]
    model = [{"name": compared.suggestion.model, "annotation": None}] if compared.suggestion else []
    return [*people, *model]


def _row(compared: review.Comparison, difference: alignment.Difference) -> dict[str, Any]:
    """A difference as the page's table has it: the words around it, and what each version says."""
    found, start, end = compared.document, difference.start, difference.end
    before, after = max(0, start - AROUND), min(len(found.token_starts), end + AROUND)
    return {
        "before": found.text[found.token_starts[before] : found.token_starts[start]],
        "text": _stretch(found, start, end),
        "after": found.text[found.token_ends[end - 1] : found.token_ends[after - 1]],
        "cut": (before > 0, after < len(found.token_starts)),
        "readings": [
            {
                "by": version["name"],
                "model": version["annotation"] is None,
                "spans": [_span(compared, span, model=version["annotation"] is None) for span in reading],
            }
            for version, reading in zip(_names(compared), difference.readings, strict=True)
        ],
    }


def _span(compared: review.Comparison, span: bio.Span, *, model: bool) -> dict[str, Any]:
    offers = compared.suggestion.offers if model and compared.suggestion else []
    sure = next((offer.confidence for offer in offers if offer.span == span), None)
    return {"label": span.label, "text": _stretch(compared.document, span.start, span.end), "sure": sure}


def _stretch(document: Document, start: int, end: int) -> str:
    return document.text[document.token_starts[start] : document.token_ends[end - 1]]


def _people(compared: review.Comparison) -> list[dict[str, Any]]:
    """What is known of each annotation beside its spans: where they come from, rejected suggestions at the end."""
    return [{"annotation": each} | _origins(compared.document, each) for each in compared.annotations]


def _origins(document: Document, annotation: Annotation) -> dict[str, Any]:
    traced = annotation.provenance
    rows = [*traced.get("spans", []), *({**each, "origin": "rejected"} for each in traced.get("rejected", []))]
    counts = Counter(row["origin"] for row in rows)
    if set(counts) == {"manual"}:  # nothing that is not seen anyway
        return {}
    return {
        "origins": [
            row | {"text": _covered(document, row), "from_text": _covered(document, row.get("from"))} for row in rows
        ],
        "summary": ", ".join(f"{count} {words.VALUES.get(origin, origin)}" for origin, count in counts.items()),
    }


def _covered(document: Document, span: dict[str, Any] | None) -> str:
    return _stretch(document, span["start"], span["end"]) if span else ""


def _config(project: Project, user: Person, compared: review.Comparison) -> dict[str, Any]:
    """What static/js/review/gold-review.js needs."""
    found = compared.document
    shape = review.as_json(compared)
    accepted = [at for at, each in enumerate(compared.annotations) if each.accepted]
    address = {"slug": project.slug, "pk": found.pk}
    return {
        "document": shape["document"],
        "agreed": shape["agreed"],
        "differences": shape["differences"],
        "versions": [version["name"] for version in _names(compared)],
        "people": len(compared.annotations),
        "annotations": [{"id": each.pk} for each in compared.annotations],
        "accepted": accepted[0] if accepted else -1,
        "seen": {
            "status": found.status,
            "annotations": {str(each.pk): each.revision for each in compared.annotations},
        },
        "keys": preferences.keys_of(user),
        "urls": {
            "acceptance": reverse("api:acceptance", kwargs=address),
            "return": reverse("api:return", kwargs=address),
            "next": reverse("review-next", args=[project.slug, found.pk]),
        },
    }


@require_GET
@login_required
def following(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """To the next waiting text after the given one, from the front again at the end, to the list if none waits."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    after = review.following(project, pk)
    return redirect("review-document", slug, after) if after else redirect("review", slug)
