"""A training job from the accepted annotations to the registered model."""

import json
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string
from transformers import AutoModelForTokenClassification

from datasets_app import jobs, stopping
from datasets_app.models import DatasetVersion, Job
from labeling import projects
from labeling.errors import Conflict, Invalid
from labeling.models import Annotation, Event, Project
from modelassist import auditing, registry, runs
from modelassist.models import ModelVersion, models_folder
from tests import factories
from tests.modelassist.conftest import done, fill
from tests.workers import Worker, wait_for

pytestmark = pytest.mark.django_db


def test_a_training_ends_with_a_model_in_production(project: Project, fast: dict[str, Any]) -> None:
    job = done(runs.start(project, project.created_by, fast))
    assert job.state == "succeeded", job.message
    model = ModelVersion.objects.get(job=job)
    assert job.result == {
        "model": model.pk, "number": 1, "state": "production", "promoted": True, "micro": model.metrics["micro"],
    }  # fmt: skip
    assert (job.done, job.total) == (model.metrics["steps"], 30)
    assert model.labels == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    assert model.hyperparameters["learning_rate"] == fast["learning_rate"]
    assert model.hyperparameters["warmup"] == 0.1
    assert model.dataset_version.counts["splits"]["train"]["documents"] == 40
    metrics = model.metrics
    assert metrics["evaluated_on"] == "test"
    assert metrics["micro"] == metrics["test"]["micro"]
    assert metrics["micro"]["f1"] > 0.9
    assert set(metrics["test"]["labels"]) == {"PER", "LOC"}
    assert set(metrics["test"]["token_report"]["tags"]) == set(model.labels)
    assert metrics["test"]["documents"] == 20
    assert metrics["validation"]["documents"] == 10
    assert metrics["seed"] == 13
    assert [row["epoch"] for row in metrics["curve"]] == list(range(1, len(metrics["curve"]) + 1))
    assert set(metrics["libraries"]) == {"torch", "transformers", "tokenizers", "numpy"}
    verbs = Event.objects.filter(project=project).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["job.queued", "version.frozen", "model.registered", "model.promoted", "job.succeeded"]


def test_its_folder_is_a_plain_transformers_model_with_a_manifest(project: Project, fast: dict[str, Any]) -> None:
    done(runs.start(project, project.created_by, fast | {"epochs": 1}))
    model = ModelVersion.objects.get(project=project)
    assert models_folder() in model.folder.parents
    loaded = AutoModelForTokenClassification.from_pretrained(model.folder)
    assert list(loaded.config.id2label.values()) == model.labels
    manifest = json.loads((model.folder / "goldset.json").read_text())
    assert manifest["fingerprint"] == model.dataset_version.fingerprint
    assert manifest["hyperparameters"] == model.hyperparameters
    assert [path.name for path in model.folder.parent.iterdir()] == [model.folder.name]


def test_the_steps_tell_where_it_is(project: Project, fast: dict[str, Any]) -> None:
    job = runs.start(project, project.created_by, fast | {"epochs": 2})
    notes = [step.note for step in runs.run(claimed(job))]
    assert notes[0] == "freezing a dataset version"
    assert notes[1].startswith("epoch 1/2 loss ")
    assert "epoch 2/2" in notes[10]
    assert " F1 0." in notes[10] or " F1 1." in notes[10]
    assert notes[-2:] == ["evaluating", "comparing with the production model"]


def claimed(job: Job) -> Job:
    """The job as a worker holds it."""
    Job.objects.filter(pk=job.pk).update(state="running", claimed_by="me")
    job.refresh_from_db()
    return job


def test_without_test_documents_validation_is_the_exam(manager: Any, tiny_bert: Path, fast: dict[str, Any]) -> None:
    project = factories.project(manager=manager, base_model=str(tiny_bert))
    fill(project, train=10, validation=5)
    done(runs.start(project, manager, fast | {"epochs": 1}))
    metrics = ModelVersion.objects.get(project=project).metrics
    assert metrics["evaluated_on"] == "validation"
    assert metrics["test"] is None
    assert metrics["micro"] == metrics["validation"]["micro"]


def test_without_any_held_out_document_it_trains_all_the_same(
    manager: Any, tiny_bert: Path, fast: dict[str, Any]
) -> None:
    project = factories.project(manager=manager, base_model=str(tiny_bert))
    fill(project, train=10)
    for number, state in ((1, "production"), (2, "candidate")):
        assert done(runs.start(project, manager, fast | {"epochs": 1})).state == "succeeded"
        model = ModelVersion.objects.get(project=project, number=number)
        assert model.metrics["evaluated_on"] is model.metrics["micro"] is None
        assert model.state == state
    assert "no held-out document" in model.promotion["reason"]
    assert DatasetVersion.objects.filter(project=project).count() == 1


def test_nothing_accepted_is_refused_at_once(manager: Any) -> None:
    project = factories.project(manager=manager)
    fill(project, test=3)
    with pytest.raises(Conflict, match="nothing to train on"):
        runs.start(project, manager)
    assert not Job.objects.exists()


def test_too_few_labels_fail_with_a_reason(manager: Any, tiny_bert: Path) -> None:
    project = factories.project(manager=manager, base_model=str(tiny_bert))
    fill(project, train=3)
    for annotation in Annotation.objects.all():
        annotation.tags = ["O"] * len(annotation.tags)
        annotation.save()
    job = done(runs.start(project, manager))
    assert job.state == "failed"
    assert "3 accepted documents with 0 labeled spans" in job.message
    assert job.result["code"] == "too_few_labels"
    assert not ModelVersion.objects.exists()


def test_a_bad_hyperparameter_is_refused_at_once(project: Project) -> None:
    with pytest.raises(Invalid, match="learning_rate"):
        runs.start(project, project.created_by, {"learning_rate": -1})
    assert not Job.objects.exists()


def test_a_base_model_that_is_not_there_fails_with_a_reason(project: Project) -> None:
    project.base_model = "/no/such/folder"
    project.save()
    job = done(runs.start(project, project.created_by))
    assert (job.state, job.result["code"]) == ("failed", "base_model_missing")


def test_cancelling_leaves_no_model(project: Project, fast: dict[str, Any]) -> None:
    job = claimed(runs.start(project, project.created_by, fast))
    steps = runs.run(job)
    for _ in range(5):
        next(steps)
    steps.close()
    assert not ModelVersion.objects.exists()
    assert not list((models_folder() / project.slug).glob("*"))


PHASES = [
    ("train", "datasets_app.versions._by_key"),
    ("train", "modelassist.base_model.resolve"),
    ("train", "modelassist.trainer._samples"),
    ("train", "modelassist.optimizer.Optimizer.step_on"),
    ("train", "modelassist.trainer._Run._validated"),
    ("train", "modelassist.trainer._calibrate"),
    ("train", "modelassist.exams.sit"),
    ("train", "modelassist.registry._compare"),
    ("train", "modelassist.registry.bootstrap"),
    ("search", "modelassist.search._suggested"),
    ("audit", "modelassist.tagger.Tagger.judge"),
]


@pytest.mark.parametrize(("kind", "phase"), PHASES, ids=lambda each: each.rpartition(".")[2])
def test_cancelling_is_seen_in_every_phase(
    project: Project, production: ModelVersion, fast: dict[str, Any], monkeypatch: pytest.MonkeyPatch,
    kind: str, phase: str,
) -> None:  # fmt: skip
    """Somebody cancels as the phase begins; it does not come to its end."""
    owner, name = import_string(phase.rpartition(".")[0]), phase.rpartition(".")[2]
    original, cancelled = getattr(owner, name), threading.Event()

    def begun(*given: Any, **named: Any) -> Any:
        cancelled.set()
        result = original(*given, **named)
        if name == "resolve":
            time.sleep(5)  # a download
        return result

    def check(_: Any) -> None:
        if cancelled.is_set():
            raise stopping.Cancelled

    monkeypatch.setattr(owner, name, begun)
    monkeypatch.setattr("datasets_app.pulse.Pulse.check", check)
    monkeypatch.setattr("datasets_app.jobs.SAVE_SECONDS", 0.01)
    ended: list[str] = []
    for after in ("modelassist.registry._promote", "modelassist.registry._decline", "modelassist.auditing.usual"):
        module, _, verb = after.rpartition(".")
        monkeypatch.setattr(import_string(module), verb, lambda *_, **__: ended.append("went on"))
    if kind == "audit":
        job = auditing.start(project, project.created_by)
        Job.objects.filter(pk=job.pk).update(params={"hyperparameters": fast | {"epochs": 1}})
    else:
        job = runs.start(project, project.created_by, fast | {"epochs": 1}, search_minutes=int(kind == "search"))
    began = time.monotonic()
    assert done(job).state == "cancelled", job.message
    assert (cancelled.is_set(), ended) == (True, [])
    assert name != "resolve" or time.monotonic() - began < 4


def test_trainings_of_one_project_take_turns(
    project: Project, fast: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, other = (runs.start(project, project.created_by, fast | {"epochs": 1}) for _ in range(3))
    now = timezone.now()
    Job.objects.filter(pk=second.pk).update(state="running", claimed_by="them", started_at=now)
    Job.objects.filter(pk=first.pk).update(state="running", claimed_by="me", started_at=now + timedelta(seconds=1))
    first.refresh_from_db()
    waited = []

    def over(_: float) -> None:
        waited.append(Job.objects.filter(pk=second.pk).update(state="queued"))

    monkeypatch.setattr(runs.time, "sleep", over)
    steps = runs.run(first)
    assert next(steps).note == f"waiting for training {second.pk} of the same project"
    assert next(steps).note == "freezing a dataset version"
    assert waited == [1]
    assert other.state == "queued"  # who waits is in nobody's way
    steps.close()


def test_a_run_that_died_before_the_exam_goes_on_there(
    project: Project, fast: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = runs.start(project, project.created_by, fast | {"epochs": 1})

    def die(_: ModelVersion) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(registry, "challenge", die)
        assert done(job).state == "running"
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert done(job).state == "succeeded"
    assert ModelVersion.objects.get(project=project).state == "production"
    assert DatasetVersion.objects.filter(project=project).count() == 1


def test_a_warm_start_goes_on_from_production_and_knows_a_new_label(
    project: Project, fast: dict[str, Any], production: ModelVersion
) -> None:
    projects.add_labels(project, None, [{"name": "ORG"}])
    knobs = fast | {"epochs": 1, "learning_rate": 1e-6, "warm_start": True}
    job = done(runs.start(project, project.created_by, knobs))
    assert job.state == "succeeded", job.message
    model = ModelVersion.objects.get(job=job)
    assert model.metrics["warm_start"] == production.number
    assert model.labels[-2:] == ["B-ORG", "I-ORG"]
    assert model.metrics["micro"]["f1"] > 0.9  # hardly a step was made: what it knows it was given
    cold = ModelVersion.objects.get(job=done(runs.start(project, project.created_by, knobs | {"warm_start": False})))
    assert cold.metrics["warm_start"] is None
    assert cold.metrics["micro"]["f1"] < 0.5


def test_a_full_disk_is_told_before_anything_is_trained(
    project: Project, fast: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_SIZES", 10**12)
    job = done(runs.start(project, project.created_by, fast))
    assert (job.state, job.result["code"]) == ("failed", "disk_full")
    assert "make room" in job.message


def test_the_run_s_page_shows_the_curve_while_it_runs(client: Any, project: Project, fast: dict[str, Any]) -> None:
    client.force_login(project.created_by)
    job = claimed(runs.start(project, project.created_by, fast | {"epochs": 4}))
    steps = runs.run(job)
    for _ in range(1 + 2 * 5 + 1):
        next(steps)
    page = client.get(f"/runs/{job.pk}/").content.decode()
    assert page.count("<tr><td") == 2
    assert "hx-get" in page
    assert 'class="plot' in client.get(f"/runs/{job.pk}/", headers={"HX-Request": "true"}).content.decode()
    steps.close()
    other = factories.user("stranger")
    client.force_login(other)
    assert client.get(f"/runs/{job.pk}/").status_code == 404


def test_states_of_finished_trainings_are_swept_away(project: Project, fast: dict[str, Any]) -> None:
    old = done(runs.start(project, project.created_by, fast | {"epochs": 1}))
    left = models_folder() / project.slug / f"job-{old.pk}.state"
    left.write_bytes(b"x")
    done(runs.start(project, project.created_by, fast | {"epochs": 1}))
    assert not left.exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_s_training_is_done_by_the_next(worker: Worker, project: Project, fast: dict[str, Any]) -> None:
    fill(project, seed=3, train=300)
    knobs = fast | {"epochs": 12, "patience": 12}
    job = runs.start(project, project.created_by, knobs)

    def reached() -> bool:
        job.refresh_from_db()
        return job.done > 3 or job.state == "failed"

    wait_for(reached, says=worker.log)
    worker.kill()
    assert job.state == "running"
    worker.start()

    def over() -> bool:
        jobs.requeue_stale()
        job.refresh_from_db()
        return job.state not in Job.ACTIVE

    wait_for(over, says=worker.log)
    assert job.state == "succeeded", job.message
    model = ModelVersion.objects.get(project=project)
    assert model.state == "production"
    assert (model.folder / "model.safetensors").is_file()
    assert DatasetVersion.objects.filter(project=project).count() == 1
