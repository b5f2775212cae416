"""Pages of projects: parse, call one verb, render."""

from copy import copy
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from labeling import access, progress, projects, trash
from labeling.forms import ProjectForm
from labeling.models import Document, Role
from labeling.pages import attempt, colors_of, show
from labeling.paging import page

PAGE = 24


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The person's projects with their progress."""
    query = access.projects_of(request.user)
    if wanted := request.GET.get("q", "").replace("\0", "").strip():
        query = query.filter(name__icontains=wanted)
    found = page(query, order=("name", "id"), cursor=request.GET.get("cursor"), limit=PAGE)
    counts = _counts([project.pk for project in found.rows])
    cards = [{"project": project, "counts": counts.get(project.pk, {})} for project in found.rows]
    return show(request, "labeling/projects.html", cards=cards, next=found.next, q=wanted)


def _counts(project_ids: list[int]) -> dict[int, Any]:
    """Documents by status of the projects on one page, in one query."""
    status = Document.Status
    rows = Document.objects.filter(project_id__in=project_ids, archived_at=None).values("project_id")
    counted = rows.annotate(
        all=Count("pk"),
        accepted=Count("pk", filter=Q(status=status.ACCEPTED)),
        submitted=Count("pk", filter=Q(status=status.SUBMITTED)),
    )
    return {row["project_id"]: row for row in counted}


@require_GET
@login_required
def trash_page(request: HttpRequest) -> HttpResponse:
    """The projects in the trash; their buttons post to the REST door."""
    found = page(trash.trashed_of(request.user), order=("name", "id"), cursor=request.GET.get("cursor"), limit=PAGE)
    return show(request, "labeling/trash.html", rows=found.rows, next=found.next)


@require_GET
@login_required
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """How far a project is, and what to do next."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    role = access.role_in(request.user, project)
    # Annotators work unseen by each other.
    events = access.events_of(project).exclude(verb="document.leased")[:12] if role != Role.ANNOTATOR else []
    return show(
        request, "labeling/overview.html", project, tab="overview", counts=progress.documents(project),
        events=list(events), colors=colors_of(project),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@login_required
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """All settings of a project."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    form = ProjectForm(request.POST or None, instance=copy(project))  # a form writes into its instance
    if form.is_bound and form.is_valid():
        changed = attempt(
            request, lambda: projects.change(project, request.user, form.cleaned_data), _("Settings saved.")
        )
        if changed:
            return redirect("settings", slug)
    return show(request, "labeling/settings.html", project, tab="settings", form=form)
