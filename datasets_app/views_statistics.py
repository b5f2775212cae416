"""Pages of a project's statistics and its consistency board. What starts a job posts to the REST door."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from datasets_app import consistency, describing, leaks, statistics_plots
from labeling import access
from labeling.models import Role
from labeling.pages import colors_of, show


@require_GET
@login_required
def statistics_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What was counted last."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    found, colors = describing.latest(project), colors_of(project)
    return show(
        request, "datasets_app/statistics.html", project, tab="data", found=found,
        counted=found and found.statistics, colors=colors,
        plots=statistics_plots.of_statistics(found.statistics, colors) if found else [],
    )  # fmt: skip


@require_GET
@login_required
def leaks_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What of one split stands in another, of all that is in the project now."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    found = describing.leaks_now(project)
    return show(
        request, "datasets_app/leaks.html", project, tab="data", version=None, found=found,
        colors=colors_of(project), **leaks.rows(found),
    )  # fmt: skip


@require_GET
@login_required
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """Surfaces that are labeled in different ways, or here and not there."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    found = describing.latest(project)
    return show(
        request, "datasets_app/consistency.html", project, tab="data", found=found,
        rows=found.board if found else [], colors=colors_of(project),
    )  # fmt: skip


@require_GET
@login_required
def surface(request: HttpRequest, slug: str) -> HttpResponse:
    """The places of one surface, and the form that labels it alike everywhere."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    wanted = request.GET.get("surface", "")
    rows = consistency.contexts(project, wanted)
    return show(
        request, "datasets_app/surface.html", project, tab="data", surface=wanted, rows=rows,
        most=consistency.CONTEXTS, labels=project.labels.filter(retired=False), colors=colors_of(project),
    )  # fmt: skip
