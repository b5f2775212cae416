"""A training from end to end: freeze a version, train, examine, save, register, let it earn its place.

The handler of jobs of kind `train`. A killed run goes on with the version that it froze and the training's
last state, and so ends with the same model; what it registers, it registers once.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from datasets_app import jobs, versions
from datasets_app.models import DatasetVersion, Job
from labeling.access import Person
from labeling.errors import Conflict, Invalid
from labeling.models import Annotation, Project, Split
from modelassist import artifacts, base_model, control, exams, preannotate, registry, search
from modelassist.access import models_of, production_of
from modelassist.examples import Examples
from modelassist.hyperparameters import Hyperparameters
from modelassist.models import ModelVersion, models_folder

if TYPE_CHECKING:
    from modelassist.checkpoint import Checkpoint
    from modelassist.trainer import Progress, Trained

WAIT_SECONDS = 1.0
_SIZES = 8  # how much room a training needs, in base models: weights, best weights, moments, twice while replaced


def start(
    project: Project,
    user: Person | None,
    hyperparameters: Mapping[str, Any] | None = None,
    *,
    then_predict: bool = False,
    search_minutes: int = 0,
    dedupe_key: str | None = None,
) -> Job:
    """Queue a training; raises `Invalid` for a bad hyperparameter, `Conflict` where nothing can be learned yet.

    With `then_predict`, a model that goes live pre-annotates at once. With `search_minutes`, it first looks for good
    values of the hyperparameters that are left open.
    """
    Hyperparameters.from_json(hyperparameters)
    accepted = Annotation.objects.filter(document__project=project, document__archived_at=None, accepted=True)
    search.require_possible(search_minutes, validation=accepted.filter(document__split=Split.VALIDATION).exists())
    if not accepted.filter(document__split=Split.TRAIN).exists():
        raise Conflict(
            "No document of the train split is accepted yet, so there is nothing to train on; accept some first.",
            code="nothing_accepted",
        )
    params: dict[str, Any] = {"hyperparameters": hyperparameters or {}, "then_predict": then_predict}
    if search_minutes:
        params["search_minutes"] = search_minutes
    return jobs.enqueue("train", project=project, user=user, params=params, dedupe_key=dedupe_key)


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; its result is `{model, number, state, promoted, micro}`."""
    assert job.project is not None
    model = ModelVersion.objects.filter(job=job).first()
    if model is None:
        yield from _turn(job)
        yield jobs.Step(0, note="freezing a dataset version")
        model = yield from _make(job, job.project, _frozen(job, job.project))
    if not model.promotion:
        yield jobs.Step(model.metrics["steps"], model.metrics["steps"], note="comparing with the production model")
        registry.challenge(model)
        model.refresh_from_db()
    artifacts.prune(job.project)
    if job.params.get("then_predict") and model.state == ModelVersion.State.PRODUCTION:
        preannotate.start(job.project, job.created_by)
    control.start_if_due(model)
    return {
        "model": model.pk,
        "number": model.number,
        "state": model.state,
        "promoted": model.state == ModelVersion.State.PRODUCTION,
        "micro": model.metrics["micro"],
    }


def _turn(job: Job) -> Generator[jobs.Step, None, None]:
    """Wait while another training of the project runs that began before: there is one at a time."""
    running = Job.objects.filter(project=job.project, kind="train", state=Job.State.RUNNING)
    since = job.started_at or timezone.now()
    before = Q(started_at__lt=since) | Q(started_at=since, pk__lt=job.pk)
    while other := running.filter(before).exclude(pk=job.pk).first():
        yield jobs.Step(0, note=f"waiting for training {other.pk} of the same project")
        time.sleep(WAIT_SECONDS)


def _frozen(job: Job, project: Project) -> DatasetVersion:
    """The version to train on: the one that this job froze before a crash, or a new one."""
    if job.cursor is not None:
        return DatasetVersion.objects.get(pk=job.cursor["version"])
    with transaction.atomic():
        version = versions.freeze_now(project, job.created_by, notes="For a training.", reuse=True)
        # What it begins with is settled now: a resumed training must not begin with another.
        production = production_of(project)
        jobs.checkpoint(job, cursor={"version": version.pk, "production": production and production.pk})
    return version


def _make(job: Job, project: Project, version: DatasetVersion) -> Generator[jobs.Step, None, ModelVersion]:
    """Train on the version and register what came out."""
    from modelassist import trainer

    began = time.monotonic()
    train, validation, test = (Examples(version, split) for split in Split.values)
    _require_spans(train)
    asked = job.params["hyperparameters"]
    chosen = Hyperparameters.from_json(asked)
    wanted = project.base_model or settings.BASE_MODEL
    finding = jobs.Step(0, note=f"looking for the base model {wanted}")  # it may have to be downloaded
    base = yield from jobs.waiting(finding, partial(base_model.resolve, wanted, gpu=trainer.gpu()))
    learned = _learned(job, project) if chosen.warm_start else None
    artifacts.require_space(base.path, sizes=_SIZES)
    labels = [label["name"] for label in version.labels]
    start = learned.folder if learned else base.path
    trials: list[dict[str, Any]] = []
    if minutes := job.params.get("search_minutes"):
        trials = yield from search.Search(train, validation, labels, start, asked).run(job, minutes)
        asked = {**asked, **trials[0]["options"]}
        chosen = Hyperparameters.from_json(asked)
    checkpoint = _checkpoint(job, project, version, asked)
    trained = yield from _steps(
        job,
        trainer.train(
            train,
            validation,
            labels=labels,
            base=start,
            hyperparameters=chosen,
            checkpoint=checkpoint,
            processes=trainer.processes(settings.TRAINING_PROCESSES),
        ),
    )
    with exams.Sheets() as sheets:
        yield jobs.Step(trained.steps, trained.steps, note="evaluating")
        results = _examined(trained, train, [part for part in (validation, test) if part.documents], sheets)
        metrics = _metrics(trained, results, registry.exam_of(version))
        metrics |= {"seconds": round(time.monotonic() - began, 1), "warm_start": learned and learned.number}
        metrics |= {"search": {"minutes": minutes, "trials": trials}} if trials else {}
        path = artifacts.save(job, project, version, trained)
        with transaction.atomic():
            jobs.checkpoint(job, cursor=job.cursor)
            model = registry.register(
                project,
                job.created_by,
                job=job,
                dataset_version=version,
                base_model=base.name,
                hyperparameters=trained.hyperparameters.as_json(),
                labels=list(trained.tagset.names),
                metrics=metrics,
                path=path,
            )
            exams.keep(model, sheets)
    checkpoint.remove()
    return model


def _examined(
    trained: "Trained", train: Examples, parts: Sequence[Examples], sheets: exams.Sheets
) -> dict[str, dict[str, Any]]:
    """The figures of each held-out split."""
    tagger, known = trained.tagger(), exams.surfaces(train)
    return {str(part.split): exams.sit(tagger, part, known=known, sheets=sheets) for part in parts}


def _learned(job: Job, project: Project) -> ModelVersion | None:
    """The model to go on from; None where there was none in production when the job began."""
    model = models_of(project).filter(pk=job.cursor.get("production")).first()
    return model if model and (model.folder / "config.json").is_file() else None


def _checkpoint(job: Job, project: Project, version: DatasetVersion, asked: Mapping[str, Any]) -> "Checkpoint":
    """Where the training keeps its state; those of jobs that are over are swept away."""
    from modelassist.checkpoint import Checkpoint

    folder = models_folder() / project.slug
    for path in folder.glob("job-*.state"):
        if not Job.objects.filter(pk=path.stem.removeprefix("job-"), state__in=Job.ACTIVE).exists():
            path.unlink(missing_ok=True)
    return Checkpoint(folder / f"job-{job.pk}.state", key=f"{version.fingerprint} {asked}")


def _require_spans(train: Examples) -> None:
    if not train.spans:
        message = (
            f"The train split has {train.documents} accepted documents with {train.spans} labeled spans:"
            " too few to learn from. Label and accept some more, then train again."
        )
        raise Invalid(message, code="too_few_labels", details={"documents": train.documents, "spans": train.spans})


def _steps(job: Job, training: "Generator[Progress, None, Trained]") -> "Generator[jobs.Step, None, Trained]":
    """The training's progress as the job's; the curve is shown as its result until there is one."""
    epochs_shown = 0
    for progress in (followed := jobs.Followed(training)):
        if len(progress.curve) != epochs_shown:
            epochs_shown = len(progress.curve)
            running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claimed_by=job.claimed_by)
            trials = {"trials": job.cursor["trials"]} if "trials" in job.cursor else {}
            running.update(result={"curve": progress.curve, **trials})
        yield jobs.Step(progress.step, progress.steps, note=_note(progress))
    return followed.value


def _note(progress: "Progress") -> str:
    note = f"epoch {progress.epoch}/{progress.epochs}"
    if progress.loss is not None:
        note += f" loss {progress.loss:.3f}"
    return note if progress.f1 is None else f"{note} F1 {progress.f1:.3f}"


def _metrics(trained: "Trained", results: Mapping[str, dict[str, Any]], exam: Examples | None) -> dict[str, Any]:
    """What the model's page and its rivals want to know; `evaluated_on` says which split the headline is of."""
    examined = str(exam.split) if exam else None
    return {
        "evaluated_on": examined,
        "micro": results[examined]["micro"] if examined else None,
        **{split: results.get(split) for split in ("validation", "test")},
        "temperature": round(trained.temperature, 4),
        "curve": trained.curve,
        "best_epoch": trained.best_epoch,
        "steps": trained.steps,
        "seed": trained.hyperparameters.seed,
        "libraries": {name: installed(name) for name in artifacts.LIBRARIES},
    }
