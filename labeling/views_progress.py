"""The page of how far a project is. What takes long to count comes by itself, panel by panel."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling import access, progress, progress_plots
from labeling.errors import Forbidden, NotFound
from labeling.models import Project, Role
from labeling.pages import colors_of, show


@require_GET
@login_required
def progress_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Splits and states at once, and the places of the panels."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    counts = progress.documents(project)
    return show(
        request, "labeling/progress.html", project, tab="progress", counts=counts,
        plot=progress_plots.splits(counts["by_split"]),
    )  # fmt: skip


@require_GET
@login_required
def panel(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One panel: a part of the page, or a page of its own where there is no script."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    if name not in _PANELS:
        raise NotFound(f"There is no panel {name!r}; there are: {', '.join(_PANELS)}.")
    person = progress_plots.person_shown(request.user, project)
    if name == "suggestions" and person is not None:
        raise Forbidden("What became of suggestions is for reviewers and managers.")
    template = "labeling/_panel.html" if request.headers.get("HX-Request") else "labeling/panel.html"
    return show(request, template, project, tab="progress", panel=name, **_PANELS[name](project, person))


def _pace(project: Project, person: str | None) -> dict[str, Any]:
    rows, people = progress.days(project, by_hand=True), progress.people(project)
    left = progress.left(project, progress.documents(project)["by_status"]["pending"])
    pace, today = progress_plots.outlook(rows, left), timezone.localdate()
    shown = progress_plots.own(people, person)
    return {
        "left": left,
        "pace": pace,
        "earliest": pace and today + timedelta(days=pace.earliest),
        "latest": today + timedelta(days=pace.latest) if pace and pace.latest is not None else None,
        "people": shown,
        "plots": [progress_plots.days(progress_plots.own(rows, person)), progress_plots.times(shown)],
    }


def _labels(project: Project, person: str | None) -> dict[str, Any]:
    return {"plots": [progress_plots.labels(progress.labels(project), colors_of(project))]}


def _suggestions(project: Project, person: str | None) -> dict[str, Any]:
    return {
        "suggestions": progress.suggestion_use(project),
        "plots": [progress_plots.agreement(progress.agreement(project))],
    }


_PANELS: dict[str, Callable[[Project, str | None], dict[str, Any]]] = {
    "pace": _pace,
    "labels": _labels,
    "suggestions": _suggestions,
}
