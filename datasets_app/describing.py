"""The statistics and the consistency board of a project's gold: a job reads it twice and keeps what it counted."""

from collections.abc import Generator, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from datasets_app import jobs, leaks
from datasets_app.models import Described, Job
from datasets_app.records import Gold
from datasets_app.statistics import Statistics
from datasets_app.surfaces import Board
from labeling.access import Person
from labeling.models import Document, Project

BOARD_ROWS = 200
STEP_TEXTS = 2000
FEW = 20  # a label with fewer spans is hard to learn

_GOLD = """
SELECT document.text, document.token_starts, document.token_ends, gold.tags, document.split
  FROM labeling_document AS document JOIN labeling_annotation AS gold ON gold.document_id = document.id
 WHERE document.project_id = %s AND document.archived_at IS NULL AND gold.accepted
"""


def start(project: Project, user: Person) -> Job:
    """Queue the counting; one that waits or runs already is given instead."""
    active = Job.objects.filter(project=project, kind="statistics", state__in=Job.ACTIVE).first()
    return active or jobs.enqueue("statistics", project=project, user=user, params={})


def latest(project: Project) -> Described | None:
    """What was counted last."""
    return Described.objects.filter(project=project).first()


def leaks_now(project: Project) -> dict[str, Any]:
    """What of one split stands in another: texts as they are now, entities of gold as they were counted last."""
    found = latest(project)
    entities = found.statistics.get("entities") if found else None
    return {**leaks.of_project(project), "entities": entities, "counted_at": found and found.counted_at}


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; what it counted is kept as the project's `Described`, its result is `{texts, surfaces}`."""
    assert job.project is not None
    total = 2 * Document.objects.filter(project=job.project, archived_at=None, annotations__accepted=True).count()
    counted, entities, done = Statistics(), leaks.Surfaces(), 0
    for text, starts, ends, tags, split in _gold(job.project):
        counted.add(text, (starts, ends), tags, split=split)
        entities.add(Gold("", text, starts, ends, tags, split))
        done += 1
        if done % STEP_TEXTS == 0:
            yield jobs.Step(done, total, note="Counting")
    board = Board(counted.forms)
    for text, starts, ends, tags, _ in _gold(job.project):
        board.add(text, (starts, ends), tags)
        done += 1
        if done % STEP_TEXTS == 0:
            yield jobs.Step(done, max(done, total), note="Comparing surfaces")
    yield jobs.Step(done, done)
    statistics = counted.as_json() | {"unlabeled": _unlabeled(job.project, counted), "entities": entities.as_json()}
    rows = board.as_json(BOARD_ROWS)
    values = {"statistics": statistics, "board": rows, "counted_at": job.started_at}
    with transaction.atomic():
        jobs.checkpoint(job, cursor=None, done=done)  # only by the worker that holds the job
        Described.objects.update_or_create(project=job.project, defaults=values)
    return {"texts": statistics["texts"], "surfaces": len(rows)}


def _gold(project: Project) -> Iterator[tuple[str, list[int], list[int], list[str], str]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_GOLD, [project.pk])
        yield from cursor


def _unlabeled(project: Project, counted: Statistics) -> dict[str, Any]:
    """What is still to do: texts by split that have no gold, labels with few spans or none."""
    waiting = Document.objects.filter(project=project, archived_at=None).exclude(status=Document.Status.ACCEPTED)
    by_split = dict(waiting.values_list("split").annotate(Count("pk")).order_by())
    spans = {name: counted.surfaces[name].total() for name in project.labels.values_list("name", flat=True)}
    return {"texts": by_split, "labels": [{"label": n, "spans": count} for n, count in spans.items() if count < FEW]}
