"""/healthz and /readyz: what they say, to whom, and at what price."""

import pytest
import redis
from django.db import DatabaseError, connection
from django.test import Client

from config import health
from config.worker_beat import EXPIRY_SECONDS, QUEUES, key
from tests.workers import wait_for


@pytest.fixture
def beats() -> redis.Redis:
    """The broker, holding a sign of life for each queue."""
    broker = health.broker()
    for queue in QUEUES:
        broker.set(key(queue), 1)
    yield broker
    broker.delete(*map(key, QUEUES))


def test_healthz_needs_nothing_else(client: Client, django_assert_num_queries):
    # No `db` fixture: a query would fail the test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert "no-cache" in answer["Cache-Control"]


def test_ready_costs_one_query(client, db, beats, query_count):
    with query_count() as queries:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert len(queries) == 1


def test_a_queue_without_worker_is_named(client, db, beats):
    beats.delete(key("model"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["code"] == "not_ready"
    assert error["message"] == "Not ready: worker for queue model missing."
    assert error["details"] == {"missing": ["worker for queue model"]}


def test_database_and_broker_that_do_not_answer_are_named(client, monkeypatch):
    def refuse(*args, **kwargs):
        raise DatabaseError

    nobody = redis.Redis(port=1, socket_connect_timeout=1)
    monkeypatch.setattr(health, "broker", lambda: nobody)
    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["details"]["missing"]) == (503, ["database", "broker"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nothing_but_reading(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_makes_it_ready_and_its_death_does_not(client, worker):
    assert client.get("/readyz").status_code == 200
    worker.kill()
    wait_for(lambda: client.get("/readyz").status_code == 503, seconds=3 * EXPIRY_SECONDS)
    worker.start()
    assert client.get("/readyz").status_code == 200


def test_beats_of_the_dead_are_forgotten(beats):
    health.forget_workers()
    assert beats.mget(map(key, QUEUES)) == [None] * len(QUEUES)
