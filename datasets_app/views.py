"""Pages of jobs, imports, versions and exports. What starts a job posts to the REST door; these pages show."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from datasets_app import export, jobs, sending
from datasets_app.access import job_for, jobs_of
from datasets_app.codecs import CODECS, READERS, WRITERS
from datasets_app.job_report import pace, waits
from datasets_app.models import Job
from labeling import access, bio
from labeling.errors import Invalid
from labeling.highlight import Piece
from labeling.models import Document, Role, Split
from labeling.pages import attempt, colors_of, show
from labeling.paging import page

PAGE = 40
ERRORS_SHOWN = 200


@require_GET
@login_required
def import_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a file and how it is to be taken; the form posts to the REST door."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    recent = jobs_of(project).filter(kind="import").order_by("-id")[:5]
    return show(
        request, "datasets_app/import.html", project, tab="import", splits=Split.values, recent=recent,
        formats=[(name, CODECS[name].title) for name in READERS], upload_max=settings.UPLOAD_MAX_BYTES,
        places=settings.IMPORT_FROM, hub="hf://" in settings.IMPORT_FROM,
    )  # fmt: skip


@require_GET
@login_required
def job_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's jobs, newest first."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    query = jobs_of(project).select_related("created_by")
    found = page(query, order=("-id",), cursor=request.GET.get("cursor"), limit=PAGE)
    return show(request, "datasets_app/jobs.html", project, tab="jobs", rows=found.rows, next=found.next)


@require_GET
@login_required
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One job; htmx asks for its moving part again while it runs."""
    job = job_for(request.user, pk, Role.ANNOTATOR)
    template = "datasets_app/_job.html" if request.headers.get("HX-Request") else "datasets_app/job.html"
    response = show(request, template, job.project, tab="jobs", job=job, **_state(job))
    response["Cache-Control"] = "no-store"
    return response


def _state(job: Job) -> dict[str, Any]:
    now = timezone.now()
    until = job.finished_at or now
    seconds = (until - job.started_at).total_seconds() if job.started_at else 0.0
    return {
        "active": job.state in Job.ACTIVE,
        "share": min(100.0, 100 * job.done / job.total) if job.total else None,
        "seconds": seconds,
        "rate": job.done / seconds if seconds > 1 and job.done else None,
        "waits": waits(job),
        "errors": job.errors.order_by("line", "id")[:ERRORS_SHOWN] if job.error_count else [],
        "left": pace(job)["seconds_left"],
        "result": list(_told(job.result or {})),
        **_tried(job),
    }


def _tried(job: Job) -> dict[str, Any]:
    """What the dry run of an import has found: how its first texts would look."""
    found = job.result or {}
    if job.state != Job.State.SUCCEEDED or not found.get("dry_run") or job.project is None:
        return {}
    first = [{**row, "pieces": _pieces(row["text"], row["spans"])} for row in found["first"]]
    return {"tried": {**found, "first": first}, "colors": colors_of(job.project)}


def _pieces(text: str, spans: Iterable[Mapping[str, Any]]) -> Iterator[Piece]:
    at = 0
    for span in spans:
        yield Piece(text[at : span["start"]])
        yield Piece(text[span["start"] : span["end"]], span["label"])
        at = span["end"]
    yield Piece(text[at:])


def _told(result: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a result says in single values; tables within it have a page of their own."""
    for name, value in result.items():
        if isinstance(value, dict):
            yield from [(f"{name} F1", round(value["f1"], 3))] if "f1" in value else []
        elif value not in (None, "", []) and not (isinstance(value, list) and isinstance(value[0], dict)):
            listed = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield name.replace("_", " "), (_("yes") if value else _("no")) if isinstance(value, bool) else listed


@require_POST
@login_required
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a job to stop."""
    job = job_for(request.user, pk, Role.MANAGER)
    attempt(request, lambda: jobs.cancel(job, request.user), _("The job is asked to stop."))
    return redirect("job", pk)


@require_GET
@login_required
def export_page(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Choose what is to be downloaded; with `format` in the address, download it, or be told why it cannot be."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    if "format" in request.GET:
        try:
            return sending.of_project(project, request.GET)
        except Invalid as error:
            messages.error(request, error.message)
    accepted = access.documents_in(project).filter(status=Document.Status.ACCEPTED, archived_at=None).count()
    return show(
        request, "datasets_app/export.html", project, tab="export", status=400 if "format" in request.GET else 200,
        accepted=accepted, splits=Split.values, given=request.GET,
        schemes=[(scheme, _writers_of(scheme)) for scheme in (*bio.SCHEMES, "original")],
        people=project.memberships.order_by("user__username").values_list("user__username", flat=True),
        formats=[(name, CODECS[name].title) for name in WRITERS],
        carriers=[(name, CODECS[name].title) for name in export.carriers()],
    )  # fmt: skip


def _writers_of(scheme: str) -> str:
    """The formats that can carry a tag scheme, as `static/js/page.js` reads them."""
    return "|".join(name for name, writer in WRITERS.items() if scheme in writer.schemes)
