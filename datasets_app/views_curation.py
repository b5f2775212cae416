"""Pages about the data as a whole: how they are curated, and their duplicates."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from datasets_app import curation, duplicates
from datasets_app.models import Curation
from labeling import access
from labeling.models import Role
from labeling.pages import attempt, show
from labeling.paging import page

PAGE = 20


class CurationForm(forms.ModelForm[Curation]):
    """How data are curated."""

    class Meta:
        model = Curation
        fields = curation.FIELDS
        labels = {
            "duplicates": _("Duplicates"),
            "citation": _("Citation"),
            "split_by": _("Split by"),
            "stratify": _("Balance labels across the splits"),
            "license": _("License"),
        }
        help_texts = {
            "duplicates": _(
                "What becomes of texts that are the same, or nearly so, as one that is there. "
                "It holds for texts that come in from now on."
            ),
            "stratify": _(
                "A text that comes with labels goes where its hash says, unless one of them would get too far "
                "from its share: then it goes where they are lacking. No text is moved."
            ),
            "license": _("For the dataset card, as the Hugging Face Hub names it: cc-by-4.0, apache-2.0, …"),
        }
        widgets: dict[str, Any] = {"citation": forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})}


@require_http_methods(["GET", "POST"])
@login_required
def curation_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Policy for duplicates, key of splits, license and citation."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    form = CurationForm(request.POST or None, instance=curation.of(project))
    save = lambda: curation.change(project, request.user, form.cleaned_data)  # noqa: E731
    if form.is_bound and form.is_valid() and attempt(request, save, gettext("Saved.")):
        return redirect("curation", slug)
    return show(request, "datasets_app/curation.html", project, tab="data", form=form)


@require_GET
@login_required
def duplicate_groups(request: HttpRequest, slug: str) -> HttpResponse:
    """The groups of duplicates, each with its first members."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    across = bool(request.GET.get("across"))
    query = duplicates.groups(project, across=across)
    found = page(query, order=("id",), cursor=request.GET.get("cursor"), limit=PAGE)
    rows = [duplicates.as_json(first) for first in found.rows]
    return show(
        request, "datasets_app/duplicates.html", project, tab="data",
        rows=rows, next=found.next, across=across, curation=curation.of(project),
    )  # fmt: skip
