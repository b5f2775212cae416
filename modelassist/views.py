"""Pages of models. What starts a job or promotes posts to the REST door; these pages show."""

from importlib.util import find_spec
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from datasets_app.access import job_for, jobs_of
from datasets_app.job_report import waits
from datasets_app.models import Job
from labeling import access, bio
from labeling.errors import Conflict, NotFound
from labeling.highlight import pieces
from labeling.models import Document, Project, Role, Split
from labeling.pages import colors_of, show
from labeling.paging import page
from modelassist import exams, knobs, learning, matching, plots
from modelassist.access import listed, model_for, models_of, production_of, trained_of
from modelassist.models import ExamSheet, ModelVersion
from modelassist.report import LENGTHS

PAGE = 30
AT_WORK = ("train", "predict", "update", "control")  # jobs of models
MEANS = ("micro", "macro", "weighted")


@require_GET
@login_required
def model_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's models, newest first, and forms to train one and to pre-annotate."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    found = page(listed(project), order=("-number",), cursor=request.GET.get("cursor"), limit=PAGE)
    documents = access.documents_in(project).filter(archived_at=None)
    return show(
        request, "modelassist/models.html", project, tab="models", rows=found.rows, next=found.next,
        production=production_of(project), knobs=knobs.fields(),
        active=jobs_of(project).filter(kind__in=AT_WORK, state__in=Job.ACTIVE).order_by("-id"),
        failed=_failed(project),
        trainable=documents.filter(status=Document.Status.ACCEPTED, split=Split.TRAIN).count(),
        pending=documents.filter(status=Document.Status.PENDING).count(),
    )  # fmt: skip


def _failed(project: Project) -> Job | None:
    """The last training, if it failed."""
    last = jobs_of(project).filter(kind="train").exclude(state__in=Job.ACTIVE).order_by("-id").first()
    return last if last and last.state == Job.State.FAILED else None


@require_GET
@login_required
def learning_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What more labels would bring: a part of the progress page, or a page of its own where there is no script."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    found = learning.outlook(project)
    part = request.headers.get("HX-Request")
    return show(
        request, "modelassist/_outlook.html" if part else "modelassist/learning.html", project, tab="progress",
        outlook=found, curve=plots.learning_curve(found["points"], found["forecast"]),
    )  # fmt: skip


@require_GET
@login_required
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A training while it runs and after: how far it is, its curve, and what came of it."""
    job = job_for(request.user, pk, Role.ANNOTATOR)
    if job.kind != "train" or job.project is None:
        raise NotFound("This job is no training.")
    model = models_of(job.project).filter(job=job).first()
    curve = (model.metrics if model else job.result).get("curve") or []
    trials = (model.metrics.get("search", {}) if model else job.result).get("trials") or []
    template = "modelassist/_run.html" if request.headers.get("HX-Request") else "modelassist/run.html"
    return show(
        request, template, job.project, tab="models", job=job, model=model, curve=curve, plot=plots.training(curve),
        active=job.state in Job.ACTIVE, trials=trials, waits=waits(job),
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
        production=production_of(model.project), colors=colors_of(model.project), onnx=find_spec("onnx") is not None,
        training=plots.training(model.metrics.get("curve") or []),
        others=trained_of(model.project).exclude(pk=model.pk),
        **_comparison(model, request.GET.get("with", "")),
    )  # fmt: skip


def _comparison(model: ModelVersion, number: str) -> dict[str, Any]:
    """Beside another model of the project, or why that cannot be."""
    other = models_of(model.project).filter(number=int(number)).first() if number.isdecimal() else None
    if other is None or other == model:
        return {}
    try:
        return {"other": other, "against": exams.compare(model, other)}
    except Conflict as error:
        return {"other": other, "incomparable": error.message}


@require_GET
@login_required
def model_errors(request: HttpRequest, pk: int) -> HttpResponse:
    """What a model got wrong on held-out texts, text by text."""
    model = model_for(request.user, pk, Role.REVIEWER)
    wanted: dict[str, Any] = {name: request.GET.get(name, "") for name in ("split", "kind", "label")}
    query = exams.errors_of(model, **wanted)
    found = page(query, order=("document_id",), cursor=request.GET.get("cursor"), limit=PAGE)
    return show(
        request, "modelassist/errors.html", model.project, tab="models", model=model, next=found.next, **wanted,
        rows=[_error_row(sheet) for sheet in found.rows], kinds=matching.ERRORS, splits=("validation", "test"),
        labels=sorted({bio.label_of(tag) for tag in model.labels} - {""}), colors=colors_of(model.project),
    )  # fmt: skip


def _error_row(sheet: ExamSheet) -> dict[str, Any]:
    """A text twice, as it should be and as the model had it, with what differs marked."""
    wrong = [found for found in exams.matched(sheet) if found.kind != matching.RIGHT]
    return {
        "document": sheet.document,
        "split": sheet.split,
        "gold": pieces(sheet.document, sheet.gold, differing=[found.gold for found in wrong if found.gold]),
        "predicted": pieces(sheet.document, sheet.tags, differing=[f.predicted for f in wrong if f.predicted]),
        "kinds": sorted({matching.ERRORS[found.kind] for found in wrong}),
    }


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
        "plots": plots.of_exam(split, tags, result),
        **_closer(result),
    }


def _closer(result: dict[str, Any]) -> dict[str, Any]:
    """The figures that models trained before there were any lack."""
    if "confusion" not in result:
        return {}
    return {
        "closer": result,
        "intervals": result["intervals"],
        "errors": [(kind, words, result["errors"][kind]) for kind, words in matching.ERRORS.items()],
        "lengths": [(length, result["lengths"][length]) for length in LENGTHS],
    }
