"""One surface in all gold texts: where it stands and how it is labeled there, and labeling it everywhere alike.

A fix becomes corrections (new gold, by the person who asked) or suggestions (the texts go back to review with a
suggestion beside them). Either is one change, undone in one step. Texts are found by the surface as it is written,
but for case and blanks.
"""

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any

from django.db import connection, transaction

from datasets_app import changes, gold, jobs, surfaces
from datasets_app.models import Change, Job
from labeling import access, predictions
from labeling.access import Person
from labeling.errors import Invalid, one_of
from labeling.models import Annotation, Document, Prediction, Project
from labeling.predictions import Predicted

CONTEXTS = 100
AROUND = 60  # code points of context on each side
AT_ONCE = 1000
WAYS = ("corrections", "suggestions")

_FOUND = """
SELECT document.id, document.text, document.token_starts, document.token_ends, gold.tags, document.split
  FROM labeling_document AS document
  JOIN labeling_annotation AS gold ON gold.document_id = document.id AND gold.accepted
 WHERE document.project_id = %s AND document.archived_at IS NULL AND document.id > %s
   AND coalesce(document.pairs, labeling_bigrams(document.text)) @> labeling_bigrams(%s) AND document.text ILIKE %s
 ORDER BY document.id LIMIT %s
"""


def contexts(project: Project, surface: str) -> list[dict[str, Any]]:
    """The first places of the surface in gold texts: `{document, split, label, before, text, after}`.

    `label` is "" where it is not labeled, null where it is a part of other spans.
    """
    _check(surface)
    return list(islice(_places(project, surface), CONTEXTS))


def _check(surface: str) -> None:
    if "\0" in surface or not surface.strip():
        raise Invalid("Give a surface: the text of an entity.", details={"field": "surface"})


def _places(project: Project, surface: str) -> Iterator[dict[str, Any]]:
    for document, text, starts, ends, tags, split in _texts(project, surface):
        for first, last in surfaces.occurrences(surface, text, (starts, ends)):
            begin, end = starts[first], ends[last - 1]
            yield {
                "document": document,
                "split": split,
                "label": surfaces.label_at(tags, first, last),
                "before": text[max(0, begin - AROUND) : begin],
                "text": text[begin:end],
                "after": text[end : end + AROUND],
            }


def _texts(project: Project, surface: str) -> Iterator[tuple[Any, ...]]:
    words = surface.split()
    escaped = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words]
    like, after = f"%{'%'.join(escaped)}%", 0  # whatever blanks lie between
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_FOUND, [project.pk, after, max(words, key=len), like, AT_ONCE])
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        after = rows[-1][0]


# Fixing --------------------------------------------------------------------------------------------------


def fix(project: Project, user: Person, *, surface: str, label: str, way: str) -> Job:
    """Queue the labeling of a surface everywhere alike; `label` "" takes its labels away. `way` is one of `WAYS`."""
    _check(surface)
    if label:
        access.label_for(project, label)
    params = {"surface": surface, "label": label, "way": one_of("way", way, WAYS)}
    return jobs.enqueue("fix", project=project, user=user, params=params)


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler: all in one transaction with the job's cursor."""
    assert job.project is not None
    assert job.created_by is not None
    yield jobs.Step(0, 1, note=f"Labeling {job.params['surface']}")
    if job.cursor is None:
        with transaction.atomic():
            change = apply(job.project, job.created_by, **job.params)
            jobs.checkpoint(job, cursor={"change": change.pk, "documents": change.data["documents"]}, done=1)
    yield jobs.Step(1, 1)
    return dict(job.cursor)


def apply(project: Project, user: Person, *, surface: str, label: str, way: str) -> Change:
    """Label the surface alike in all gold texts, as a change."""
    kind = "consistency.corrected" if way == "corrections" else "consistency.suggested"
    with changes.recording(project, user, kind, {"surface": surface, "label": label}) as change:
        rows = _different(project, surface, label)
        if way == "corrections":
            gold.write(change, user, rows)
        else:
            _suggest(change, rows)
    return change


def _different(project: Project, surface: str, label: str) -> Iterator[tuple[int, list[str]]]:
    """The texts in which it is labeled otherwise, with the tags that they should have."""
    for document, text, starts, ends, tags, _ in _texts(project, surface):
        fixed = surfaces.relabeled(surface, text, (starts, ends), tags, label)
        if fixed != tags:
            yield document, fixed


def _suggest(change: Change, rows: Iterator[tuple[int, list[str]]]) -> None:
    while batch := list(islice(rows, AT_ONCE)):
        documents = [document for document, _ in batch]
        changes.note_before(change, documents)
        predicted = (Predicted(document, tags, [1.0] * len(tags)) for document, tags in batch)
        predictions.store(predicted, model=_model(change))
        Annotation.objects.filter(document__in=documents, accepted=True).update(accepted=False)
        Document.objects.filter(pk__in=documents).update(status=Document.Status.SUBMITTED)


def _model(change: Change) -> str:
    """The name under which a change's suggestions stand."""
    return f"consistency-{change.pk}"


@transaction.atomic
def undo(change: Change) -> None:
    """Put back what the texts were, and take the suggestions away."""
    changes.put_back(change)
    Prediction.objects.filter(document__project=change.project, model=_model(change)).delete()
