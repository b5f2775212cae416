"""Pre-annotation: the production model's tags for every pending document that lacks them.

The handler of jobs of kind `predict`. A page of documents is read, tagged and written with its checkpoint
in one transaction, so a killed run goes on behind the last page and memory stays flat. In the end the
queue is put in order.
"""

import json
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from datasets_app import jobs
from datasets_app.models import Job
from labeling import predictions
from labeling.access import Person, documents_in
from labeling.models import Document, Prediction, Project
from labeling.predictions import Predicted
from modelassist import prioritize, serving
from modelassist.access import models_of, require_production
from modelassist.models import ModelVersion

PAGE_DOCUMENTS = 256


def start(project: Project, user: Person | None) -> Job:
    """Queue a pre-annotation; one that waits or runs with the same model is given instead of a second.

    Raises `Conflict` without a production model, `Invalid` for a query strategy that nobody knows.
    """
    prioritize.require_known(project.query_strategy)
    model = require_production(project)
    same = Job.objects.filter(project=project, kind="predict", state__in=Job.ACTIVE, params__model=model.pk)
    return same.first() or jobs.enqueue("predict", project=project, user=user, params={"model": model.pk})


class _Cursor(NamedTuple):
    after: int = 0  # the last document that is done
    done: int = 0


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; its result is `{model, predicted, prioritized}`."""
    assert job.project is not None
    model = models_of(job.project).get(pk=job.params["model"])
    at = _Cursor(**job.cursor) if job.cursor else _Cursor()
    total = at.done + _lacking(job.project, model, after=at.after).count()
    yield jobs.Step(at.done, total, note=f"loading {model.name}")
    tagger = serving.tagger_for(model)
    while page := list(_lacking(job.project, model, after=at.after).order_by("id")[:PAGE_DOCUMENTS]):
        taggings = list(tagger.predict(document.tokens for document in page))
        at = _Cursor(after=page[-1].pk, done=at.done + len(page))
        with transaction.atomic():
            jobs.checkpoint(job, cursor=at._asdict(), done=at.done)
            rows = zip(page, taggings, strict=True)
            predictions.store((Predicted(d.pk, t.tags, t.confidences.tolist()) for d, t in rows), model=model.name)
            _store_uncertainty(model, page, [tagging.uncertainty for tagging in taggings])
        yield jobs.Step(at.done, max(total, at.done))
    prioritized = prioritize.apply(job.project, model, job.created_by)
    return {"model": model.pk, "predicted": at.done, "prioritized": prioritized}


def _lacking(project: Project, model: ModelVersion, *, after: int) -> QuerySet[Document]:
    """Pending documents without a prediction by the model, behind the document `after`."""
    predicted = Prediction.objects.filter(document=OuterRef("pk"), model=model.name)
    pending = documents_in(project).filter(status=Document.Status.PENDING, archived_at=None, pk__gt=after)
    return pending.filter(~Exists(predicted)).only("text", "token_starts", "token_ends")


def _store_uncertainty(model: ModelVersion, page: list[Document], scores: list[dict[str, float]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO modelassist_uncertainty (model_id, document_id, scores)"
            " SELECT %s, * FROM unnest(%s::bigint[], %s::jsonb[])"
            " ON CONFLICT (model_id, document_id) DO UPDATE SET scores = excluded.scores",
            [model.pk, [document.pk for document in page], list(_as_json(scores))],
        )


def _as_json(scores: list[dict[str, float]]) -> Iterator[str]:
    for row in scores:
        yield json.dumps({name: round(value, 6) for name, value in row.items()})
