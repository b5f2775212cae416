"""Pages of patterns, and of when models work by themselves."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from labeling import access
from labeling.errors import GoldsetError
from labeling.models import Role
from labeling.pages import attempt, show
from modelassist import assistance, patterns, preannotate, predictors
from modelassist.models import Assistance, Predictor


@require_http_methods(["GET", "POST"])
@login_required
def pattern_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Rules to type, what they would mark, and a button that lets them suggest."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    kept = Predictor.objects.filter(project=project, name=predictors.PATTERNS).first()
    rules = patterns.of_json(kept.options["rules"]) if kept else []
    text = "\n".join([request.POST.get("rules", "\n".join(rule.line for rule in rules)), *request.POST.getlist("add")])
    text = text.strip()
    counted: dict[str, Any] | None = None
    if request.method == "POST":
        try:
            rules = patterns.read_lines(text)
            counted = predictors.count(project, rules)
            if "save" in request.POST:
                predictors.save_patterns(project, request.user, rules)
                job = preannotate.start(project, request.user, predictor=predictors.PATTERNS)
                return redirect("job", job.pk)
        except GoldsetError as error:
            messages.error(request, error.message)
    offered = predictors.offered_rules(project, rules)
    return show(
        request, "modelassist/patterns.html", project, tab="models", text=text, counted=counted, offered=offered
    )


class AssistanceForm(forms.ModelForm[Assistance]):
    """The settings as fields."""

    class Meta:
        model = Assistance
        fields = assistance.SETTINGS
        labels = {
            "after_promotion": gettext_lazy("After a promotion"),
            "after_import": gettext_lazy("After an import"),
            "update_every": gettext_lazy("Update within the session"),
            "label_drop": gettext_lazy("Loss of a label"),
            "keep_models": gettext_lazy("Models kept"),
            "random_share": gettext_lazy("Random share"),
            "rare_label_boost": gettext_lazy("Rare labels"),
            "diversity": gettext_lazy("Diversity"),
        }


@require_http_methods(["GET", "POST"])
@login_required
def assistance_page(request: HttpRequest, slug: str) -> HttpResponse:
    """When models work by themselves."""
    project = access.project_for(request.user, slug, Role.MANAGER)
    settings = assistance.assistance_of(project)
    form = AssistanceForm(request.POST or None, instance=settings)
    if request.method == "POST" and form.is_valid():
        changes = form.cleaned_data
        if attempt(request, lambda: assistance.change(project, request.user, changes), _("Saved.")):
            return redirect("assistance", slug)
    agreement = predictors.agreement(project)
    return show(request, "modelassist/assistance.html", project, tab="models", form=form, agreement=agreement)
