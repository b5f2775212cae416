"""What a job tells to the outside: its REST shape, and all its errors as CSV."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.utils import timezone

from datasets_app.export import Download
from datasets_app.models import Job

ERRORS_SHOWN = 100
PAGE_ROWS = 2000
WAITS_TOO_LONG = 10  # seconds in which a running worker has taken a job, if it is not busy with others
_FIELDS = ("id", "kind", "state", "done", "total", "note", "message", "error_count", "result")
_TIMES = ("created_at", "started_at", "finished_at")


def as_json(job: Job, *, errors: bool = True) -> dict[str, Any]:
    """The REST shape of a job, with its first errors unless it stands in a list."""
    shown: dict[str, Any] = {name: getattr(job, name) for name in (*_FIELDS, *_TIMES)}
    shown |= pace(job)
    if errors:
        rows = job.errors.order_by("line", "id").values("line", "code", "message")[:ERRORS_SHOWN]
        shown["errors"] = list(rows) if job.error_count else []
    return shown


def pace(job: Job) -> dict[str, float | None]:
    """How much is done per second, and how many seconds are left at that rate; None where it cannot be told."""
    rate = left = None
    if job.state == Job.State.RUNNING and job.started_at and job.done:
        seconds = (timezone.now() - job.started_at).total_seconds()
        rate = round(job.done / seconds, 1) if seconds > 0.5 else None
        left = round((job.total - job.done) / rate, 1) if rate and job.total and job.total >= job.done else None
    return {"rate": rate, "seconds_left": left}


def waits(job: Job) -> bool:
    """Whether it has been queued for so long that perhaps no worker runs."""
    return job.state == Job.State.QUEUED and (timezone.now() - job.created_at).total_seconds() > WAITS_TOO_LONG


def errors_csv(job: Job) -> Download:
    """All errors in the order of their lines."""
    return Download(f"job-{job.pk}-errors.csv", "text/csv; charset=utf-8", _error_lines(job))


def _error_lines(job: Job) -> Iterator[bytes]:
    yield _csv([("line", "code", "message")])
    rows = job.errors.order_by("line", "id").values_list("line", "code", "message")
    page: list[tuple[Any, ...]] = []
    for row in rows.iterator(chunk_size=PAGE_ROWS):
        page.append(row)
        if len(page) == PAGE_ROWS:
            yield _csv(page)
            page = []
    yield _csv(page)


def _csv(rows: list[tuple[Any, ...]]) -> bytes:
    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
