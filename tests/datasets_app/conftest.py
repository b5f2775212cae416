"""A project with its people, and real workers that a test may kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from datasets_app.models import Job
from labeling.models import Label, Membership, Project, Role

ROOT = Path(__file__).parents[2]


@pytest.fixture
def manager(db) -> User:
    return User.objects.create_user("mara", password="x")


@pytest.fixture
def reviewer(db) -> User:
    return User.objects.create_user("rena", password="x")


@pytest.fixture
def annotator(db) -> User:
    return User.objects.create_user("anno", password="x")


@pytest.fixture
def stranger(db) -> User:
    return User.objects.create_user("strange", password="x")


@pytest.fixture
def project(manager, reviewer, annotator) -> Project:
    project = Project.objects.create(slug="news", name="News", created_by=manager)
    for user, role in ((manager, Role.MANAGER), (reviewer, Role.REVIEWER), (annotator, Role.ANNOTATOR)):
        Membership.objects.create(project=project, user=user, role=role)
    return project


@pytest.fixture
def labels(project) -> list[Label]:
    return [
        Label.objects.create(project=project, name=name, color="#112233", position=at)
        for at, name in enumerate(("PER", "LOC"), 1)
    ]


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    """A REST client signed in as somebody."""

    def signed_in(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return signed_in


class Worker:
    """A Celery worker process on the test database."""

    def __init__(self, log: Path) -> None:
        database = connection.settings_dict
        url = f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{database['NAME']}"
        environment = os.environ | {
            "DATABASE_URL": f"{url}?host={quote(database['HOST'], safe='')}&port={database['PORT'] or 5432}",
            "DJANGO_SETTINGS_MODULE": "tests.datasets_app.worker_settings",
            "JOB_STALE_SECONDS": "2",
        }
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", "default", "-c", "1"]
        command += ["--without-gossip", "--without-mingle", "-l", "INFO"]
        self.log = log
        self.process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=log.open("ab"), stderr=subprocess.STDOUT, start_new_session=True
        )

    def kill(self) -> None:
        """SIGKILL to the worker and its children: nothing is tidied up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def workers(transactional_db, tmp_path) -> Iterator[Callable[[], Worker]]:
    """Starts workers; those that a test leaves are killed."""
    settings.JOB_KINDS["count"] = ("tests.datasets_app.handlers:count", "default")
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(tmp_path / "worker.log"))
        return started[-1]

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()
    del settings.JOB_KINDS["count"]


def wait_for(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Poll until the condition holds; fail after a generous while."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def wait_for_end(job: Job, *, seconds: float = 60) -> Job:
    """Poll until the job is over."""

    def over() -> bool:
        job.refresh_from_db()
        return job.state not in Job.ACTIVE

    wait_for(over, seconds=seconds)
    return job
