"""Predictors over REST and on their page: rights, bad input, and what they write; and what starts by itself."""

import re
from typing import Any

import pytest
from django.utils import timezone

from datasets_app.models import DatasetVersion, Job
from labeling.models import Annotation, Occurrences, Prediction, Project, Role
from modelassist import assistance, preannotate, predictors, registry, runs
from modelassist.models import ModelVersion, Predictor
from tests import factories
from tests.modelassist.conftest import add_open, done, registered
from tests.modelassist.test_http_predictor import Service, service  # noqa: F401 (a fixture)
from tests.workers import Worker, wait_for

pytestmark = pytest.mark.django_db
RULES = [
    {"label": "PER", "pattern": "Ada Lovelace"},
    {"label": "LOC", "pattern": "lon\\w+", "is_regex": True, "ignore_case": True},
]


@pytest.fixture
def empty(manager) -> Project:  # type: ignore[no-untyped-def]
    """A project without any model."""
    made = factories.project(manager=manager)
    factories.document(made, "Ada Lovelace met Babbage in London .")
    factories.document(made, "Nobody .")
    factories.document(made, "Ada Lovelace .", split="test")
    return made


def at(project: Project, path: str = "predictors") -> str:
    return f"/api/v1/projects/{project.slug}/{path}"


def test_patterns_suggest_on_the_first_day(api, empty: Project) -> None:
    client = api(empty.created_by)
    made = client.post(at(empty), {"name": "words", "kind": "patterns", "options": {"rules": RULES}}, format="json")
    assert made.status_code == 201, made.content
    job = Job.objects.get(pk=client.post(at(empty, "predictions"), {"predictor": "words"}, format="json").json()["job"])
    assert (job.kind, job.params) == ("suggest", {"predictor": "words"})
    assert done(job).result == {"predictor": "words", "predicted": 2}
    assert set(Prediction.objects.values_list("model", flat=True)) == {"words"}
    found = Prediction.objects.get(document__text__startswith="Ada", document__split="train")
    assert found.tags == ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]
    lease = client.post(at(empty, "assignments"), {}, format="json").json()
    assert lease["suggestion"] is None or lease["suggestion"]["model"] == "words"


def test_read_change_and_remove(api, empty: Project) -> None:
    client = api(empty.created_by)
    options = {"url": "https://example.org/tag", "token": "s3cret"}
    client.post(at(empty), {"name": "mine", "kind": "http", "options": options}, format="json")
    shown = client.get(at(empty)).json()["results"]
    assert [row["name"] for row in shown] == ["mine"]
    assert shown[0]["options"] == {"url": "https://example.org/tag", "token": "set", "timeout": 30}
    changed = client.patch(at(empty, "predictors/mine"), {"options": {"url": "http://example.org/"}}, format="json")
    assert changed.json()["options"]["token"] == ""
    assert client.delete(at(empty, "predictors/mine")).status_code == 204
    assert client.get(at(empty, "predictors/mine")).status_code == 404
    assert client.post(at(empty, "predictions"), {"predictor": "mine"}, format="json").status_code == 404
    assert list(empty.events.order_by("id").values_list("verb", flat=True)) == [
        "predictor.added", "predictor.changed", "predictor.removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "X y", "kind": "http"}, {"name": "model-1", "kind": "patterns"},
     {"name": "import", "kind": "patterns"}, {"name": "x", "kind": "no"}, {"name": "x", "kind": "http"},
     {"name": "x", "kind": "http", "options": {"url": "ftp://x"}}, {"name": "x", "kind": "patterns", "options": [1]},
     {"name": "x", "kind": "http", "options": {"url": "http://a.org", "timeout": "x"}},
     {"name": "x", "kind": "http", "options": {"url": "http://a.org", "token": "a\nb"}},
     {"name": "x", "kind": "patterns", "options": {"rules": [{"label": "NO", "pattern": "a"}]}},
     {"name": "x", "kind": "patterns", "options": {"more": 1}}],
)  # fmt: skip
def test_bad_input_is_told_and_changes_nothing(api, empty: Project, body: dict[str, Any]) -> None:
    answer = api(empty.created_by).post(at(empty), body, format="json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["message"]
    assert not Predictor.objects.exists()


def test_a_name_is_given_once(api, empty: Project) -> None:
    body = {"name": "x", "kind": "patterns", "options": {"rules": RULES}}
    client = api(empty.created_by)
    assert [client.post(at(empty), body, format="json").status_code for _ in range(2)] == [201, 409]


@pytest.mark.parametrize(("method", "path"), [("get", "predictors"), ("post", "predictors"), ("get", "predictors/x"),
                         ("patch", "predictors/x"), ("delete", "predictors/x"), ("post", "patterns/count"),
                         ("patch", "assistance")])  # fmt: skip
def test_who_may(api, empty: Project, method: str, path: str) -> None:
    reviewer = factories.member(empty, role=Role.REVIEWER)
    assert getattr(api(reviewer), method)(at(empty, path), {}, format="json").status_code == 403
    assert getattr(api(factories.user("stranger")), method)(at(empty, path), {}, format="json").status_code == 404


def test_counting_stores_nothing(api, empty: Project) -> None:
    answer = api(empty.created_by).post(at(empty, "patterns/count"), {"rules": RULES}, format="json")
    assert answer.json() == {"documents": 3, "marked": 2, "spans": {"PER": 2, "LOC": 1}}
    bad = api(empty.created_by).post(
        at(empty, "patterns/count"), {"rules": [{"label": "NO", "pattern": "a"}]}, format="json"
    )
    assert bad.status_code == 400
    assert not Predictor.objects.exists()


def test_the_patterns_page(client, empty: Project) -> None:
    client.force_login(empty.created_by)
    page = f"/projects/{empty.slug}/patterns/"
    counted = client.post(page, {"rules": "PER Ada Lovelace", "count": ""}).content.decode()
    assert "would mark 2" in counted
    assert "bad" not in Predictor.objects.values_list("name", flat=True)
    assert "Rule 1" in client.post(page, {"rules": "PER", "save": ""}).content.decode()
    saved = client.post(page, {"rules": "PER Ada Lovelace\nLOC /Lon.*n/", "save": ""})
    job = Job.objects.get(kind="suggest")
    assert saved.url == f"/jobs/{job.pk}/"
    assert "LOC /Lon.*n/" in client.get(page).content.decode()
    client.force_login(factories.member(empty, role=Role.REVIEWER))
    assert client.get(page).status_code == 403


def test_occurrences_that_people_suggested_are_offered_as_rules(client, empty: Project) -> None:
    for tokens, label in ((["Charles", "Babbage"], "PER"), (["London"], "LOC"), (["/x/"], "LOC"), (["London"], "LOC")):
        Occurrences.objects.create(
            project=empty, created_by=empty.created_by, tokens=tokens, label=label, documents=[], starts=[]
        )
    client.force_login(empty.created_by)
    page = f"/projects/{empty.slug}/patterns/"

    def offered(answer: str) -> list[str]:
        return re.findall(r'name="add" value="([^"]*)"', answer)

    assert offered(client.get(page).content.decode()) == ["LOC London", "PER Charles Babbage"]
    added = client.post(page, {"rules": "PER Ada", "add": "LOC London"}).content.decode()
    assert "PER Ada\nLOC London</textarea>" in added
    assert offered(added) == ["PER Charles Babbage"]
    assert not Predictor.objects.exists()
    Occurrences.objects.update(undone_at=timezone.now())
    assert offered(client.get(page).content.decode()) == []


def test_agreement_is_shown_by_predictor(client, empty: Project, query_count) -> None:
    predictors.save_patterns(empty, empty.created_by, [])
    version = DatasetVersion.objects.create(
        project=empty, number=1, fingerprint="x", labels=[], policy={}, counts={"splits": {}}
    )
    for number, kind in ((1, "training"), (2, "update"), (3, "update")):
        ModelVersion.objects.create(
            project=empty, number=number, kind=kind, dataset_version=version, base_model="", hyperparameters={},
            labels=[], metrics={}, path="",
        )  # fmt: skip
    for name in ("model-1", "model-2", "model-3", "patterns", "import"):
        use = {"kept": 3, "edited": 0, "rejected": 1, "drawn": 2}
        Annotation.objects.create(
            document=factories.document(empty), annotator=empty.created_by, tags=["O"] * 8, suggested_by=name,
            suggestion_use=use,
        )  # fmt: skip
    with query_count() as queries:
        rows = predictors.agreement(empty)
    assert len(queries) == 3
    found = {row["model"] or row["kind"]: (row["kind"], row["kept"], row["agreement"]) for row in rows}
    assert found == {
        "model-1": ("model", 3, 0.75), "update": ("update", 6, 0.75), "patterns": ("patterns", 3, 0.75),
        "import": ("", 3, 0.75),
    }  # fmt: skip
    client.force_login(empty.created_by)
    page = client.get(f"/projects/{empty.slug}/assistance/").content.decode()
    assert "updates within the session" in page
    assert page.count("0.750") + page.count("75.0") == 4


def test_a_service_behind_http_suggests(api, empty: Project, service: Service, settings) -> None:  # noqa: F811
    answer = {"documents": [{"tags": ["B-PER", "I-PER", "O", "O", "O", "O", "O"]}, {"tags": ["O", "O"]}]}
    service.answers = [(200, answer)]
    options = {"url": service.url, "timeout": 5}
    predictors.add(empty, empty.created_by, name="mine", kind="http", options=options)
    job = done(preannotate.start(empty, empty.created_by, predictor="mine"))
    assert (job.state, job.result["code"]) == ("failed", "private_address")
    settings.PRIVATE_PREDICTORS = True
    job = done(preannotate.start(empty, empty.created_by, predictor="mine"))
    assert job.result == {"predictor": "mine", "predicted": 2}, job.message
    service.answers = [(200, {"documents": [{"tags": ["B-NO", *["O"] * 6]}, {"tags": ["O", "O"]}]})]
    job = done(preannotate.start(empty, empty.created_by, predictor="mine"))
    assert (job.state, job.result, job.error_count) == ("succeeded", {"predictor": "mine", "predicted": 1}, 1)
    told = job.errors.get()
    assert (told.line, told.code) == (empty.documents.earliest("id").pk, "unknown_label")
    service.answers = [(200, {"documents": [{"tags": ["B-NO", *["O"] * 6]}, {"tags": ["B-NO", "O"]}]})]
    job = done(preannotate.start(empty, empty.created_by, predictor="mine"))
    assert (job.state, job.result["code"]) == ("failed", "unknown_label")


def test_a_bad_answer_is_the_failure_of_its_texts(empty: Project, service: Service, settings, monkeypatch) -> None:  # noqa: F811
    settings.PRIVATE_PREDICTORS = True
    monkeypatch.setattr(preannotate, "PAGE_SUGGESTED", 1)
    empty.documents.all().delete()
    texts = [factories.document(empty, f"Ada {word}") for word in ("left", "came", "sat", "ran", "ate", "won")]
    good, page = (200, {"documents": [{"tags": ["O", "O"]}]}), (200, b"<html>")
    options = {"url": service.url, "timeout": 5}
    predictors.add(empty, empty.created_by, name="mine", kind="http", options=options)
    bad = (200, {"documents": [{"tags": ["O", "O"], "confidences": [1, 7]}]})
    service.answers = [page, (500, {}), (500, {}), (500, {}), good, page, bad, good]
    job = done(preannotate.start(empty, empty.created_by, predictor="mine"))
    assert (job.state, job.result) == ("succeeded", {"predictor": "mine", "predicted": 2}), job.message
    told = {row.line: (row.code, row.message) for row in job.errors.all()}
    assert sorted(told) == [texts[at].pk for at in (0, 1, 3, 4)]
    assert "cannot be read" in told[texts[0].pk][1]
    assert "answered 500" in told[texts[1].pk][1]
    assert told[texts[4].pk][0] == "invalid_confidences"
    service.asked.clear()
    service.answers = [good, page]
    job = done(preannotate.start(empty, empty.created_by, predictor="mine"))
    assert (job.state, job.result["code"], job.error_count) == ("failed", "predictor_failed", 3)
    assert "mine failed on the last 3 texts, one after another, and is asked no further." in job.message
    assert (len(service.asked), job.done) == (4, 4)


def test_assistance_over_rest_and_on_its_page(api, client, empty: Project) -> None:
    api_client = api(empty.created_by)
    assert api_client.get(at(empty, "assistance")).json()["after_import"] is True
    changed = api_client.patch(at(empty, "assistance"), {"random_share": 0.3, "after_promotion": True}, format="json")
    assert (changed.json()["random_share"], changed.json()["after_promotion"]) == (0.3, True)
    assert api_client.patch(at(empty, "assistance"), {"random_share": 2}, format="json").status_code == 400
    client.force_login(empty.created_by)
    page = f"/projects/{empty.slug}/assistance/"
    form = {
        "random_share": "0.2",
        "rare_label_boost": "1",
        "update_every": "7",
        "label_drop": "0.1",
        "keep_models": "0",
    }
    assert client.post(page, form).status_code == 302
    assert assistance.as_json(assistance.assistance_of(empty)) == {
        "after_promotion": False, "after_import": False, "update_every": 7, "label_drop": 0.1, "keep_models": 0,
        "random_share": 0.2, "rare_label_boost": 1.0, "diversity": False,
    }  # fmt: skip
    assert client.post(page, form | {"random_share": "7"}).status_code == 200


def test_a_promotion_sets_off_a_pre_annotation_if_asked(
    project: Project, production: ModelVersion, trained_folder
) -> None:
    assert not Job.objects.exists()
    assistance.change(project, project.created_by, {"after_promotion": True})
    second = registered(project, trained_folder)
    job = Job.objects.get()
    assert (job.kind, job.params) == ("predict", {"model": second.pk})
    registry.promote(second, project.created_by)  # it is in production already: nothing more follows
    assert Job.objects.count() == 1


def test_an_import_after_the_promotion_is_predicted_once(project: Project, production: ModelVersion) -> None:
    assert preannotate.start_after_imports() == []
    add_open(project, 3)
    Job.objects.create(
        project=project, kind="import", state="succeeded", finished_at=timezone.now(), heartbeat=timezone.now()
    )
    started = preannotate.start_after_imports()
    assert [job.kind for job in started] == ["suggest"]
    assert done(started[0]).result["predicted"] == 3
    assert preannotate.start_after_imports() == []
    assistance.change(project, project.created_by, {"after_import": False})
    Job.objects.create(
        project=project, kind="import", state="succeeded", finished_at=timezone.now(), heartbeat=timezone.now()
    )
    assert preannotate.start_after_imports() == []


def test_many_documents_go_to_the_model_worker(project: Project, production: ModelVersion, monkeypatch) -> None:
    monkeypatch.setattr(preannotate, "FEW_DOCUMENTS", 2)
    add_open(project, 3)
    assert preannotate.start(project, project.created_by, at_once=True).kind == "predict"


@pytest.mark.django_db(transaction=True)
def test_texts_are_tagged_while_a_training_runs(
    api, worker: Worker, project: Project, production: ModelVersion, fast
) -> None:
    job = runs.start(project, project.created_by, fast | {"epochs": 100, "patience": 100, "learning_rate": 1e-5})

    def trains() -> bool:
        job.refresh_from_db()
        return job.done > 0

    wait_for(trains, says=worker.log)
    assert job.state == "running"  # as it is asked; a quick machine may have trained before the answer is read
    answer = api(project.created_by).post(at(project, "predict"), {"texts": ["Anna Smith left ."]}, format="json")
    assert answer.status_code == 200
    assert answer.json()["results"][0]["tags"][0] == "B-PER"
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)

    def over() -> bool:
        job.refresh_from_db()
        return job.state not in Job.ACTIVE

    wait_for(over, says=worker.log)
