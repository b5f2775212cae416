"""The search for hyperparameters: within its time, behind a kill, with the best options at the end."""

from typing import Any

import pytest

from datasets_app.models import Job
from labeling.errors import Invalid, Unavailable
from labeling.models import Project
from modelassist import runs, search
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import done, fill

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock on which each look takes four seconds, so that a minute holds a few trials."""
    now = [0.0]

    def tick() -> float:
        now[0] += 4.0
        return now[0]

    monkeypatch.setattr(search.time, "monotonic", tick)
    return now


def started(project: Project, fast: dict[str, Any], minutes: int = 1) -> Job:
    fixed = {name: fast[name] for name in ("freeze_embeddings", "learning_rate")}
    return runs.start(project, project.created_by, {**fixed, "epochs": 1}, search_minutes=minutes)


def test_the_best_of_some_trials_makes_the_model(project: Project, fast: dict[str, Any], client: Any) -> None:
    job = done(started(project, fast, minutes=2))
    assert job.state == "succeeded", job.message
    model = ModelVersion.objects.get(job=job)
    found = model.metrics["search"]
    assert found["minutes"] == 2
    trials = found["trials"]
    assert len(trials) > 2
    assert [trial["f1"] for trial in trials] == sorted((trial["f1"] for trial in trials), reverse=True)
    assert sum(trial["options"] == {} for trial in trials) == 1  # the defaults were tried
    others = [trial["options"] for trial in trials if trial["options"]]
    assert all(set(o) == {"batch_size", "dropout", "layer_decay", "weight_decay", "label_smoothing"} for o in others)
    assert len({options["dropout"] for options in others}) == len(others)
    for name, value in trials[0]["options"].items():
        assert model.hyperparameters[name] == value
    assert model.hyperparameters["learning_rate"] == fast["learning_rate"]  # what the person chose stays
    client.force_login(project.created_by)
    page = client.get(f"/runs/{job.pk}/").content.decode()
    assert page.count("the defaults") == 1
    assert "Trials of the search" in page


def test_a_killed_search_goes_on_behind_its_last_trial(project: Project, fast: dict[str, Any]) -> None:
    job = started(project, fast, minutes=2)
    Job.objects.filter(pk=job.pk).update(state="running", claimed_by="me")
    job.refresh_from_db()
    steps = runs.run(job)
    while len((job.cursor or {}).get("trials", [])) < 2:
        next(steps)
    steps.close()
    kept = Job.objects.get(pk=job.pk).cursor["trials"]
    assert len(kept) == 2
    assert len(Job.objects.get(pk=job.pk).result["trials"]) == 2
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert done(job).state == "succeeded", job.message
    trials = ModelVersion.objects.get(job=job).metrics["search"]["trials"]
    assert len(trials) > 2
    assert all(trial in trials for trial in kept)


def test_hopeless_trials_are_given_up_half_way() -> None:
    ended = [{"f1": f1, "complete": True} for f1 in (0.5, 0.6, 0.7)]
    curve = [{"f1": 0.1}, {"f1": 0.2}]
    assert search._hopeless(curve, 4, ended)
    assert not search._hopeless(curve, 5, ended)
    assert not search._hopeless([{"f1": 0.55}] * 2, 4, ended)
    assert not search._hopeless(curve, 4, ended[:2])


def test_what_is_refused_at_once(project: Project, manager: Any, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match="search_minutes"):
        runs.start(project, manager, search_minutes=5000)
    path = f"/api/v1/projects/{project.slug}/models"
    assert api(manager).post(path, {"search_minutes": -1}, format="json").status_code == 400
    unjudged = factories.project(manager=manager)
    fill(unjudged, train=2)
    with pytest.raises(Invalid, match="validation"):
        runs.start(unjudged, manager, search_minutes=1)
    monkeypatch.setattr(search, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="goldset\\[tune\\]"):
        runs.start(project, manager, search_minutes=1)
    assert not Job.objects.exists()
