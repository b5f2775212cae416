"""Pre-annotation: the production model's tags for every pending document that lacks them, or another predictor's.

The handler of jobs of the kinds `predict` and, for few documents, `suggest`. A page of documents is read and tagged
while the one before is written with its checkpoint in one transaction, so a killed run goes on behind the last page
and memory stays flat. In the end the queue is put in order.
"""

import json
import logging
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest

from datasets_app import jobs
from datasets_app.models import Job
from datasets_app.records import Failure
from labeling import bio, predictions
from labeling.access import Person, documents_in
from labeling.errors import GoldsetError, Invalid, Unavailable
from labeling.models import Document, Prediction, Project, Split
from labeling.predictions import Predicted
from modelassist import diversity, predictors, prioritize, serving
from modelassist.access import models_of, require_production
from modelassist.models import ModelVersion
from modelassist.predictors import Suggested
from modelassist.strategies import BALD, PASSES

if TYPE_CHECKING:
    from modelassist.tagger import Tagger, Tagging

    _Tagged = tuple[list[tuple[Document, Tagging]], list[Failure]]  # what was predicted, and what could not be

logger = logging.getLogger(__name__)
PAGE_DOCUMENTS = 512
PAGE_SUGGESTED = 64  # of other predictors, which may be slow
FAILED_PAGES = 3  # in a row, after which another predictor is asked no further
FEW_DOCUMENTS = 200  # so many are predicted at once, by the worker that serves
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def start(project: Project, user: Person | None, *, predictor: str = "", at_once: bool = False) -> Job:
    """Queue a pre-annotation; one that waits or runs with the same model is given instead of a second.

    With `predictor`, one of the project's other predictors suggests. With `at_once`, few texts do not wait for
    the end of a training. Raises `Conflict` without a production model, `Invalid` for a query strategy that
    nobody knows, `NotFound` for an unknown predictor.
    """
    if predictor:
        params: dict[str, Any] = {"predictor": predictors.predictor_of(project, predictor).name}
        kind = "suggest"
    else:
        prioritize.require_known(project.query_strategy)
        model = require_production(project)
        params = {"model": model.pk}
        few = _lacking(project, model.name, after=0)[: FEW_DOCUMENTS + 1].count() <= FEW_DOCUMENTS
        kind = "suggest" if at_once and few else "predict"
    active = Job.objects.filter(project=project, kind__in=("predict", "suggest"), state__in=Job.ACTIVE)
    same = active.filter(**{f"params__{name}": value for name, value in params.items()}).first()
    return same or jobs.enqueue(kind, project=project, user=user, params=params)


def start_after_imports() -> list[Job]:
    """Queue a pre-annotation for each project with an import that ended since the last one. Called by beat."""
    last = Job.objects.filter(project=OuterRef("pk"), kind__in=("predict", "suggest"), params__has_key="model")
    production = ModelVersion.objects.filter(project=OuterRef("pk"), state=ModelVersion.State.PRODUCTION)
    served = Project.objects.annotate(
        promoted_at=Subquery(production.values("promoted_at")[:1]),
        predicted_at=Coalesce(Subquery(last.order_by("-id").values("created_at")[:1]), Value(_BEGINNING)),
    ).filter(promoted_at__isnull=False)
    ended = Job.objects.filter(
        project=OuterRef("pk"), kind="import", state=Job.State.SUCCEEDED,
        finished_at__gt=Greatest(OuterRef("promoted_at"), OuterRef("predicted_at")),
    )  # fmt: skip
    wanting = served.exclude(assistance__after_import=False).filter(Exists(ended))
    started = []
    for project in wanting.order_by("id"):
        try:
            started.append(start(project, None, at_once=True))
        except GoldsetError as error:  # one project's trouble is not the others'
            logger.warning("no pre-annotation of %s: %s", project.slug, error.message)
    return started


class _Cursor(NamedTuple):
    after: int = 0  # the last document that is done
    done: int = 0
    written: int = 0  # of those


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; its result is `{model, predicted, prioritized}`."""
    assert job.project is not None
    if "predictor" in job.params:
        return (yield from _suggest(job, job.project))
    model = models_of(job.project).get(pk=job.params["model"])
    at = _Cursor(**job.cursor) if job.cursor else _Cursor()
    total = at.done + _lacking(job.project, model.name, after=at.after).count()
    yield jobs.Step(at.done, total, note=f"loading {model.name}")
    tagger = serving.tagger_for(model)
    passes = PASSES if job.project.query_strategy == BALD else 0
    for page, (tagged, failures) in _tagged_ahead(tagger, _pages(job.project, model.name, at.after), passes):
        at = _Cursor(page[-1].pk, at.done + len(page), at.written + len(tagged))
        with transaction.atomic():
            jobs.checkpoint(job, cursor=at._asdict(), done=at.done)
            predictions.store((Predicted(d.pk, t.tags, t.confidences.tolist()) for d, t in tagged), model=model.name)
            _store_uncertainty(model, tagged)
            jobs.note_failures(job, failures)
        yield jobs.Step(at.done, max(total, at.done))
    prioritized = prioritize.apply(job.project, model, job.created_by)
    return {"model": model.pk, "predicted": at.written, "prioritized": prioritized}


def _pages(project: Project, name: str, after: int) -> Iterator[list[Document]]:
    while page := list(_lacking(project, name, after=after).order_by("id")[:PAGE_DOCUMENTS]):
        yield page
        after = page[-1].pk


def _tagged_ahead(
    tagger: "Tagger", pages: Iterator[list[Document]], passes: int
) -> "Iterator[tuple[list[Document], _Tagged]]":
    """Each page with what the network says of it, which goes on to the next page while the caller writes."""
    with ThreadPoolExecutor(1, thread_name_prefix="tagging") as network:
        begun: deque[tuple[list[Document], Future[_Tagged]]] = deque()
        for page in pages:
            # In the caller's context, so that the thread hears as well when the job is to stop.
            begun.append((page, network.submit(copy_context().run, _tagged, tagger, page, passes)))
            if len(begun) > 1:
                before, found = begun.popleft()
                yield before, found.result()
        for before, found in begun:
            yield before, found.result()


def _tagged(tagger: "Tagger", page: list[Document], passes: int) -> "_Tagged":
    """What the network says of each document. One on which it breaks is left out, and does not keep the others back."""
    try:
        return list(zip(page, tagger.predict((each.tokens for each in page), passes=passes), strict=True)), []
    except Exception as error:
        if len(page) == 1:
            logger.exception("no prediction of document %s", page[0].pk)
            message = f"Document {page[0].pk}: {type(error).__name__}: {error}"[:500]
            return [], [Failure(page[0].pk, "prediction_failed", message)]
        alone = [_tagged(tagger, [each], passes) for each in page]
        if not any(tagged for tagged, _ in alone):
            raise  # it is not the documents
        return [each for tagged, _ in alone for each in tagged], [each for _, failed in alone for each in failed]


def _suggest(job: Job, project: Project) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The same with another predictor, on every pending training text: its rules may have changed."""
    chosen = predictors.predictor_of(project, job.params["predictor"])
    ready = predictors.opened(chosen)
    labels = list(project.labels.values_list("name", flat=True))
    at = _Cursor(**job.cursor) if job.cursor else _Cursor()
    pending = documents_in(project).filter(status=Document.Status.PENDING, archived_at=None, split=Split.TRAIN)
    pending = pending.only("text", "token_starts", "token_ends").order_by("id")
    total = at.done + pending.filter(pk__gt=at.after).count()
    yield jobs.Step(at.done, total, note=f"opening {chosen.name}")
    failed: list[int] = []  # texts of the last pages of which nothing came
    while page := list(pending.filter(pk__gt=at.after)[:PAGE_SUGGESTED]):
        step = jobs.Step(at.done, max(total, at.done), note=f"asking {chosen.name}")
        found = yield from jobs.waiting(step, partial(_asked, ready, page))
        good, failures = _usable(page, found, labels)
        failed = [] if good else [*failed, len(page)]
        at = _Cursor(page[-1].pk, at.done + len(page), at.written + len(good))
        with transaction.atomic():
            jobs.checkpoint(job, cursor=at._asdict(), done=at.done)
            predictions.store(good, model=chosen.name)
            jobs.note_failures(job, failures)
        yield jobs.Step(at.done, max(total, at.done))
        if len(failed) == FAILED_PAGES or (at.done >= total and not at.written and failures):
            message = (
                f"{chosen.name} failed on the last {sum(failed)} texts, one after another, and is asked no further."
            )
            raise Unavailable(f"{message} {failures[-1].message}", code=failures[-1].code)
    return {"predictor": chosen.name, "predicted": at.written}


def _asked(ready: predictors.Predicts, page: list[Document]) -> list[Suggested] | GoldsetError:
    """What it says of a page; whatever goes wrong in another's code or service is the failure of these texts."""
    try:
        found = ready.predict(page)
        if len(found) != len(page):
            raise Invalid(f"There are {len(found)} suggestions for {len(page)} texts.", code="predictor_failed")
    except GoldsetError as error:
        return error
    except Exception as error:
        logger.exception("a predictor failed on documents %s to %s", page[0].pk, page[-1].pk)
        return Unavailable(f"{type(error).__name__}: {error}"[:500], code="predictor_failed")
    return found


def _usable(
    page: list[Document], found: list[Suggested] | GoldsetError, labels: list[str]
) -> tuple[list[Predicted], list[Failure]]:
    """What can be stored, and why the rest cannot; a failure's line is the document's id."""
    good, failures = [], []
    for at, document in enumerate(page):
        try:
            if isinstance(found, GoldsetError):
                raise found
            _require_fitting(found[at], len(document.token_starts), labels)
            good.append(Predicted(document.pk, *found[at]))
        except GoldsetError as error:
            failures.append(Failure(document.pk, error.code, f"Document {document.pk}: {error.message}"))
    return good, failures


def _require_fitting(said: Suggested, length: int, labels: list[str]) -> None:
    bio.require_legal(said.tags, length=length, labels=labels)
    if len(said.confidences) != length or not all(0 <= sure <= 1 for sure in said.confidences):
        message = f"There must be {length} confidences from 0 to 1, one for each token."
        raise Invalid(message, code="invalid_confidences")


def _lacking(project: Project, name: str, *, after: int) -> QuerySet[Document]:
    """Pending documents without a prediction under that name, behind the document `after`."""
    predicted = Prediction.objects.filter(document=OuterRef("pk"), model=name)
    pending = documents_in(project).filter(status=Document.Status.PENDING, archived_at=None, pk__gt=after)
    return pending.filter(~Exists(predicted)).only("text", "token_starts", "token_ends")


def _store_uncertainty(model: ModelVersion, tagged: "list[tuple[Document, Tagging]]") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO modelassist_uncertainty (model_id, document_id, scores, vector)"
            " SELECT %s, * FROM unnest(%s::bigint[], %s::jsonb[], %s::bytea[])"
            " ON CONFLICT (model_id, document_id) DO UPDATE SET scores = excluded.scores, vector = excluded.vector",
            [
                model.pk,
                [document.pk for document, _ in tagged],
                [_as_json(tagging.uncertainty) for _, tagging in tagged],
                [diversity.to_bytes(tagging.vector) for _, tagging in tagged],
            ],
        )


def _as_json(scores: dict[str, float]) -> str:
    return json.dumps({name: round(value, 6) for name, value in scores.items()})
