"""The files of trained models: written whole or not at all, and removed when a project's policy no longer keeps them.

A row without its files stays with all its figures; `ModelVersion.pruned_at` says that they are gone. Those of the
model in production are never removed.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from datasets_app.models import DatasetVersion, Job
from labeling.errors import Conflict, Unavailable
from labeling.events import record
from labeling.models import Project
from modelassist.access import models_of, production_of, trained_of
from modelassist.assistance import assistance_of
from modelassist.models import ModelVersion, models_folder

if TYPE_CHECKING:
    from modelassist.trainer import Trained

LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")  # whose versions a model remembers


def require_space(base: Path, *, sizes: int) -> None:
    """Raise `Unavailable` where the disk has no room for `sizes` times the files of a base model."""
    needed = sizes * sum(path.stat().st_size for path in base.iterdir() if path.is_file())
    models_folder().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(models_folder()).free
    if free < needed:
        message = f"The disk has {free / 1e9:.1f} GB left, and a training needs about {needed / 1e9:.1f} GB; make room."
        raise Unavailable(message, code="disk_full", details={"free": free, "needed": needed})


def save(job: Job, project: Project, version: DatasetVersion, trained: "Trained") -> str:
    """Write the model's folder, whole or not at all; gives its path below the folder of all models."""
    path = f"{project.slug}/job-{job.pk}"
    folder = models_folder() / path
    partial = folder.with_name(f"{folder.name}.partial-{job.claimed_by}")
    partial.mkdir(parents=True)
    try:
        trained.save(partial)
        manifest = {
            "project": project.slug,
            "dataset_version": version.number,
            "fingerprint": version.fingerprint,
            "hyperparameters": trained.hyperparameters.as_json(),
        }
        (partial / "goldset.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False))
        if folder.exists():  # of a run that died before it registered
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def require_files(model: ModelVersion) -> None:
    """Raise `Conflict` where its files are gone."""
    if model.pruned_at is not None:
        message = f"The files of {model.name} were removed on {model.pruned_at:%Y-%m-%d}; only its figures are kept."
        raise Conflict(message, code="model_files_gone", details={"model": model.pk, "pruned_at": model.pruned_at})
    if not (model.folder / "config.json").is_file():
        message = f"The files of {model.name} are gone from {model.folder}."
        raise Conflict(message, code="model_files_gone", details={"model": model.pk})


def prune(project: Project) -> list[ModelVersion]:
    """Remove the files that the project's policy does not keep; gives the models that lost theirs.

    Kept are: production, pinned models, the one to roll back to, the newest `keep_models` others, and the newest
    update of the model in production.
    """
    with transaction.atomic():
        # The lock of `registry`: no model is promoted while it is chosen to go.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        going = list(_superseded(project))
        ModelVersion.objects.filter(pk__in=[model.pk for model in going]).update(pruned_at=timezone.now())
        for model in going:
            record(project, None, "model.pruned", data={"model": model.pk, "number": model.number})
    for model in ModelVersion.objects.filter(project=project).exclude(pruned_at=None):
        if model.folder.is_dir():  # once more for one whose removing was interrupted
            shutil.rmtree(model.folder, ignore_errors=True)
    _sweep(project)
    return going


def _superseded(project: Project) -> list[ModelVersion]:
    there = models_of(project).filter(pruned_at=None).order_by("-number")
    production = production_of(project)
    updates = list(there.filter(kind=ModelVersion.Kind.UPDATE))
    live = [model for model in updates if production and model.metrics["update"]["of"] == production.number][:1]
    keep = assistance_of(project).keep_models
    others = trained_of(project).filter(pruned_at=None).exclude(state=ModelVersion.State.PRODUCTION)
    loose = list(others.filter(pinned=False).order_by("-number"))
    back = others.exclude(promoted_at=None).order_by("-promoted_at").first()
    old = [model for model in loose[keep:] if model != back] if keep else []
    return [model for model in updates if model not in live] + old


def _sweep(project: Project) -> None:
    """Remove what killed workers left half-written."""
    for path in (models_folder() / project.slug).glob("job-*.partial-*"):
        job = path.name.removeprefix("job-").partition(".")[0]
        if not Job.objects.filter(pk=job, state__in=Job.ACTIVE).exists():
            shutil.rmtree(path, ignore_errors=True)
