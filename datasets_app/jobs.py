"""The job runner: long work that reports progress, can be cancelled and survives a killed worker.

A handler is a generator function `handler(job)` that yields `Step`s and returns the job's result; which
kind runs which handler on which queue stands in `settings.JOB_KINDS`. A worker *claims* a job by a
conditional update and shows by a heartbeat that it lives; a job whose heartbeat is old is claimed by
another, which goes on at `job.cursor`. So a handler must be safe to run twice: either its steps are
repeatable, or it calls `checkpoint` inside the transaction that writes. What takes long between two steps asks
`stopping.check` whether to go on.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Generic, TypeVar

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.module_loading import import_string

from datasets_app.models import Job, JobError
from datasets_app.pulse import Pulse
from datasets_app.records import Failure
from datasets_app.stopping import Cancelled, LostClaim, asking
from labeling.access import Person
from labeling.errors import GoldsetError
from labeling.events import record
from labeling.models import Project

logger = logging.getLogger(__name__)

SAVE_SECONDS = 0.5  # progress is written no more often than this
RESEND_SECONDS = 60.0  # a queued job is sent again after this, in case the broker lost it
ATTEMPTS_MAX = 5  # claims without any progress kept in between: the job itself kills its workers


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: `done` of `total` (None: unknown), where to go on after a crash, what is being done."""

    done: int
    total: int | None = None
    cursor: Any = None
    note: str = ""


Result = TypeVar("Result")
Progress = TypeVar("Progress")
Handler = Callable[[Job], Generator[Step, None, dict[str, Any]]]


# Asking --------------------------------------------------------------------------------------------------


@transaction.atomic
def enqueue(
    kind: str,
    *,
    project: Project | None,
    user: Person | None,
    params: Mapping[str, Any],
    dedupe_key: str | None = None,
) -> Job:
    """Add a job and send it on commit; with a `dedupe_key` that is taken, the job that has it is returned."""
    if kind not in settings.JOB_KINDS:
        raise LookupError(f"settings.JOB_KINDS has no kind {kind!r}")
    values = {
        "project": project,
        "kind": kind,
        "params": dict(params),
        "heartbeat": Now(),
        "created_by_id": user.pk if user is not None else None,
    }
    if dedupe_key is None:
        job, fresh = Job.objects.create(**values), True
    else:
        job, fresh = Job.objects.get_or_create(dedupe_key=dedupe_key, defaults=values)
    if fresh:
        record(project, user, "job.queued", data={"job": job.pk, "kind": kind})
        # Robust: the row is there, so a broker that does not answer only delays the job (`requeue_stale`).
        transaction.on_commit(lambda: _send(job.pk, kind), robust=True)
    return job


def _send(job_id: int, kind: str) -> None:
    _, queue = settings.JOB_KINDS[kind]
    current_app.send_task("datasets_app.tasks.run_job", args=[job_id], queue=queue)


@transaction.atomic
def cancel(job: Job, user: Person) -> Job:
    """Stop a job: at once if it waits, at its next step if it runs. What it has written stays. Repeatable."""
    rows = Job.objects.filter(pk=job.pk, cancel_requested=False)
    waiting = rows.filter(state=Job.State.QUEUED).update(
        state=Job.State.CANCELLED, cancel_requested=True, finished_at=Now(), message="Cancelled before it began."
    )
    if waiting or rows.filter(state=Job.State.RUNNING).update(cancel_requested=True):
        record(job.project, user, "job.cancelled", data={"job": job.pk, "kind": job.kind})
    job.refresh_from_db()
    return job


def requeue_stale() -> int:
    """Send again what waits too long or whose worker died; gives the number of jobs. Called by beat."""
    stale = Q(state=Job.State.RUNNING, heartbeat__lt=_ago(settings.JOB_STALE_SECONDS))
    unsent = Q(state=Job.State.QUEUED, heartbeat__lt=_ago(RESEND_SECONDS))
    found = list(Job.objects.filter(stale | unsent).values_list("pk", "kind"))
    sent = 0
    for pk, kind in found:
        # Back to `queued` with a new time of sending, so that the next beat does not send it again.
        rows = Job.objects.filter(stale | unsent, pk=pk)
        if rows.update(state=Job.State.QUEUED, claimed_by="", heartbeat=Now()):
            _send(pk, kind)
            sent += 1
    return sent


def _ago(seconds: float) -> Any:
    return Now() - timedelta(seconds=seconds)


# Running -------------------------------------------------------------------------------------------------


def run(job_id: int) -> None:
    """Claim the job and run it to its end; does nothing if another worker has it or it is over."""
    job = _claim(job_id)
    if job is None:
        return
    try:
        with Pulse(job) as pulse, asking(pulse.check):
            result = _drive(job, pulse)
        _finish(job, Job.State.SUCCEEDED, result=result)
    except LostClaim:
        logger.warning("job %s: another worker has taken it over", job_id)
    except Cancelled:
        _finish(job, Job.State.CANCELLED, message="Cancelled; what was written until then stays.")
    except (OperationalError, InterfaceError):
        # The database went away; the heartbeat grows old and the job is picked up again.
        logger.exception("job %s: the database does not answer", job_id)
    except GoldsetError as error:
        _finish(job, Job.State.FAILED, message=error.message, result={"code": error.code, **error.details})
    except Exception as error:  # the boundary of the work: whatever went wrong is recorded for its owner
        logger.exception("job %s failed", job_id)
        _finish(job, Job.State.FAILED, message=f"Unexpected {type(error).__name__}: {error}"[:2000])


def _claim(job_id: int) -> Job | None:
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, heartbeat__lt=_ago(settings.JOB_STALE_SECONDS))
    claimed_by = uuid.uuid4().hex
    taken = Job.objects.filter(free, pk=job_id).update(
        state=Job.State.RUNNING,
        claimed_by=claimed_by,
        heartbeat=Now(),
        started_at=Coalesce("started_at", Now()),
        attempts=F("attempts") + 1,
    )
    if not taken:
        return None
    job = Job.objects.select_related("project", "created_by").get(pk=job_id)
    if job.cancel_requested:
        _finish(job, Job.State.CANCELLED, message="Cancelled; what was written until then stays.")
    elif job.attempts > ATTEMPTS_MAX:
        _finish(job, Job.State.FAILED, message=f"Given up: {ATTEMPTS_MAX} workers in a row died or lost it.")
    else:
        return job
    return None


def _drive(job: Job, pulse: Pulse) -> dict[str, Any]:
    """Run the handler's generator; save its steps, and stop between two when cancelled or lost."""
    handler: Handler = import_string(settings.JOB_KINDS[job.kind][0].replace(":", "."))
    steps = handler(job)
    step, unsaved, saved_at = Step(done=job.done, total=job.total), False, 0.0
    try:
        while True:
            pulse.check()
            step, unsaved = next(steps), True
            if monotonic() - saved_at >= SAVE_SECONDS:
                _save(job, step)
                unsaved, saved_at = False, monotonic()
    except StopIteration as end:
        if unsaved:
            _save(job, step)
        return end.value or {}
    finally:
        steps.close()


def _save(job: Job, step: Step) -> None:
    values: dict[str, Any] = {"done": step.done, "total": step.total, "note": step.note[:500]}
    if step.cursor is not None:
        values |= {"cursor": step.cursor, "attempts": 0}
    if _update_claimed(job, **values):
        raise Cancelled


def checkpoint(job: Job, *, cursor: Any, done: int | None = None) -> None:
    """Keep the cursor in the caller's transaction; raises `LostClaim` if another worker has the job.

    Locks the job's row until that transaction ends, so two workers never both write the same stretch. No beat
    comes through meanwhile, so this is one: a long stretch is not taken for a dead worker's.
    """
    values: dict[str, Any] = {"cursor": cursor, "attempts": 0, "heartbeat": Now()}
    if done is not None:
        values["done"] = done
    _update_claimed(job, **values)
    job.cursor = cursor


def _update_claimed(job: Job, **values: Any) -> bool:
    """Change the job if this worker still has it; tells whether cancelling was asked for."""
    mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claimed_by=job.claimed_by)
    if not mine.update(**values):
        raise LostClaim
    return bool(mine.values_list("cancel_requested", flat=True).get())


def waiting(step: Step, work: Callable[[], Result]) -> Generator[Step, None, Result]:
    """Do work that is all waiting, such as for another server, in a thread; meanwhile tell `step`, so that the job can
    be cancelled. What is abandoned so comes to nothing.
    """
    outcome: Future[Result] = Future()

    def worked() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)
        finally:
            connections.close_all()  # those of this thread

    threading.Thread(target=worked, daemon=True).start()
    while True:
        try:
            return outcome.result(SAVE_SECONDS)
        except TimeoutError:
            if outcome.done():
                raise  # the work's own
            yield step


class Followed(Generic[Progress, Result]):
    """Work to loop over by a handler that tells its progress as the job's; afterwards `value` is what it returned.

    Whoever leaves the loop early ends the work.
    """

    value: Result

    def __init__(self, work: Generator[Progress, None, Result]) -> None:
        self._work = work

    def __iter__(self) -> Iterator[Progress]:
        self.value = yield from self._work


def note_failures(job: Job, failures: Iterable[Failure]) -> int:
    """Write bad lines down, each once however often the job runs; call it in the transaction of `checkpoint`."""
    rows = {(failure.line, failure.code): failure.message for failure in failures}
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {JobError._meta.db_table} (job_id, line, code, message)"
            " SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING",
            [job.pk, [line for line, _ in rows], [code for _, code in rows], list(rows.values())],
        )
        added: int = cursor.rowcount
    Job.objects.filter(pk=job.pk).update(error_count=F("error_count") + added)
    return added


@transaction.atomic
def _finish(job: Job, state: Job.State, *, message: str = "", result: dict[str, Any] | None = None) -> None:
    mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claimed_by=job.claimed_by)
    values = {"result": result} if result is not None else {}
    if mine.update(state=state, message=message, note="", finished_at=Now(), heartbeat=Now(), **values):
        data = {"job": job.pk, "kind": job.kind, "message": message, "result": result or {}}
        record(job.project, job.created_by, f"job.{state}", data=data)
