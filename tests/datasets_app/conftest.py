"""A project with people of every role."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from datasets_app import jobs
from datasets_app.models import Job
from labeling.models import Project, Role
from tests import factories
from tests.labeling.conftest import rights, world  # noqa: F401
from tests.workers import wait_for


@pytest.fixture
def manager(db) -> User:
    return factories.user("mara")


@pytest.fixture
def project(manager) -> Project:
    return factories.project(manager=manager, slug="news")


@pytest.fixture
def reviewer(project) -> User:
    return factories.member(project, role=Role.REVIEWER)


@pytest.fixture
def annotator(project) -> User:
    return factories.member(project, role=Role.ANNOTATOR)


@pytest.fixture
def stranger(db) -> User:
    return factories.user("stranger")


def wait_for_end(job: Job) -> Job:
    """Poll until the job is over."""

    def over() -> bool:
        job.refresh_from_db()
        return job.state not in Job.ACTIVE

    wait_for(over)
    return job


def failures(job: Job) -> list[tuple[int, str]]:
    """The job's errors as (line, code), by line."""
    return list(job.errors.order_by("line", "id").values_list("line", "code"))


def run_in_thread(job_id: int) -> None:
    """Run a job as the target of a thread, whose connection is its own."""
    try:
        jobs.run(job_id)
    finally:
        connection.close()
