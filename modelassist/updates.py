"""Learning within the session: a short training after every few accepted texts, for the suggestions of the next ones.

The handler of jobs of kind `update`. It goes on from the model in production with its lower layers frozen, on what was
accepted since and on a replayed sample of what that model learned from (experience replay: Robins 1995), so that it
takes up the new without forgetting the old. What comes of it suggests on the texts at the head of the queue and
nothing else: it is never promoted, and the next training makes it superfluous.
"""

import json
import logging
import random
import time
from collections.abc import Generator, Iterable, Iterator
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from datasets_app import jobs, label_map
from datasets_app.models import Job, VersionItem
from labeling import bio, predictions
from labeling.access import documents_in
from labeling.models import Annotation, Document, Project, Split
from labeling.predictions import Predicted
from modelassist import artifacts, registry, serving
from modelassist.access import models_of
from modelassist.hyperparameters import Hyperparameters
from modelassist.models import Assistance, ModelVersion

if TYPE_CHECKING:
    from modelassist.tagger import Example
    from modelassist.trainer import Trained

logger = logging.getLogger(__name__)
NEW_DOCUMENTS = 200  # the latest, at most
REPLAYED_DOCUMENTS = 100
WORDS = 6_000  # of either, at most, so that an update takes seconds whatever the texts' lengths
CHECKED_DOCUMENTS = 50  # held-out texts on which the update must not be clearly worse
WORSE = 0.1  # by so much F1
HEAD_DOCUMENTS = 64  # the next texts of the queue, which it suggests on
STEPS = 64  # of the optimizer, about; a third of them where a wide network has no GPU
SECONDS = 30.0  # that an update may take; where the last one took longer, the next makes fewer steps
STEPS_LEAST = 16
_SIZES = 2  # how much room it needs, in models
_FROZEN = 1 / 3  # of the layers, from below; with two thirds it took up half as much of what was taught

# Projects in which something was accepted a moment ago, that have a model to go on from and nothing at work on it, and
# in which enough was accepted since that model's data were frozen and since the last update was queued.
_DUE = """
SELECT model.id
  FROM (SELECT DISTINCT document.project_id
          FROM labeling_annotation AS gold JOIN labeling_document AS document ON document.id = gold.document_id
         WHERE gold.accepted AND gold.accepted_at > now() - interval '10 minutes') AS lively
  JOIN labeling_project AS project ON project.id = lively.project_id AND project.trashed_at IS NULL
  JOIN modelassist_modelversion AS model ON model.project_id = project.id AND model.state = 'production'
  JOIN datasets_app_datasetversion AS version ON version.id = model.dataset_version_id
  LEFT JOIN modelassist_assistance AS assistance ON assistance.project_id = project.id
 CROSS JOIN LATERAL (
       SELECT coalesce(assistance.update_every, %(usual)s) AS every,
              greatest(version.created_at, (SELECT max(job.created_at) FROM datasets_app_job AS job
                                             WHERE job.project_id = project.id AND job.kind = 'update')) AS since
     ) AS wanted
 WHERE wanted.every > 0
   AND NOT EXISTS (SELECT FROM datasets_app_job AS job WHERE job.project_id = project.id
                      AND job.kind IN ('train', 'update') AND job.state IN ('queued', 'running'))
   AND wanted.every <= (SELECT count(*) FROM (
       SELECT FROM labeling_annotation AS gold JOIN labeling_document AS document ON document.id = gold.document_id
        WHERE gold.accepted AND gold.accepted_at > wanted.since AND document.project_id = project.id
          AND document.split = 'train' AND document.archived_at IS NULL LIMIT wanted.every) AS fresh)
 ORDER BY model.id"""


def start_due() -> list[Job]:
    """Queue an update for each project that has earned one. Called by beat every few seconds."""
    usual = Assistance().update_every
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"usual": usual})
        if not (due := [row[0] for row in cursor.fetchall()]):
            return []
    models = ModelVersion.objects.filter(pk__in=due).select_related("project").order_by("pk")
    return [jobs.enqueue("update", project=each.project, user=None, params={"model": each.pk}) for each in models]


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; its result is `{model, number, predicted}`, or `{reason}` where nothing came of it."""
    assert job.project is not None
    update: ModelVersion | str | None = ModelVersion.objects.filter(job=job).first()
    if update is None:
        base = models_of(job.project).get(pk=job.params["model"])
        update = yield from _learned(job, job.project, base)
    if isinstance(update, str):
        return {"reason": update}
    yield jobs.Step(STEPS, STEPS, note="suggesting")
    predicted = _suggest(job.project, update)
    artifacts.prune(job.project)
    return {"model": update.pk, "number": update.number, "predicted": predicted}


def _learned(job: Job, project: Project, base: ModelVersion) -> "Generator[jobs.Step, None, ModelVersion | str]":
    """Train for some seconds and register what came out; or say why there is nothing to register."""
    from modelassist import trainer

    began = time.monotonic()
    if base.state != ModelVersion.State.PRODUCTION:
        return f"{base.name} is not in production any more."
    artifacts.require_space(base.folder, sizes=_SIZES)
    draw = random.Random(job.pk)
    new, old = list(_fresh(project, base)), list(_replayed(base, Split.TRAIN, REPLAYED_DOCUMENTS, draw))
    labels = list(project.labels.filter(retired=False).values_list("name", flat=True))
    mixed = [*new * max(1, len(old) // max(1, len(new))), *old]  # the few new ones weigh as much as the many old ones
    knobs = _knobs(base, len(mixed))
    training = jobs.Followed(trainer.train(mixed, (), labels=labels, base=base.folder, hyperparameters=knobs))
    for progress in training:
        yield jobs.Step(progress.step, progress.steps, note=f"learning from {len(new)} texts")
        if _training_waits(project):
            return "A training has begun, which makes the update superfluous."
    trained = training.value
    checked = _checked(base, trained, list(_replayed(base, Split.VALIDATION, CHECKED_DOCUMENTS, draw)))
    if checked and checked["f1"][1] < checked["f1"][0] - WORSE:
        return f"It is worse than {base.name} on held-out texts: F1 {checked['f1'][1]:.3f}, not {checked['f1'][0]:.3f}."
    update = {"of": base.number, "new": len(new), "replayed": len(old), "checked": checked}
    metrics = {
        "evaluated_on": None, "micro": None, "test": None, "validation": None, "update": update,
        "curve": trained.curve, "steps": trained.steps, "seed": trained.hyperparameters.seed,
        "seconds": round(time.monotonic() - began, 1),
        "libraries": {name: installed(name) for name in artifacts.LIBRARIES},
    }  # fmt: skip
    path = artifacts.save(job, project, base.dataset_version, trained)
    with transaction.atomic():
        jobs.checkpoint(job, cursor=job.cursor)
        return registry.register(
            project, None, job=job, kind=ModelVersion.Kind.UPDATE, dataset_version=base.dataset_version, path=path,
            base_model=base.name, hyperparameters=trained.hyperparameters.as_json(),
            labels=list(trained.tagset.names), metrics=metrics, promotion={"reason": _REASON},
        )  # fmt: skip


_REASON = "It only suggests on the next texts, with what was accepted in the session; the next training replaces it."


def _knobs(base: ModelVersion, documents: int) -> Hyperparameters:
    from modelassist import trainer

    config = json.loads((base.folder / "config.json").read_text())
    steps = STEPS if config["hidden_size"] <= 512 or trainer.gpu() else STEPS // 3
    last = models_of(base.project).filter(kind=ModelVersion.Kind.UPDATE).order_by("-number").first()
    if last and last.metrics["seconds"] > SECONDS:
        steps = min(steps, max(STEPS_LEAST, int(last.metrics["steps"] * SECONDS / last.metrics["seconds"])))
    kept = {name: base.hyperparameters.get(name, usual) for name, usual in _KEPT.items()}
    per_epoch = max(1, round(documents / Hyperparameters().batch_size))
    return Hyperparameters.from_json(
        {
            "epochs": max(2, round(steps / per_epoch)),
            "freeze_layers": int(config["num_hidden_layers"] * _FROZEN),
            "warm_start": True,
            **kept,
        }
    )


_KEPT: dict[str, Any] = {"transitions": "fixed", "max_pieces": 512}


def _fresh(project: Project, base: ModelVersion) -> "Iterator[Example]":
    """What was accepted since the model's data were frozen, the latest first."""
    gold = Annotation.objects.filter(
        accepted=True, accepted_at__gt=base.dataset_version.created_at,
        document__project=project, document__split=Split.TRAIN, document__archived_at=None,
    )  # fmt: skip
    rows = gold.select_related("document").order_by("-accepted_at")[:NEW_DOCUMENTS]
    yield from _within((row.document.tokens, row.tags) for row in rows)


def _replayed(base: ModelVersion, split: str, count: int, draw: random.Random) -> "Iterator[Example]":
    """Some of what the model was trained or judged on, at random, under today's labels; unless corrected since."""
    version = base.dataset_version
    names = label_map.since(base.project, version.created_at)
    total, there = (counts["documents"] for counts in (version.counts, version.counts["splits"][split]))
    if not there:
        return
    # Positions run through all splits: of so many places about `count` are of this one.
    places = draw.sample(range(total), min(total, 2 * count * total // there))
    items = VersionItem.objects.filter(version=version, split=split, position__in=places).select_related("document")
    kept = list(items.exclude(document__erased_at__isnull=False))
    draw.shuffle(kept)
    yield from _within((item.document.tokens, bio.renamed(item.tags, names)) for item in kept[:count])


def _within(examples: "Iterable[Example]") -> "Iterator[Example]":
    """As many as hold `WORDS` together, and at least one."""
    words = 0
    for example in examples:
        words += len(example[0])
        if words > WORDS and words > len(example[0]):
            return
        yield example


def _training_waits(project: Project) -> bool:
    return Job.objects.filter(project=project, kind="train", state__in=Job.ACTIVE).exists()


def _checked(base: ModelVersion, trained: "Trained", examples: "list[Example]") -> dict[str, Any] | None:
    """F1 of the model in production and of the update on some held-out texts; None without any."""
    if not examples:
        return None
    before = serving.tagger_for(base).evaluate(examples, trained.tagset).micro.f1
    return {"documents": len(examples), "f1": [before, trained.tagger().evaluate(examples).micro.f1]}


def _suggest(project: Project, update: ModelVersion) -> int:
    """Its tags for the training texts that come next; gives their number."""
    pending = documents_in(project).filter(status=Document.Status.PENDING, archived_at=None, split=Split.TRAIN)
    head = list(pending.only("text", "token_starts", "token_ends").order_by("-priority", "id")[:HEAD_DOCUMENTS])
    found = serving.tagger_for(update).predict(document.tokens for document in head)
    rows = (Predicted(d.pk, t.tags, t.confidences.tolist()) for d, t in zip(head, found, strict=True))
    return predictions.store(rows, model=update.name)
