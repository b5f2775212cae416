"""Fixtures shared by all tests. Rows come from `tests.factories`, servers from the plugin `tests.services`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests.workers import Worker


@pytest.fixture
def api(db: None) -> Callable[[User], APIClient]:
    """`api(user)` is a REST client that sends the user's token."""

    def client(user: User) -> APIClient:
        token, _ = Token.objects.get_or_create(user=user)
        made = APIClient()
        made.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
        return made

    return client


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, a project's counts are those of this moment."""
    from labeling import progress  # not before the settings are known

    monkeypatch.setattr(progress, "SLOW", float("inf"))


@pytest.fixture
def query_count(db: None) -> Callable[[], CaptureQueriesContext]:
    """`with query_count() as queries: ...`, then `len(queries)`."""
    return lambda: CaptureQueriesContext(connection)


@pytest.fixture(scope="session")
def worker_process(django_db_setup: None) -> Iterator[Worker]:
    """The worker that tests share; the first that asks for it starts it."""
    worker = Worker(JOB_STALE_SECONDS="2")
    yield worker
    worker.kill()


@pytest.fixture
def worker(transactional_db: None, worker_process: Worker) -> Iterator[Worker]:
    """A running worker on the test database, with empty queues; a test may `kill` it and `start` it again."""
    worker_process.forget()
    if not worker_process.alive:
        worker_process.start()
    yield worker_process
    # Before the tables are emptied, so that no task is in the middle of them.
    worker_process.forget()


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained tiny BERT with its tokenizer."""
    from tests.modelassist import tiny  # brings torch, which most tests do without

    return tiny.build(tmp_path_factory.mktemp("tiny-bert"))
