"""Nightly retraining: who is due, once a night, and no project in another's way."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from datasets_app import jobs
from datasets_app.models import Job
from labeling.models import Annotation, Prediction, Project
from modelassist import nightly, runs
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import FAST, add_open, done, fill

pytestmark = pytest.mark.django_db
TOMORROW = timezone.localtime() + timedelta(days=1)
NIGHT = TOMORROW.replace(hour=2, minute=10, second=0, microsecond=0)


@pytest.fixture
def due(project: Project) -> Project:
    """A project with forty accepted training texts and more, of which thirty make a retraining due."""
    project.retrain_hour, project.retrain_min_new = 2, 30
    project.save()
    return project


def test_a_due_project_is_trained_promoted_and_pre_annotated(due: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelassist.hyperparameters.default_learning_rate", lambda *_: FAST["learning_rate"])
    add_open(due, 3)
    (job,) = nightly.retrain_if_due(NIGHT)
    assert (job.project, job.created_by) == (due, None)
    assert done(job).state == "succeeded", job.message
    assert ModelVersion.objects.get(project=due).state == "production"
    predict = Job.objects.get(project=due, kind="predict")
    assert done(predict).state == "succeeded"
    assert Prediction.objects.filter(document__project=due, model="model-1").count() == 3


def test_once_a_night(due: Project) -> None:
    assert len(nightly.retrain_if_due(NIGHT)) == 1
    assert nightly.retrain_if_due(NIGHT + timedelta(minutes=40)) == []
    assert len(nightly.retrain_if_due(NIGHT + timedelta(days=1))) == 1
    keys = Job.objects.order_by("id").values_list("dedupe_key", flat=True)
    days = [NIGHT, NIGHT + timedelta(days=1)]
    assert list(keys) == [f"retrain:{due.pk}:{day:%Y-%m-%d}" for day in days]


@pytest.mark.parametrize(
    "changes",
    [{"retrain_min_new": 71}, {"retrain_min_new": 0}, {"trashed_at": NIGHT}],
    ids=["too few new", "turned off", "trashed"],
)
def test_who_is_not_due(due: Project, changes: dict[str, Any]) -> None:
    Project.objects.filter(pk=due.pk).update(**changes)
    assert nightly.retrain_if_due(NIGHT) == []


def test_a_missed_night_is_caught_up_once(due: Project) -> None:
    Annotation.objects.update(accepted_at=NIGHT - timedelta(hours=3))
    assert nightly.retrain_if_due(NIGHT - timedelta(minutes=11)) == []  # the hour has not come
    later = NIGHT + timedelta(hours=9)  # nothing ran at night
    assert len(nightly.retrain_if_due(later)) == 1
    assert nightly.retrain_if_due(later + timedelta(minutes=10)) == []
    assert nightly.retrain_if_due(NIGHT + timedelta(hours=23)) == []
    assert Job.objects.get(kind="train").dedupe_key == f"retrain:{due.pk}:{NIGHT:%Y-%m-%d}"
    assert len(nightly.retrain_if_due(NIGHT + timedelta(days=3, hours=4))) == 1  # three nights are one


def test_what_was_accepted_by_day_waits_for_the_night(due: Project) -> None:
    Annotation.objects.update(accepted_at=NIGHT + timedelta(hours=8))
    assert nightly.retrain_if_due(NIGHT + timedelta(hours=9)) == []
    assert len(nightly.retrain_if_due(NIGHT + timedelta(days=1))) == 1


def test_only_what_was_accepted_since_the_last_model_counts(due: Project) -> None:
    done(runs.start(due, due.created_by, {"epochs": 1}))
    assert nightly.retrain_if_due(NIGHT) == []
    fill(due, seed=8, train=29)
    later = timezone.now() + timedelta(minutes=1)
    Annotation.objects.filter(pk__in=Annotation.objects.order_by("-id").values("pk")[:29]).update(accepted_at=later)
    assert nightly.retrain_if_due(NIGHT) == []
    fill(due, seed=9, train=1)
    Annotation.objects.filter(pk=Annotation.objects.latest("pk").pk).update(accepted_at=later)
    assert len(nightly.retrain_if_due(NIGHT)) == 1


def test_a_project_that_cannot_be_trained_is_in_nobody_s_way(
    due: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    only_tests = factories.project(manager=due.created_by, retrain_hour=2, retrain_min_new=1)
    fill(only_tests, test=2)
    broken = factories.project(manager=due.created_by, retrain_hour=2, retrain_min_new=1)
    fill(broken, train=2)
    last = factories.project(manager=due.created_by, retrain_hour=2, retrain_min_new=1)
    fill(last, train=2)
    enqueue = jobs.enqueue

    def fail_for_one(kind: str, **arguments: object) -> Job:
        if arguments["project"] == broken:
            raise RuntimeError("broken")
        return enqueue(kind, **arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "enqueue", fail_for_one)
    assert [job.project for job in nightly.retrain_if_due(NIGHT)] == [due, last]
    assert "RuntimeError: broken" in caplog.text


def test_a_failure_is_shown_on_the_models_page(due: Project, client: Any) -> None:
    Project.objects.filter(pk=due.pk).update(base_model="/no/such/folder")
    (job,) = nightly.retrain_if_due(NIGHT)
    assert done(job).state == "failed"
    client.force_login(due.created_by)
    page = client.get(f"/projects/{due.slug}/models/").content.decode()
    assert "The last training failed on" in page
    assert "/no/such/folder" in page
    Job.objects.filter(pk=job.pk).update(state="succeeded")
    assert "The last training failed" not in client.get(f"/projects/{due.slug}/models/").content.decode()


def test_one_query_finds_the_due(due: Project, query_count) -> None:  # type: ignore[no-untyped-def]
    for _ in range(5):
        fill(factories.project(manager=due.created_by, retrain_hour=2), train=1)
    with query_count() as queries:
        assert list(nightly._due(NIGHT)) == [due]
    assert len(queries) == 1


def test_beat_calls_it(due: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    from modelassist import tasks

    called = []
    monkeypatch.setattr(nightly, "retrain_if_due", lambda: called.append(True))
    assert settings.CELERY_BEAT_SCHEDULE["retrain-if-due"]["task"] == tasks.retrain_if_due.name
    tasks.retrain_if_due()
    assert called == [True]
