"""A night through a real beat and a real worker, whose clocks stand at two at night and go on from there."""

import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from config.processes import Command, Process, kill, log_file, spawn
from datasets_app.models import Job
from labeling.models import Project
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import fill
from tests.workers import ROOT, Worker, database_url, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
_AT = """
import sys, time_machine
import celery.apps.beat, celery.apps.worker, celery.bin.celery, config.celery
config.celery.app.loader.import_default_modules()  # however long it takes on a busy machine
time_machine.travel(float(sys.argv.pop(1)), tick=True).start()
celery.bin.celery.main()
"""


@pytest.fixture
def night(project: Project, worker_process: Worker, tmp_path: Path) -> Iterator[None]:
    """A beat that begins some seconds before 02:00 of tomorrow, and a worker for which two has struck."""
    worker_process.kill()  # its clock is another
    worker_process.forget()
    two = (timezone.localtime() + timedelta(days=1)).replace(hour=2, minute=0, second=0, microsecond=0)
    queues = ["worker", "--queues", "default,model,serve", "--concurrency", "2"]
    schedule = ["beat", "--schedule", str(tmp_path / "schedule")]
    started = [_start(two.timestamp() + 60, "worker", queues), _start(two.timestamp() - 4, "beat", schedule)]
    yield
    for process in started:
        kill(process)
    worker_process.forget()


def _start(moment: float, name: str, arguments: list[str]) -> Process:
    argv = [sys.executable, "-c", _AT, str(moment), "--app", "config", *arguments, "--loglevel", "INFO"]
    env = {"DATABASE_URL": database_url(), "TZ_NAME": settings.TIME_ZONE}
    command = Command(name=f"night-{name}", argv=argv, env=env, cwd=ROOT, orphan_signal=signal.SIGKILL)
    return spawn(command, instance=settings.DATA_DIR)


def test_at_two_the_due_are_trained_and_a_failure_is_in_nobody_s_way(
    project: Project, tiny_bert: Path, night: None
) -> None:
    Project.objects.filter(pk=project.pk).update(retrain_hour=2, retrain_min_new=30)
    broken = factories.project(
        manager=project.created_by, base_model="/no/such/folder", retrain_hour=2, retrain_min_new=1
    )
    later = factories.project(manager=project.created_by, base_model=str(tiny_bert), retrain_hour=3, retrain_min_new=1)
    for other in (broken, later):
        fill(other, train=2)

    def log() -> str:
        return log_file(settings.DATA_DIR, "night-worker").read_text(errors="replace")

    def over() -> bool:
        found = Job.objects.filter(kind="train")
        return found.count() == 2 and not found.filter(state__in=Job.ACTIVE).exists()

    wait_for(over, says=log)
    states = dict(Job.objects.filter(kind="train").values_list("project", "state"))
    assert states == {project.pk: "succeeded", broken.pk: "failed"}
    assert ModelVersion.objects.get(project=project).state == "production"
    keys = Job.objects.filter(kind="train").values_list("dedupe_key", flat=True)
    day = timezone.localtime() + timedelta(days=1)
    assert {key.rpartition(":")[2] for key in keys} == {f"{day:%Y-%m-%d}"}
