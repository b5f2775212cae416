"""Pages of frozen dataset versions: list, one with its counts and exports, and the difference of two."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from datasets_app import changes, differences, erasure, export, leaks, sending, versions
from datasets_app.access import version_for, versions_of
from datasets_app.codecs import CODECS, WRITERS
from datasets_app.models import DatasetVersion
from labeling import access
from labeling.errors import Invalid
from labeling.models import Document, Role, Split
from labeling.pages import colors_of, show
from labeling.paging import page

PAGE = 30
FORMATS = (
    ("hf", "Hugging Face"),
    ("parquet", "Parquet"),
    *((name, CODECS[name].title.partition(":")[0]) for name in WRITERS),
)


@require_GET
@login_required
def version_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The versions, newest first, and a form to freeze the next."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    found = page(versions_of(project), order=("-number",), cursor=request.GET.get("cursor"), limit=PAGE)
    accepted = access.documents_in(project).filter(status=Document.Status.ACCEPTED, archived_at=None).count()
    return show(
        request, "datasets_app/versions.html", project, tab="versions",
        rows=found.rows, next=found.next, accepted=accepted,
    )  # fmt: skip


@require_GET
@login_required
def version_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One version: counts by split and label, fingerprint, policy; with `format` in the address, its file."""
    version = version_for(request.user, pk, Role.REVIEWER)
    if "format" in request.GET:
        try:
            return sending.of_version(version, request.GET)
        except Invalid as error:
            messages.error(request, error.message)
            return redirect("version", pk)
    others = versions_of(version.project).exclude(pk=version.pk).order_by("-number")[:50]
    return show(
        request, "datasets_app/version.html", version.project, tab="versions",
        version=version, others=others, formats=FORMATS, labels=_labels(version), splits=_splits(version),
        colors={label["name"]: label["color"] for label in version.labels}, erased=erasure.erased_in(version),
        people=version.project.memberships.order_by("user__username").values_list("user__username", flat=True),
        can_release=bool(settings.HUB_PUSH_TOKEN), made=(version.report or {}).get("provenance"),
    )  # fmt: skip


def _splits(version: DatasetVersion) -> list[tuple[str, dict[str, Any]]]:
    """The counts of each split, in their usual order, which JSON in the database does not keep."""
    return [(split, version.counts["splits"][split]) for split in Split.values]


def _labels(version: DatasetVersion) -> list[dict[str, Any]]:
    """Each label with its spans by split, in the version's order."""
    return [
        {
            **label,
            "total": version.counts["labels"].get(label["name"], 0),
            "splits": [counts["labels"].get(label["name"], 0) for _, counts in _splits(version)],
        }
        for label in version.labels
    ]


@require_GET
@login_required
def version_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The dataset card, as it goes out beside the data; plain text, which every browser shows."""
    version = version_for(request.user, pk, Role.REVIEWER)
    return HttpResponse(export.card_of(version), content_type="text/plain; charset=utf-8")


@require_GET
@login_required
def version_leaks(request: HttpRequest, pk: int) -> HttpResponse:
    """What of one split stands in another."""
    version = version_for(request.user, pk, Role.REVIEWER)
    return show(
        request, "datasets_app/leaks.html", version.project, tab="versions", version=version,
        colors={one["name"]: one["color"] for one in version.labels}, **leaks.rows(versions.report(version)["leaks"]),
    )  # fmt: skip


@require_GET
@login_required
def document_versions(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The versions that hold a document, and the way back to what it was in each; a part of the document's page."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    document = access.document_for(project, pk)
    return show(
        request, "datasets_app/_document_versions.html", project,
        document=document, rows=differences.of_document(document), changes=changes.of_document(document),
    )  # fmt: skip


@require_GET
@login_required
def version_diff(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """What changed from one version to another."""
    old = version_for(request.user, pk, Role.REVIEWER)
    new = version_for(request.user, other, Role.REVIEWER)
    if old.project_id == new.project_id and old.number > new.number:
        old, new = new, old
    return _difference(request, old, new)


@require_GET
@login_required
def version_diff_now(request: HttpRequest, pk: int) -> HttpResponse:
    """What changed since a version."""
    return _difference(request, version_for(request.user, pk, Role.REVIEWER), None)


def _difference(request: HttpRequest, old: DatasetVersion, new: DatasetVersion | None) -> HttpResponse:
    found = differences.diff(old, new)
    kinds = [found["spans"][kind] for kind in ("added", "removed", "moved")]
    names = sorted(set().union(*kinds))
    spans = [(name, [counted.get(name, 0) for counted in kinds]) for name in names]
    return show(
        request, "datasets_app/diff.html", old.project, tab="versions",
        old=old, new=new, diff=found, spans=spans, colors=colors_of(old.project),
        causes=[(cause, row) for cause, row in found["causes"].items() if any(row.values())],
    )  # fmt: skip
