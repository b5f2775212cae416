"""/metrics: for whom, what it says, and that it costs the same however much there is."""

import sys
from types import SimpleNamespace

import pytest
import redis
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

from config import health, metrics, worker_meter
from datasets_app import jobs, versions
from labeling.models import Project
from modelassist import meter, registry
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import fill

TOKEN = "a-long-token"


@pytest.fixture
def broker() -> redis.Redis:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(worker_meter.COUNTS_KEY)
    meter.drain()
    yield client
    client.delete(worker_meter.COUNTS_KEY)


@pytest.fixture
def scrape(client, settings, db, broker):
    """`scrape()` gives what an allowed reader sees: `{(name, *values of its labels by their names): value}`."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[tuple[str, ...], float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(answer.content.decode())
        return {
            (s.name, *(value for _, value in sorted(s.labels.items()))): s.value
            for family in families
            for s in family.samples
        }

    return read


def model(project: Project, f1: float | None, **fields: object) -> ModelVersion:
    return registry.register(
        project, None, dataset_version=versions.freeze_now(project, None, reuse=True), base_model="tiny",
        hyperparameters={}, labels=["O"], metrics={"micro": None if f1 is None else {"f1": f1}}, path="none", **fields,
    )  # fmt: skip


def test_it_is_off_until_there_is_a_token(client, db, settings):
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer ü"}, {"Authorization": "Bearer"}):
        answer = client.get("/metrics", headers=header)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"] == "Bearer"
    assert client.post("/metrics").status_code == 405


def test_a_signed_in_manager_without_the_token_sees_nothing(client, settings, db):
    settings.METRICS_TOKEN = TOKEN
    client.force_login(factories.user(superuser=True))
    assert client.get("/metrics").status_code == 401


def test_queues_and_jobs(scrape, broker):
    project = factories.project()
    for _ in range(3):
        jobs.enqueue("train", project=project, user=None, params={})
    broker.rpush("model", "x", "y")
    broker.set(worker_meter.GPU_KEY.format("host:7"), 123, ex=60)
    try:
        seen = scrape()
    finally:
        broker.delete("model", worker_meter.GPU_KEY.format("host:7"))
    assert seen["goldset_jobs", "train", "queued"] == 3
    assert seen["goldset_queue_length", "model"] == 2
    assert ("goldset_queue_served", "serve") in seen
    assert seen["goldset_gpu_memory_bytes", "host:7"] == 123
    assert seen["goldset_oldest_waiting_job_seconds",] >= 0


def test_models(scrape):
    project, unjudged, trashed = (
        factories.project(),
        factories.project(),
        factories.project(trashed_at="2026-01-01T00:00Z"),
    )
    for each in (project, unjudged, trashed):
        fill(each, train=2)
    first = model(project, 0.7)
    ModelVersion.objects.filter(pk=first.pk).update(state="production", promoted_at=first.created_at)
    model(project, 0.6)
    model(project, None, kind="update")
    model(unjudged, None)
    model(trashed, 0.9)
    seen = scrape()
    scores = {labels[1:]: value for labels, value in seen.items() if labels[0] == "goldset_model_f1"}
    assert scores == {("last", project.slug): 0.6, ("production", project.slug): 0.7}
    ages = {labels[1:] for labels in seen if labels[0] == "goldset_model_age_seconds"}
    assert ages == {("last", project.slug), ("production", project.slug), ("last", unjudged.slug)}


def test_what_each_process_did_is_added_up(scrape, broker):
    for documents in (3, 4):  # as two processes would
        meter.count(documents=documents, pieces=10, padded_pieces=16, seconds=0.5)
        worker_meter.publish(broker)
    seen = scrape()
    assert seen["goldset_network_documents_total",] == 7
    assert seen["goldset_network_pieces_total",] / seen["goldset_network_padded_pieces_total",] == 10 / 16
    assert seen["goldset_network_seconds_total",] == 1


def test_counts_outlive_a_broker_that_does_not_answer(broker):
    meter.count(documents=2)
    worker_meter.publish(redis.Redis(port=1, socket_connect_timeout=1))
    meter.count(documents=1)
    worker_meter.publish(broker)
    assert float(broker.hget(worker_meter.COUNTS_KEY, "documents")) == 3


@pytest.mark.parametrize("torch", [SimpleNamespace(), SimpleNamespace(cuda=SimpleNamespace())], ids=["begun", "half"])
def test_a_network_that_is_being_loaded_stops_nothing(broker, monkeypatch, torch):
    monkeypatch.setitem(sys.modules, "torch", torch)
    meter.count(documents=3)
    worker_meter.publish(broker)
    assert float(broker.hget(worker_meter.COUNTS_KEY, "documents")) == 3


def test_without_a_broker_it_is_a_clear_503(client, settings, db, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(metrics, "broker", lambda: redis.Redis(port=1, socket_connect_timeout=1))
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503
    assert health.broker() is not None


def test_it_costs_the_same_however_many_projects_there_are(scrape, query_count):
    def queries() -> int:
        with query_count() as made:
            scrape()
        return len(made)

    before = queries()
    for _ in range(3):
        project = factories.project()
        fill(project, train=1)
        model(project, 0.5)
    assert queries() == before == 4
