"""The page between choosing documents and doing something to all of them: what it touches, and the button for it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from datasets_app import bulk
from datasets_app.models import Job
from labeling import access, selection, words
from labeling.errors import GoldsetError, Invalid
from labeling.models import Project, Role
from labeling.pages import number, show


@require_POST
@login_required
def bulk_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Preview an act on documents; with `expected`, do it. The address carries the filters of the list."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    back = f"{reverse('documents', args=[slug])}?{_without_cursor(request.GET)}"
    try:
        order = _order(request)
        if "expected" in request.POST:
            return _do(request, project, order, back)
        found = bulk.preview(project, request.user, order)
    except GoldsetError as error:
        messages.error(request, error.message)
        return redirect(back)
    return show(
        request, "datasets_app/bulk.html", project, tab="documents", found=found, order=order, back=back,
        act=words.ACTS[order.act], kept=_kept(request), at_once=bulk.AT_ONCE,
        left_out=[(_REASONS[why](), count) for why, count in found["left_out"].items()],
        by_status=found["by_status"].items(),
    )  # fmt: skip


def _order(request: HttpRequest) -> bulk.Order:
    posted = request.POST
    numbers = [number(value) for value in posted.getlist("document")]
    every = posted.get("scope") == "all"
    if not every and not numbers:
        raise Invalid(_("Tick at least one document."))
    return bulk.Order(
        act=posted.get("act", ""),
        documents=None if every else numbers,
        filters=selection.read(request.GET).filters if every else None,
        person=posted.get("person", "").strip() if posted.get("act") == "assign" else "",
    )


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of the choice, to be sent again with the confirmation."""
    names = ("act", "scope", "person", "document")
    return [(name, value) for name in names for value in request.POST.getlist(name)]


def _without_cursor(params: QueryDict) -> str:
    kept = params.copy()
    kept.pop("cursor", None)
    return kept.urlencode()


def _do(request: HttpRequest, project: Project, order: bulk.Order, back: str) -> HttpResponse:
    done = bulk.act(project, request.user, order, expected=number(request.POST["expected"]))
    if isinstance(done, Job):
        return redirect("job", done.pk)
    told: dict[str, Any] = {"act": words.ACTS[order.act], "count": done.data["documents"]}
    undo = format_html('<a href="{}">{}</a>', reverse("changes", args=[project.slug]), _("It can be undone here."))
    messages.success(request, format_html("{} {}", _("%(act)s: %(count)s documents.") % told, undo))
    return redirect(back)


_REASONS = {
    "archived": lambda: _("archived already; restore them first to do anything else"),
    "not_archived": lambda: _("not archived"),
    "erased": lambda: _("erased for good"),
    "to_review": lambda: _("to review already"),
    "nobody_submitted": lambda: _("nobody has submitted a version of them"),
    "not_pending": lambda: _("labeled by as many people as they need"),
    "submitted_by_them": lambda: _("the person has labeled them already"),
    "taken": lambda: _("as many people as they need have them in hand"),
}
