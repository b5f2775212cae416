"""The job runner: claims, progress, cancelling, failing, losing a claim. Killed workers: `test_importing_killed`."""

import threading
import time

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from datasets_app import job_report, jobs
from datasets_app.models import Job
from datasets_app.pulse import Pulse
from labeling.models import Event
from tests.datasets_app.conftest import run_in_thread
from tests.workers import wait_for


@pytest.fixture(autouse=True)
def count_kind(monkeypatch):
    monkeypatch.setitem(settings.JOB_KINDS, "count", ("tests.datasets_app.handlers:count", "default"))


def enqueue(project, user, **params) -> Job:
    return jobs.enqueue("count", project=project, user=user, params={"total": 6, **params})


def counted(project) -> list[int]:
    rows = Event.objects.filter(project=project, verb="counted").order_by("id")
    return [event.data["number"] for event in rows]


@pytest.mark.django_db
class TestInOneProcess:
    def test_runs_to_its_end_with_progress_errors_and_result(self, project, manager):
        job = enqueue(project, manager)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.done, job.total, job.result) == ("succeeded", 6, 6, {"counted": 6})
        assert counted(project) == [0, 1, 2, 3, 4, 5]
        assert job.error_count == 3
        assert job_report.as_json(job)["errors"][0] == {"line": 1, "code": "odd", "message": "1 is odd"}
        verbs = Event.objects.filter(project=project).exclude(verb="counted").order_by("id")
        assert [event.verb for event in verbs] == ["job.queued", "job.succeeded"]

    def test_running_twice_changes_nothing(self, project, manager):
        job = enqueue(project, manager)
        jobs.run(job.pk)
        jobs.run(job.pk)
        assert counted(project) == [0, 1, 2, 3, 4, 5]

    def test_a_known_error_is_told_in_its_own_words(self, project, manager):
        job = enqueue(project, manager, bad=3)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.message) == ("failed", "Number 3 is bad; leave it out.")
        assert job.result["code"] == "bad_number"
        assert counted(project) == [0, 1, 2]

    def test_a_bug_ends_the_job_and_not_the_worker(self, project, manager):
        job = enqueue(project, manager, bug=1)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "failed"
        assert "ZeroDivisionError: a bug" in job.message
        assert job.finished_at is not None

    def test_dedupe_key_gives_the_same_job(self, project, manager):
        one, other = (
            jobs.enqueue("count", project=project, user=manager, params={"total": 1}, dedupe_key="nightly")
            for _ in range(2)
        )
        assert one.pk == other.pk
        assert Event.objects.filter(verb="job.queued").count() == 1

    def test_cancel_before_it_began(self, project, manager):
        job = jobs.cancel(enqueue(project, manager), manager)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "cancelled"
        assert counted(project) == []

    def test_cancel_twice_is_harmless_and_after_the_end_does_nothing(self, project, manager):
        job = enqueue(project, manager)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert jobs.cancel(jobs.cancel(job, manager), manager).state == "succeeded"

    def test_a_running_job_is_not_claimed_while_its_heart_beats(self, project, manager):
        job = enqueue(project, manager)
        Job.objects.filter(pk=job.pk).update(state="running", claimed_by="other", heartbeat=Now())
        jobs.run(job.pk)
        assert counted(project) == []
        assert jobs.requeue_stale() == 0

    def test_a_stale_job_is_taken_over_where_it_stood(self, project, manager):
        job = enqueue(project, manager)
        Job.objects.filter(pk=job.pk).update(
            state="running", claimed_by="dead", heartbeat=jobs._ago(60), cursor=4, done=4
        )
        jobs.run(job.pk)
        assert counted(project) == [4, 5]

    def test_a_worker_that_lost_its_claim_does_not_write(self, project, manager):
        job = enqueue(project, manager)
        old = jobs._claim(job.pk)
        Job.objects.filter(pk=job.pk).update(claimed_by="new")
        with pytest.raises(jobs.LostClaim), transaction.atomic():
            jobs.checkpoint(old, cursor=1)
        jobs._finish(old, Job.State.FAILED, message="late")
        job.refresh_from_db()
        assert (job.state, job.cursor) == ("running", None)

    def test_a_kept_stretch_is_a_beat(self, project, manager):
        job = jobs._claim(enqueue(project, manager).pk)
        Job.objects.filter(pk=job.pk).update(heartbeat=jobs._ago(60))
        with transaction.atomic():
            jobs.checkpoint(job, cursor=1)
        assert jobs.requeue_stale() == 0

    def test_a_job_that_kills_every_worker_is_given_up(self, project, manager):
        job = enqueue(project, manager)
        Job.objects.filter(pk=job.pk).update(attempts=jobs.ATTEMPTS_MAX)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "failed"
        assert "5 workers in a row" in job.message

    def test_a_cancelled_job_of_a_dead_worker_ends_as_cancelled(self, project, manager):
        job = enqueue(project, manager)
        dead = {"state": "running", "claimed_by": "dead", "heartbeat": jobs._ago(60)}
        Job.objects.filter(pk=job.pk).update(**dead, cancel_requested=True)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, counted(project)) == ("cancelled", [])

    def test_a_database_that_goes_away_is_no_failure_of_the_job(self, project, manager, monkeypatch):
        def gone(job):
            raise OperationalError("server closed the connection unexpectedly")
            yield

        job = enqueue(project, manager)
        with monkeypatch.context() as patch:
            patch.setattr("tests.datasets_app.handlers.count", gone)
            jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.message) == ("running", "")
        Job.objects.filter(pk=job.pk).update(heartbeat=jobs._ago(60))
        jobs.run(job.pk)
        assert counted(project) == [0, 1, 2, 3, 4, 5]

    def test_a_queued_job_that_the_broker_lost_is_sent_again_once(self, project, manager):
        job = enqueue(project, manager)
        Job.objects.filter(pk=job.pk).update(heartbeat=jobs._ago(jobs.RESEND_SECONDS + 1))
        assert jobs.requeue_stale() == 1
        assert jobs.requeue_stale() == 0

    def test_an_unknown_kind_is_a_programming_error(self, project, manager):
        with pytest.raises(LookupError, match="no kind"):
            jobs.enqueue("dance", project=project, user=manager, params={})


@pytest.mark.django_db(transaction=True)
class TestOverTime:
    """What others see while a job runs, here in a thread of the test."""

    @pytest.fixture(autouse=True)
    def nobody_else_runs_it(self, monkeypatch):
        monkeypatch.setattr(jobs, "_send", lambda job_id, kind: None)

    def test_a_long_step_keeps_its_claim(self, project, manager, settings):
        settings.JOB_STALE_SECONDS = 0.5
        job = enqueue(project, manager, total=2, pause=1.5)
        runner = threading.Thread(target=run_in_thread, args=[job.pk])
        runner.start()
        while runner.is_alive():
            assert jobs.requeue_stale() == 0
            time.sleep(0.05)
        job.refresh_from_db()
        assert (job.state, counted(project)) == ("succeeded", [0, 1])

    def test_a_beat_that_waited_for_a_long_batch_does_not_take_its_claim(self, project, manager, settings):
        settings.JOB_STALE_SECONDS = 0.5
        job = jobs._claim(enqueue(project, manager).pk)

        def beat() -> None:
            Pulse(job)._beat_once()
            connection.close()

        beating = threading.Thread(target=beat)
        with transaction.atomic():
            jobs.checkpoint(job, cursor=1)
            beating.start()
            time.sleep(0.8)
            jobs.checkpoint(job, cursor=2)
        beating.join()
        assert jobs.requeue_stale() == 0

    def test_cancel_while_running(self, project, manager):
        job = enqueue(project, manager, total=10_000, pause=0.02)
        runner = threading.Thread(target=run_in_thread, args=[job.pk])
        runner.start()
        wait_for(lambda: counted(project))
        jobs.cancel(job, manager)
        runner.join()
        job.refresh_from_db()
        assert job.state == "cancelled"
        assert 0 < len(counted(project)) < 10_000
        assert job.done == len(counted(project))
