"""An import by a real worker that is killed half-way: another goes on, and the rows are exactly right."""

import pytest
from django.db.models import Count

from datasets_app import importing, jobs
from datasets_app.models import Job
from labeling.models import Annotation, Document
from tests.datasets_app.conftest import failures, wait_for_end
from tests.workers import wait_for

RECORDS = 24_000


def lines() -> bytes:
    """Sentences of which each stands twice in the file, and a bad one in every thousand."""
    texts = [f"word{n % (RECORDS // 2)}\tB-PER\nmore\tO\n\n" if n % 1000 else "broken\n\n" for n in range(RECORDS)]
    return "".join(texts).encode()


@pytest.mark.django_db(transaction=True)
def test_killed_half_way(worker, project, manager, api, settings):
    settings.JOB_STALE_SECONDS = 2
    response = api(manager).post(
        "/api/v1/projects/news/imports", {"file": named(lines()), "format": "conll"}, format="multipart"
    )
    job = Job.objects.get(pk=response.json()["job"])
    wait_for(lambda: Document.objects.count() > importing.BATCH_RECORDS, says=worker.log)
    worker.kill()
    job.refresh_from_db()
    assert job.state == "running"
    assert 0 < Document.objects.count() < RECORDS * 0.9
    assert job.cursor["counts"]["documents"] == Document.objects.count()
    worker.start()
    wait_for(jobs.requeue_stale)
    wait_for_end(job)
    assert job.state == "succeeded", job.message
    bad = RECORDS // 1000
    assert (job.done, job.total, job.error_count) == (RECORDS, RECORDS, bad)
    assert job.result["documents"] == job.result["annotations"] == RECORDS - bad
    assert Document.objects.count() == Annotation.objects.filter(accepted=True).count() == RECORDS - bad
    assert len(failures(job)) == bad
    times = Document.objects.values("text").annotate(times=Count("id")).values_list("times", flat=True)
    assert set(times) == {2}
    ends = {key.rpartition("-")[2] for key in Document.objects.values_list("key", flat=True)}
    assert ends == {"1", "2"}
    assert Document.objects.filter(line=None).count() == 0


def named(content: bytes):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("sentences.conll", content)
