"""How random order would have gone on: a short training on only those texts that chance put before people.

The handler of jobs of kind `control`, which follow a training where a query strategy has chosen some of its texts.
The model is judged on the same held-out texts as the one of all texts, its figures are kept with that one, and it is
thrown away. `learning` tells from them how many labels choosing has saved.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction

from datasets_app import jobs
from datasets_app.models import DatasetVersion, Job, VersionItem
from labeling.models import Split
from modelassist import base_model, exams, registry
from modelassist.access import models_of
from modelassist.examples import Examples
from modelassist.hyperparameters import Hyperparameters
from modelassist.models import ModelVersion

SPANS_LEAST = 20  # fewer teach a network nothing
GROWTH = 1.25  # how much larger the random slice must be than when it was last measured: all together cost little

_COUNTED = """
SELECT count(*), coalesce(sum((SELECT count(*) FROM unnest(item.tags) AS tag WHERE tag LIKE 'B-%%')), 0)
  FROM datasets_app_versionitem AS item JOIN labeling_document AS document ON document.id = item.document_id
 WHERE item.version_id = %s AND item.split = 'train' AND NOT document.chosen"""


@dataclass(frozen=True, slots=True)
class _AtRandom:
    """The training texts of a version that no strategy has chosen, as the network takes them."""

    version: DatasetVersion

    def __iter__(self) -> Iterator[tuple[list[str], list[str]]]:
        items = VersionItem.objects.filter(version=self.version, split=Split.TRAIN, document__chosen=False)
        for item in items.select_related("document").order_by("position").iterator(chunk_size=500):
            yield item.document.tokens, item.tags

    @property
    def counts(self) -> tuple[int, int]:
        """How many documents and spans."""
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED, [self.version.pk])
            documents, spans = cursor.fetchone()
        return int(documents), int(spans)


def start_if_due(model: ModelVersion) -> Job | None:
    """Queue one for a newly trained model, if there is something to compare and the random slice has grown."""
    held_out = model.metrics["evaluated_on"]
    chosen = VersionItem.objects.filter(version=model.dataset_version, split=Split.TRAIN, document__chosen=True)
    if not held_out or not chosen.exists():
        return None
    _, spans = _AtRandom(model.dataset_version).counts
    measured = models_of(model.project).filter(metrics__control__spans__isnull=False)
    before = max(measured.values_list("metrics__control__spans", flat=True), default=0)
    if spans < max(SPANS_LEAST, GROWTH * before):
        return None
    return jobs.enqueue(
        "control",
        project=model.project,
        user=None,
        params={"model": model.pk},
        dedupe_key=f"control {model.pk}",
    )


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; its result is `{documents, spans, f1, interval}`, which stands in the model's metrics too."""
    from modelassist import trainer

    assert job.project is not None
    model = models_of(job.project).get(pk=job.params["model"])
    version, texts = model.dataset_version, _AtRandom(model.dataset_version)
    documents, spans = texts.counts
    finding = partial(base_model.resolve, model.base_model, gpu=trainer.gpu())
    base = yield from jobs.waiting(jobs.Step(0), finding)
    labels, validation = [label["name"] for label in version.labels], Examples(version, Split.VALIDATION)
    training = jobs.Followed(
        trainer.train(texts, validation, labels=labels, base=base.path, hyperparameters=_same(model))
    )
    for progress in training:
        yield jobs.Step(progress.step, progress.steps, note=f"learning from {documents} texts in random order")
    tagger = training.value.tagger()
    exam = registry.exam_of(version)
    assert exam is not None
    with exams.Sheets() as unread:
        judged = exams.sit(tagger, exam, known=(), sheets=unread)
    interval = [round(bound, 4) for bound in judged["intervals"]["micro"]["f1"]]
    found = {"documents": documents, "spans": spans, "f1": round(judged["micro"]["f1"], 4), "interval": interval}
    with transaction.atomic():
        jobs.checkpoint(job, cursor={})
        fresh = ModelVersion.objects.select_for_update().get(pk=model.pk)
        fresh.metrics["control"] = found
        fresh.save(update_fields=["metrics"])
    return found


def _same(model: ModelVersion) -> Hyperparameters:
    """What the model was trained with, but from the base model, and with what was chosen to fit the data left open."""
    asked = dict(model.job.params["hyperparameters"]) if model.job else {}
    return Hyperparameters.from_json({**asked, "warm_start": False})
