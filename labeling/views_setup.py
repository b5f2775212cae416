"""Pages on which a manager sets up labels and members."""

from collections.abc import Mapping

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling import access, projects
from labeling.errors import Invalid
from labeling.forms import LabelForm, MemberForm
from labeling.models import Role
from labeling.pages import attempt, show
from labeling.words import VALUES


@require_http_methods(["GET", "POST"])
@login_required
def labels(request: HttpRequest, slug: str) -> HttpResponse:
    """The labels in their order, and a new one."""
    project = access.project_for(request.user, slug, Role.MANAGER if request.method == "POST" else Role.ANNOTATOR)
    new = LabelForm(request.POST or None, auto_id="new_%s", use_required_attribute=False)
    if request.method == "POST" and new.is_valid():
        given = {field: value for field, value in new.cleaned_data.items() if value}
        if attempt(request, lambda: projects.add_labels(project, request.user, [given]), _("Added %(name)s.") % given):
            return redirect("labels", slug)
    elif not new.is_bound:
        position = project.labels.count() % len(projects.PALETTE)
        new.initial = {"color": projects.PALETTE[position]}
    rows = [
        {"label": label, "form": LabelForm(initial=_values(label), auto_id=f"label{label.pk}_%s")}
        for label in project.labels.all()
    ]
    return show(request, "labeling/labels.html", project, tab="labels", rows=rows, new=new)


def _values(label: object) -> dict[str, object]:
    return {field: getattr(label, field) for field in LabelForm.base_fields}


@require_POST
@login_required
def label(request: HttpRequest, slug: str) -> HttpResponse:
    """Change, move or delete a label. Its name comes in the form: in an address, `..` or `a/b` would get lost."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    name = request.POST.get("label", "")
    found = access.label_for(project, name)
    action = request.POST.get("action", "save")
    if action == "delete":
        attempt(request, lambda: projects.delete_label(found, request.user), _("Deleted %(name)s.") % {"name": name})
    elif action in ("up", "down"):
        by = -1 if action == "up" else 1
        attempt(request, lambda: projects.move_label(found, request.user, by), _("Moved %(name)s.") % {"name": name})
    else:
        form = LabelForm(request.POST)
        attempt(
            request,
            lambda: projects.change_label(found, request.user, _checked(form)),
            _("Saved %(name)s.") % {"name": name},
        )
    return redirect("labels", slug)


def _checked(form: Form) -> Mapping[str, object]:
    """The form's values; its first complaint is raised, to be shown as a message."""
    for field, errors in form.errors.items():
        raise Invalid(f"{form[field].label}: {errors[0]}")
    return form.cleaned_data


@require_GET
@login_required
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Who may do what in this project."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    rows = access.members_of(project)
    return show(
        request, "labeling/members.html", project, tab="members", rows=rows, roles=Role.choices, form=MemberForm()
    )


@require_POST
@login_required
def member(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a person, change their role, or remove them."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    if request.POST.get("action") == "remove":
        name = request.POST.get("username", "")
        attempt(
            request,
            lambda: projects.remove_member(project, request.user, username=name),
            _("Removed %(name)s.") % {"name": name},
        )
        return redirect("members", slug)
    form = MemberForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        verb = lambda: projects.set_member(  # noqa: E731
            project, request.user, username=given["username"], role=Role(given["role"]), password=given["password"]
        )
        done = _("%(name)s is now %(role)s.") % {"name": given["username"], "role": VALUES[given["role"]]}
        if attempt(request, verb, done):
            return redirect("members", slug)
    rows = access.members_of(project)
    return show(request, "labeling/members.html", project, tab="members", rows=rows, roles=Role.choices, form=form)
