"""Pages of models. What starts a job or promotes posts to the REST door; these pages show."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from datasets_app.access import jobs_of
from datasets_app.models import Job
from labeling import access
from labeling.models import Document, Role, Split
from labeling.pages import colors_of, show
from labeling.paging import page
from modelassist.access import model_for, models_of, production_of
from modelassist.chart import chart
from modelassist.hyperparameters import RANGES

PAGE = 30
MEANS = ("micro", "macro", "weighted")


@require_GET
@login_required
def model_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's models, newest first, and forms to train one and to pre-annotate."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    found = page(models_of(project), order=("-number",), cursor=request.GET.get("cursor"), limit=PAGE)
    documents = access.documents_in(project).filter(archived_at=None)
    return show(
        request, "modelassist/models.html", project, tab="models", rows=found.rows, next=found.next,
        production=production_of(project), ranges=RANGES,
        active=jobs_of(project).filter(kind__in=("train", "predict"), state__in=Job.ACTIVE).order_by("-id"),
        trainable=documents.filter(status=Document.Status.ACCEPTED, split=Split.TRAIN).count(),
        pending=documents.filter(status=Document.Status.PENDING).count(),
    )  # fmt: skip


@require_GET
@login_required
def model_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One model: how good it is on each held-out split, how it was trained, why it is or is not in production."""
    model = model_for(request.user, pk, Role.ANNOTATOR)
    exams = [
        {"split": split, "result": model.metrics[split], "means": _means(model.metrics[split])}
        for split in (Split.TEST.value, Split.VALIDATION.value)
        if model.metrics.get(split)
    ]
    return show(
        request, "modelassist/model.html", model.project, tab="models", model=model, exams=exams,
        production=production_of(model.project), colors=colors_of(model.project),
        chart=chart(model.metrics.get("curve") or []),
    )  # fmt: skip


def _means(result: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    return [(name, result["token_report"][name]) for name in MEANS]
