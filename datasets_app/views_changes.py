"""Pages of changes that can be undone, and the buttons that make and undo them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app import changes, label_operations, label_splits, restoring, undoing
from datasets_app.access import change_for, version_for
from datasets_app.models import Job
from labeling import access
from labeling.errors import GoldsetError
from labeling.models import Project, Role
from labeling.pages import attempt, show
from labeling.paging import page

PAGE = 30


@require_GET
@login_required
def change_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Changes of many annotations or of labels, newest first, each with its way back."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    query = changes.changes_of(project)
    found = page(query, order=("-id",), cursor=request.GET.get("cursor"), limit=PAGE)
    return show(request, "datasets_app/changes.html", project, tab="data", rows=found.rows, next=found.next)


@require_POST
@login_required
def change_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a change back."""
    change = change_for(request.user, pk, Role.MANAGER)
    attempt(request, lambda: undoing.undo(change, request.user), _("Undone."))
    return redirect("changes", change.project.slug)


@require_http_methods(["GET", "POST"])
@login_required
def label_operation(request: HttpRequest, slug: str) -> HttpResponse:
    """What an operation on a label touches, and the button that does it. The label's name comes as a parameter."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    given = {field: request.POST.get(field, "").strip() for field in ("operation", "label", "to", "color")}
    name = given["label"] or request.GET.get("label", "")
    if request.method == "POST" and given["operation"] not in ("split", "preview"):
        operate = lambda: label_operations.operate(project, request.user, **given)  # noqa: E731
        if attempt(request, operate, _("Done: %(name)s. It can be undone on this page.") % {"name": name}):
            return redirect("changes", slug)
    rule = {
        "surfaces": request.POST.get("surfaces", "").splitlines(),
        "pattern": request.POST.get("pattern", "").strip(),
    }
    found = _split(request, project, name, rule)
    if isinstance(found, Job):
        return redirect("job", found.pk)
    label = access.label_for(project, name)
    others = project.labels.exclude(pk=label.pk)
    return show(
        request, "datasets_app/label_operation.html", project, tab="labels", label=label, others=others,
        touched=label_operations.touches(project, name), given=given, rule=rule, found=found,
    )  # fmt: skip


def _split(request: HttpRequest, project: Project, name: str, rule: dict[str, Any]) -> Job | dict[str, Any] | None:
    """The job of a split, or its preview, if one is asked for and can be; what is wrong is told on the page."""
    try:
        if request.POST.get("operation") == "split":
            to = request.POST.get("to", "").strip()
            return label_splits.start(project, request.user, name, to=to, **rule)
        if request.POST.get("operation") == "preview":
            return label_splits.preview(project, name, label_splits.Rule(**rule))
    except GoldsetError as error:
        messages.error(request, error.message)
    return None


@require_POST
@login_required
def restore_document(request: HttpRequest, pk: int, document: int) -> HttpResponse:
    """Bring back one document's gold from a version."""
    version = version_for(request.user, pk, Role.REVIEWER)
    done = _("Document %(document)s is labeled as in version %(version)s again.") % {
        "document": document,
        "version": version.number,
    }
    attempt(request, lambda: restoring.restore_document(version, request.user, document), done)
    return redirect("changes", version.project.slug)
