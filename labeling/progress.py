"""How far a project is: counts by status, split, label, person and day, each one grouped query."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from redis import RedisError

from labeling.models import Annotation, Document, Project, Split

DAYS = 30  # shown of the days before today
_BY_LABEL = """
SELECT substr(tag, 3) AS label, count(*)
  FROM labeling_annotation AS annotation
  JOIN labeling_document AS document ON document.id = annotation.document_id, unnest(annotation.tags) AS tag
 WHERE document.project_id = %s AND document.archived_at IS NULL AND annotation.accepted AND tag LIKE 'B-%%'
 GROUP BY 1"""


P = ParamSpec("P")
T = TypeVar("T")
SLOW = 0.1  # seconds
KEPT = 30  # times as long as it took


def kept(count: Callable[P, T]) -> Callable[P, T]:
    """A count of a project that takes long is counted anew only when it is `KEPT` times as old: one that takes a second
    is half a minute old at most, and those of most projects are those of this moment."""

    @wraps(count)
    def counted(*args: P.args, **kwargs: P.kwargs) -> T:
        project = args[0]
        assert isinstance(project, Project)
        key = f"progress:{project.pk}:{count.__name__}:{sorted(kwargs.items())}".replace(" ", "")
        with suppress(RedisError):
            if (found := cache.get(key)) is not None:
                return cast(T, found)
        begin = time.perf_counter()
        found = count(*args, **kwargs)
        took = time.perf_counter() - begin
        if took > SLOW:
            with suppress(RedisError):
                cache.set(key, found, KEPT * took)
        return found

    return counted


def progress(project: Project) -> dict[str, Any]:
    """The REST shape: `{documents, by_status, by_split, by_label, by_annotator, by_day, suggestions, agreement}`."""
    return {
        **documents(project),
        "by_label": labels(project),
        "by_annotator": people(project),
        "by_day": days(project),
        "suggestions": suggestion_use(project),
        "agreement": agreement(project),
    }


def documents(project: Project) -> dict[str, Any]:
    """`{documents, by_status, by_split}`."""
    by_status = dict.fromkeys(Document.Status.values, 0)
    by_split = {split: dict.fromkeys(Document.Status.values, 0) for split in Split.values}
    rows = Document.objects.filter(project=project, archived_at=None).values_list("status", "split")
    for status, split, count in rows.annotate(count=Count("*")):  # of rows: the index `document_counts` has no more
        by_status[status] += count
        by_split[split][status] += count
    return {"documents": sum(by_status.values()), "by_status": by_status, "by_split": by_split}


def left(project: Project, pending: int) -> int:
    """How many submissions are missing until each of `pending` documents has its number of people."""
    if project.overlap == 1:
        return pending
    there = Annotation.objects.filter(
        document__project=project, document__archived_at=None, document__status=Document.Status.PENDING,
        state=Annotation.State.SUBMITTED,
    )  # fmt: skip
    return max(0, pending * project.overlap - there.count())


@kept
def labels(project: Project) -> dict[str, int]:
    """Accepted spans of each label."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_LABEL, [project.pk])
        found = dict(cursor.fetchall())
    return {name: found.get(name, 0) for name in project.labels.values_list("name", flat=True)}


# By number first: ordering a hundred thousand rows by name would take longer than reading them.
_BY_PERSON = """
SELECT person.username, done.* FROM (
  SELECT annotation.annotator_id, count(*) FILTER (WHERE annotation.state = 'submitted') AS submitted,
         count(*) FILTER (WHERE annotation.accepted) AS accepted,
         count(*) FILTER (WHERE annotation.state = 'draft') AS drafts,
         coalesce(sum(annotation.seconds) FILTER (WHERE annotation.state = 'submitted'), 0) AS seconds,
         count(*) FILTER (WHERE annotation.state = 'submitted' AND annotation.seconds > 0) AS timed,
         percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY annotation.seconds)
           FILTER (WHERE annotation.state = 'submitted' AND annotation.seconds > 0) AS quartiles
    FROM labeling_annotation AS annotation
    JOIN labeling_document AS document ON document.id = annotation.document_id
   WHERE document.project_id = %s GROUP BY annotation.annotator_id) AS done
  JOIN auth_user AS person ON person.id = done.annotator_id ORDER BY person.username"""


@kept
def people(project: Project) -> list[dict[str, Any]]:
    """What each person has done, and the quartiles of their active seconds for a text (None: not measured)."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_PERSON, [project.pk])
        rows = cursor.fetchall()
    names = ("annotator", "submitted", "accepted", "drafts", "seconds", "timed", "quick", "median", "slow")
    return [
        dict(zip(names, (name, *row, *(quartiles or [None] * 3)), strict=True)) for name, _, *row, quartiles in rows
    ]


@kept
def days(project: Project, *, by_hand: bool = False) -> list[dict[str, Any]]:
    """Submitted texts of the last `DAYS` days, a row per day and person; `by_hand`: without what files brought."""
    query = Annotation.objects.filter(
        document__project=project, submitted_at__gte=timezone.now() - timedelta(days=DAYS)
    )
    rows = (
        (query.exclude(provenance={}) if by_hand else query)
        .annotate(day=TruncDate("submitted_at"))
        .values_list("day", "annotator__username")
        .annotate(submitted=Count("*"))
        .order_by()  # few rows are put in order below, not the many that they count
    )
    return [{"day": day, "annotator": name, "submitted": count} for day, name, count in sorted(rows)]


def suggestion_use(project: Project) -> list[dict[str, Any]]:
    """Per model: texts labelled with its suggestions, and its spans kept, edited and rejected, and those drawn.

    `agreement` is the share of its spans that people kept as they were; None where it suggested none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT suggested_by, count(*), sum((suggestion_use->>'kept')::int), sum((suggestion_use->>'edited')::int),"
            " sum((suggestion_use->>'rejected')::int), sum((suggestion_use->>'drawn')::int)"
            " FROM labeling_annotation AS annotation"
            " JOIN labeling_document AS document ON document.id = annotation.document_id"
            " WHERE document.project_id = %s AND suggested_by <> '' GROUP BY suggested_by ORDER BY suggested_by",
            [project.pk],
        )
        names = ("model", "documents", "kept", "edited", "rejected", "drawn")
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in found:
        suggested = row["kept"] + row["edited"] + row["rejected"]
        row["agreement"] = row["kept"] / suggested if suggested else None
    return found


_BY_ORIGIN = """
SELECT label, count(*) FILTER (WHERE origin = 'accepted'), count(*) FILTER (WHERE origin = 'edited'),
       count(*) FILTER (WHERE origin = 'rejected'), count(*) FILTER (WHERE origin = 'manual')
  FROM labeling_annotation AS annotation
  JOIN labeling_document AS document ON document.id = annotation.document_id,
       LATERAL (
         SELECT coalesce(span->'from'->>'label', span->>'label') AS label, span->>'origin' AS origin
           FROM jsonb_array_elements(annotation.provenance->'spans') AS span
         UNION ALL
         SELECT span->>'label', 'rejected' FROM jsonb_array_elements(annotation.provenance->'rejected') AS span
       ) AS decision
 WHERE document.project_id = %s AND annotation.state = 'submitted' AND annotation.suggested_by <> ''
 GROUP BY label ORDER BY label"""


@kept
def agreement(project: Project) -> list[dict[str, Any]]:
    """Per label, what became of its suggestions in submitted texts that had some, and what was drawn beside them.

    `agreement` is the share of its suggestions that were accepted as they were; None where there were none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BY_ORIGIN, [project.pk])
        rows = cursor.fetchall()
    found = []
    for label, accepted, edited, rejected, manual in rows:
        suggested = accepted + edited + rejected
        counts = {"accepted": accepted, "edited": edited, "rejected": rejected, "manual": manual}
        found.append({"label": label, **counts, "agreement": accepted / suggested if suggested else None})
    return found
