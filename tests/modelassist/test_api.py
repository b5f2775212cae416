"""REST doors to models: the right role, the wrong one, a stranger, bad input, the effect, the queries."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasets_app.models import Job
from labeling.models import Project, Role
from modelassist import serving
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import add_open, registered
from tests.workers import Worker, wait_for

pytestmark = pytest.mark.django_db

POSTS = ["projects/{p}/models", "projects/{p}/predictions", "projects/{p}/predict", "models/{m}/promotion"]
GETS = ["projects/{p}/models", "models/{m}"]


@pytest.fixture
def address(project: Project, production: ModelVersion):  # type: ignore[no-untyped-def]
    return lambda path: "/api/v1/" + path.format(p=project.slug, m=production.pk)


class TestRights:
    @pytest.mark.parametrize("path", POSTS)
    @pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER])
    def test_changing_needs_a_manager(self, api, address, project, path, role) -> None:  # type: ignore[no-untyped-def]
        answer = api(factories.member(project, role=role)).post(address(path), {"texts": ["x"]}, format="json")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "forbidden"
        assert not Job.objects.exists()

    @pytest.mark.parametrize(("method", "path"), [("post", p) for p in POSTS] + [("get", p) for p in GETS])
    def test_a_stranger_sees_nothing(self, api, address, method, path) -> None:  # type: ignore[no-untyped-def]
        client = api(factories.user("stranger"))
        assert getattr(client, method)(address(path)).status_code == 404
        missing = getattr(client, method)(f"/api/v1/{path.format(p='no-such', m=10**12)}")
        assert missing.status_code == 404

    @pytest.mark.parametrize("path", GETS)
    def test_every_member_may_read(self, api, address, project, path) -> None:  # type: ignore[no-untyped-def]
        assert api(factories.member(project)).get(address(path)).status_code == 200

    @pytest.mark.parametrize("path", GETS)
    def test_nobody_reads_without_a_login(self, client, address, path) -> None:  # type: ignore[no-untyped-def]
        assert client.get(address(path)).status_code == 401


class TestModels:
    def test_list_and_read(self, api, address, project, production, trained_folder) -> None:  # type: ignore[no-untyped-def]
        registered(project, trained_folder)
        answer = api(project.created_by).get(address("projects/{p}/models")).json()
        assert [row["number"] for row in answer["results"]] == [2, 1]
        assert answer["next"] is None
        one = api(project.created_by).get(address("models/{m}")).json()
        assert one["state"] == "archived"
        assert one["name"] == "model-1"
        assert one["labels"] == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
        assert one["metrics"]["micro"] == {"f1": 1.0}
        assert one["dataset_version"]["number"] == 1
        assert set(answer["results"][0]) == set(one)

    def test_the_list_s_queries_do_not_grow(self, api, address, project, trained_folder, query_count) -> None:  # type: ignore[no-untyped-def]
        client = api(project.created_by)
        counts = []
        for _ in range(2):
            registered(project, trained_folder)
            with query_count() as queries:
                client.get(address("projects/{p}/models"))
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 4

    def test_pages(self, api, address, project, trained_folder) -> None:  # type: ignore[no-untyped-def]
        registered(project, trained_folder)
        client = api(project.created_by)
        first = client.get(address("projects/{p}/models?limit=1")).json()
        second = client.get(first["next"]).json()
        assert [row["number"] for row in first["results"] + second["results"]] == [2, 1]
        assert second["next"] is None

    def test_train(self, api, address, project) -> None:  # type: ignore[no-untyped-def]
        body = {"hyperparameters": {"epochs": 2, "seed": 7}}
        answer = api(project.created_by).post(address("projects/{p}/models"), body, format="json")
        assert answer.status_code == 202
        job = Job.objects.get(pk=answer.json()["job"])
        assert (job.kind, job.state, job.params["hyperparameters"]) == ("train", "queued", body["hyperparameters"])
        assert api(project.created_by).post(address("projects/{p}/models")).status_code == 202

    @pytest.mark.parametrize(
        "body",
        ['{"hyperparameters": {"epochs": 0}}', '{"hyperparameters": {"nope": 1}}', '{"hyperparameters": [1]}',
         '{"hyperparameters": {"learning_rate": NaN}}', '{"hyperparameters": "x"}', "[1]", "{", "null"],
    )  # fmt: skip
    def test_bad_input_is_told_and_changes_nothing(self, api, address, project, body) -> None:  # type: ignore[no-untyped-def]
        answer = api(project.created_by).post(address("projects/{p}/models"), body, content_type="application/json")
        assert answer.status_code == 400, answer.content
        assert answer.json()["error"]["message"]
        assert not Job.objects.exists()

    def test_nothing_accepted_is_a_conflict(self, api, manager: User) -> None:  # type: ignore[no-untyped-def]
        empty = factories.project(manager=manager)
        answer = api(manager).post(f"/api/v1/projects/{empty.slug}/models")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "nothing_accepted")


def test_promotion_and_rollback(api, address, project, production, trained_folder) -> None:  # type: ignore[no-untyped-def]
    second = registered(project, trained_folder)
    client = api(project.created_by)
    for _ in range(2):  # repeating it is harmless
        answer = client.post(address("models/{m}/promotion"))
        assert (answer.status_code, answer.json()["state"]) == (200, "production")
    second.refresh_from_db()
    assert second.state == "archived"


class TestPredictions:
    def test_a_job_pre_annotates(self, api, address, project, production) -> None:  # type: ignore[no-untyped-def]
        answer = api(project.created_by).post(address("projects/{p}/predictions"))
        assert answer.status_code == 202
        job = Job.objects.get(pk=answer.json()["job"])
        assert (job.kind, job.params) == ("predict", {"model": production.pk})

    def test_without_a_model_it_is_a_conflict(self, api, project: Project) -> None:  # type: ignore[no-untyped-def]
        answer = api(project.created_by).post(f"/api/v1/projects/{project.slug}/predictions")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_production_model")


class TestPredict:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ("{}", 400), ('{"texts": []}', 400), ('{"texts": "x"}', 400), ('{"texts": [1, null]}', 400),
            ('{"texts": [{"a": 1}]}', 400), ('{"texts": ["a\\u0000b"]}', 400), ('{"texts": ["a\\ud800b"]}', 400),
            ("[]", 400), (json.dumps({"texts": ["x"] * 300}), 413), (json.dumps({"texts": ["x" * 300_000]}), 413),
        ],
    )  # fmt: skip
    def test_bad_input(self, api, address, project, body: str, status: int) -> None:  # type: ignore[no-untyped-def]
        answer = api(project.created_by).post(address("projects/{p}/predict"), body, content_type="application/json")
        assert answer.status_code == status, answer.content
        assert answer.json()["error"]["message"]

    def test_without_a_model_it_is_a_conflict(self, api, project: Project) -> None:  # type: ignore[no-untyped-def]
        body = {"texts": ["x"]}
        answer = api(project.created_by).post(f"/api/v1/projects/{project.slug}/predict", body, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_production_model")

    def test_without_a_worker_it_is_unavailable(self, api, address, project, monkeypatch) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setattr(serving.predict, "__kwdefaults__", {"wait": 0.3})
        answer = api(project.created_by).post(address("projects/{p}/predict"), {"texts": ["x"]}, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_busy")


@pytest.mark.django_db(transaction=True)
def test_a_worker_trains_predicts_and_pre_annotates(  # type: ignore[no-untyped-def]
    worker: Worker, api, project: Project, fast: dict[str, Any]
) -> None:
    """The whole loop over REST, with a real worker."""
    client = api(project.created_by)
    base = f"/api/v1/projects/{project.slug}"
    documents = add_open(project, 5)

    def finished(path: str, body: dict[str, Any]) -> dict[str, Any]:
        number = client.post(f"{base}/{path}", body, format="json").json()["job"]
        shown: dict[str, Any] = {}

        def over() -> bool:
            shown.update(client.get(f"/api/v1/jobs/{number}").json())
            return shown["state"] not in Job.ACTIVE

        wait_for(over, says=worker.log)
        assert shown["state"] == "succeeded", shown
        return shown

    trained = finished("models", {"hyperparameters": fast})
    assert trained["result"]["promoted"] is True
    assert trained["done"] == trained["total"] > 0
    texts = ["Anna Smith visited Lima Gate .", "", " ", "😀 Bob left .", "e\u0301"]
    answer = client.post(f"{base}/predict", {"texts": texts}, format="json")
    assert answer.status_code == 200, answer.content
    results = answer.json()["results"]
    assert [result["text"] for result in results] == texts
    assert results[0]["spans"] == [{"start": 0, "end": 2, "label": "PER"}, {"start": 3, "end": 5, "label": "LOC"}]
    assert results[1]["tags"] == results[2]["tags"] == []
    bob = results[3]["tokens"][1]
    assert (bob, results[3]["tags"][1]) == ({"text": "Bob", "start": 2, "end": 5}, "B-PER")
    assert all(len(result["tags"]) == len(result["confidences"]) == len(result["tokens"]) for result in results)
    assert finished("predictions", {})["result"]["predicted"] == len(documents)
    lease = client.post(f"{base}/assignments", {}, format="json").json()
    assert lease["suggestion"] is None or lease["suggestion"]["model"] == "model-1"


def test_the_web_process_never_loads_torch() -> None:
    code = (
        "import django, sys; django.setup(); import config.urls, config.wsgi;"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2], env={"DJANGO_SETTINGS_MODULE": "config.settings", "PATH": ""},
    )  # fmt: skip
    assert shown.stdout.strip() == "[]"
