"""Pages of models. What starts a job or promotes posts to the REST door; these pages show."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from datasets_app.access import jobs_of
from datasets_app.models import Job
from labeling import access, bio
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
    splits = (Split.TEST.value, Split.VALIDATION.value)
    exams = [_exam(split, model.metrics[split], model.labels) for split in splits if model.metrics.get(split)]
    return show(
        request, "modelassist/model.html", model.project, tab="models", model=model, exams=exams,
        production=production_of(model.project), colors=colors_of(model.project),
        chart=chart(model.metrics.get("curve") or []),
    )  # fmt: skip


def _exam(split: str, result: dict[str, Any], tags: list[str]) -> dict[str, Any]:
    """One split's scores as rows, in the order of the model's tags, which JSON in the database does not keep."""
    labels = dict.fromkeys(bio.label_of(tag) for tag in tags if tag != bio.OUTSIDE)
    report = result["token_report"]
    return {
        "split": split,
        "documents": result["documents"],
        "labels": [(label, result["labels"][label]) for label in labels if label in result["labels"]],
        "micro": result["micro"],
        "tags": [(tag, report["tags"][tag]) for tag in tags if tag in report["tags"]],
        "means": [(name, report[name]) for name in MEANS],
    }
