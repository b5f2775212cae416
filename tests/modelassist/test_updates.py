"""Learning within the session: what was just taught shows in the next texts, and goes no further."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from datasets_app.models import Job
from labeling import bio
from labeling.errors import Conflict
from labeling.models import Annotation, Prediction, Project
from modelassist import assistance, learning, nightly, registry, runs, updates
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import add_open, done, fill
from tests.workers import Worker, wait_for

pytestmark = pytest.mark.django_db
# A kind of name that no text before has had.
TAUGHT = ["q7x", "q8z", "q9x", "w4z", "z5x", "q6x", "w1z", "z2x", "w3x", "q4z"]
NEXT = "w9x met the city ."


@pytest.fixture
def eager(project: Project, production: ModelVersion) -> Project:
    """A project with a model in production, and the tiny BERT's learning rate for its updates."""
    assistance.change(project, project.created_by, {"update_every": 5})
    return project


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny BERT knows nothing of language: it needs larger steps, and more of it must move."""
    monkeypatch.setattr("modelassist.hyperparameters.default_learning_rate", lambda *_: 5e-3)
    monkeypatch.setattr(updates, "_FROZEN", 0.5)
    monkeypatch.setattr(updates, "STEPS", 32)


def teach(project: Project, count: int, *, at: Any = None) -> None:
    """Accept texts with names of the new kind."""
    for number in range(count):
        text = f"{TAUGHT[number % 10]} visited the city ."
        document = factories.document(project, text, status="accepted")
        Annotation.objects.create(
            document=document, annotator=project.created_by, tags=["B-LOC", "O", "O", "O", "O"],
            state="submitted", accepted=True, submitted_at=timezone.now(), accepted_at=at or timezone.now(),
        )  # fmt: skip


def test_what_was_taught_shows_in_the_next_texts(eager: Project, production: ModelVersion) -> None:
    first = factories.document(eager, NEXT, priority=0.9)
    known = factories.document(eager, "Anna Smith visited Lima .", priority=0.8)
    held_out = factories.document(eager, NEXT, split="test")
    tagger = updates.serving.tagger_for(production)
    assert next(tagger.predict([first.tokens])).tags[0] != "B-LOC"
    teach(eager, 5)
    (job,) = updates.start_due()
    assert done(job).state == "succeeded", job.message
    update = ModelVersion.objects.get(job=job)
    assert job.result == {"model": update.pk, "number": 2, "predicted": 2}
    assert (update.kind, update.state, update.base_model) == ("update", "candidate", "model-1")
    assert update.metrics["update"]["new"] == 5
    assert update.metrics["update"]["replayed"] == 40
    assert update.metrics["update"]["checked"]["documents"] == 10
    assert update.hyperparameters["freeze_layers"] == 1
    found = {row.document_id: row for row in Prediction.objects.filter(model="model-2")}
    assert sorted(found) == [first.pk, known.pk]
    assert bio.spans(found[first.pk].tags) == [bio.Span(0, 1, "LOC")]
    assert bio.spans(found[known.pk].tags) == [bio.Span(0, 2, "PER"), bio.Span(3, 4, "LOC")]  # nothing forgotten
    assert not held_out.predictions.exists()
    assert ModelVersion.objects.get(state="production") == production


def test_frozen_layers_stay_as_they_are(eager: Project, production: ModelVersion) -> None:
    from transformers import BertForTokenClassification

    teach(eager, 5)
    update = ModelVersion.objects.get(job=done(updates.start_due()[0]))
    before, after = (BertForTokenClassification.from_pretrained(m.folder) for m in (production, update))
    same = {name: bool((value == after.state_dict()[name]).all()) for name, value in before.state_dict().items()}
    assert all(same[name] for name in same if ".embeddings." in name or ".layer.0." in name)
    assert not same["bert.encoder.layer.1.output.dense.weight"]
    assert not same["classifier.weight"]


def test_who_is_due(eager: Project) -> None:
    teach(eager, 4)
    assert updates.start_due() == []
    teach(eager, 1)
    assert len(updates.start_due()) == 1
    assert updates.start_due() == []  # one waits
    Job.objects.update(state="failed", finished_at=timezone.now())
    assert updates.start_due() == []  # and one that failed is not tried again before more is accepted
    teach(eager, 5)
    assert len(updates.start_due()) == 1


@pytest.mark.parametrize("why", ["off", "training", "no model", "held out", "long ago", "trashed"])
def test_who_is_not_due(eager: Project, production: ModelVersion, why: str) -> None:
    if why == "held out":
        fill(eager, seed=5, test=6)
    else:
        teach(eager, 6, at=timezone.now() - timedelta(minutes=11) if why == "long ago" else None)
    if why == "off":
        assistance.change(eager, eager.created_by, {"update_every": 0})
    if why == "training":
        runs.start(eager, eager.created_by)
    if why == "no model":
        ModelVersion.objects.filter(pk=production.pk).update(state="archived")
    if why == "trashed":
        Project.objects.filter(pk=eager.pk).update(trashed_at=timezone.now())
    assert updates.start_due() == []


def test_a_project_that_says_nothing_has_the_default(project: Project, production: ModelVersion) -> None:
    teach(project, 9)
    assert updates.start_due() == []
    teach(project, 1)
    assert len(updates.start_due()) == 1


def test_one_query_finds_the_due(eager: Project, query_count) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        fill(factories.project(manager=eager.created_by), train=2)
    with query_count() as queries:
        assert updates.start_due() == []
    assert len(queries) == 1


def test_a_slow_machine_makes_fewer_steps(eager: Project) -> None:
    teach(eager, 5)
    update = ModelVersion.objects.get(job=done(updates.start_due()[0]))
    usual = update.metrics["steps"]
    assert usual >= updates.STEPS / 2
    ModelVersion.objects.filter(pk=update.pk).update(metrics={**update.metrics, "seconds": 3 * updates.SECONDS})
    teach(eager, 5)
    next_one = ModelVersion.objects.get(job=done(updates.start_due()[0]))
    assert next_one.metrics["steps"] <= usual / 2


def test_it_yields_to_a_training(eager: Project) -> None:
    teach(eager, 5)
    (job,) = updates.start_due()
    runs.start(eager, eager.created_by)
    assert "superfluous" in done(job).result["reason"]
    assert not ModelVersion.objects.filter(kind="update").exists()


def test_one_that_is_worse_is_not_used(eager: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    open_text = add_open(eager, 1)[0]
    monkeypatch.setattr("modelassist.hyperparameters.default_learning_rate", lambda *_: 0.1)
    teach(eager, 5)
    assert "worse than model-1" in done(updates.start_due()[0]).result["reason"]
    assert not open_text.predictions.exists()
    assert not ModelVersion.objects.filter(kind="update").exists()


def test_it_is_never_promoted(eager: Project, api) -> None:  # type: ignore[no-untyped-def]
    teach(eager, 5)
    update = ModelVersion.objects.get(job=done(updates.start_due()[0]))
    with pytest.raises(Conflict, match="for suggestions only"):
        registry.promote(update, eager.created_by)
    answer = api(eager.created_by).post(f"/api/v1/models/{update.pk}/promotion")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "update_not_for_production")


def test_the_next_one_and_the_next_training_replace_it(eager: Project, fast: dict[str, Any]) -> None:
    made = []
    for _ in range(2):
        teach(eager, 5)
        made.append(ModelVersion.objects.get(job=done(updates.start_due()[0])))
    made[0].refresh_from_db()
    assert made[0].pruned_at is not None
    assert not made[0].folder.exists()
    assert made[1].folder.is_dir()
    assert [row["number"] for row in learning.curve(eager)] == [1]
    done(runs.start(eager, eager.created_by, fast | {"epochs": 1, "learning_rate": 1e-7, "warm_start": True}))
    trained = ModelVersion.objects.get(number=4)
    made[1].refresh_from_db()
    assert made[1].pruned_at is None  # production is the same: it still serves the session
    registry.promote(trained, eager.created_by)
    made[1].refresh_from_db()
    assert made[1].pruned_at is not None
    assert not made[1].folder.exists()


def test_a_new_label_can_be_taught(eager: Project) -> None:
    from labeling import projects

    projects.add_labels(eager, None, [{"name": "ORG"}])
    teach(eager, 5)
    for gold in Annotation.objects.filter(document__text__endswith=" visited the city ."):
        gold.tags = ["B-ORG", *gold.tags[1:]]
        gold.save()
    text = factories.document(eager, NEXT)
    done(updates.start_due()[0])
    assert bio.spans(text.predictions.get(model="model-2").tags) == [bio.Span(0, 1, "ORG")]


def test_night_counts_from_the_last_training(eager: Project, production: ModelVersion) -> None:
    eager.retrain_hour, eager.retrain_min_new = 2, 7
    eager.save()
    teach(eager, 5)
    done(updates.start_due()[0])
    tomorrow = timezone.localtime() + timedelta(days=1)
    assert not nightly._due(tomorrow).exists()
    teach(eager, 2)
    assert nightly._due(tomorrow).get() == eager


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_s_update_is_done_by_the_next(eager: Project, worker: Worker) -> None:
    text = add_open(eager, 1)[0]
    teach(eager, 5)
    (job,) = updates.start_due()
    wait_for(lambda: Job.objects.get(pk=job.pk).state != "queued", says=worker.log)
    worker.kill()
    worker.start()

    def over() -> bool:
        updates.jobs.requeue_stale()
        return Job.objects.get(pk=job.pk).state not in Job.ACTIVE

    wait_for(over, says=worker.log)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    assert text.predictions.filter(model="model-2").count() == (1 if "model" in job.result else 0)


def test_beat_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from modelassist import tasks

    called = []
    monkeypatch.setattr(updates, "start_due", lambda: called.append(True))
    assert settings.CELERY_BEAT_SCHEDULE["update-if-due"]["task"] == tasks.update_if_due.name
    tasks.update_if_due()
    assert called == [True]
