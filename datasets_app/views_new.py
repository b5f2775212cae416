"""The page on which a project is made, with all that it begins with."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from datasets_app import curation
from datasets_app.models import Curation
from labeling import projects
from labeling.access import Person
from labeling.errors import GoldsetError
from labeling.forms import NewProjectForm
from labeling.models import Project
from labeling.pages import show


class WholeProjectForm(NewProjectForm):
    """A new project, and by what its texts are split."""

    split_by = forms.CharField(
        required=False,
        max_length=Curation._meta.get_field("split_by").max_length,
        label=_("Split by"),
        help_text=_("The name of a field of your files, such as author: texts with the same value share a split."),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )


@require_http_methods(["GET", "POST"])
@login_required
def new_project(request: HttpRequest) -> HttpResponse:
    """Make a project, all on one page; what is wrong stands beside its field, and nothing typed is lost."""
    form = WholeProjectForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            project = _make(request.user, dict(form.cleaned_data))
        except (GoldsetError, ValidationError) as error:
            _complain(form, error)
        else:
            messages.success(request, gettext("Project made."))
            return redirect("import" if "then_import" in request.POST else "project", project.slug)
    return show(request, "labeling/new_project.html", form=form)


@transaction.atomic
def _make(user: Person, given: dict[str, object]) -> Project:
    split_by = given.pop("split_by")
    project = projects.create(user, **given)  # type: ignore[arg-type]
    if split_by:
        curation.change(project, user, {"split_by": split_by})
    return project


def _complain(form: WholeProjectForm, error: GoldsetError | ValidationError) -> None:
    if isinstance(error, ValidationError):
        fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, complaints in fields.items():
            form.add_error(name if name in form.fields else None, complaints)
        return
    named = "labels" if error.code in ("bad_label", "label_exists") else str(error.details.get("field"))
    form.add_error(named if named in form.fields else None, error.message)
