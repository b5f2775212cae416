"""Two real processes that train one network together: the model of one, told and saved once."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from labeling.errors import Unavailable
from labeling.models import Event, Project
from modelassist import runs, team, trainer
from modelassist.hyperparameters import Hyperparameters
from modelassist.models import ModelVersion, models_folder
from modelassist.trainer import Trained
from tests.modelassist import tiny
from tests.modelassist.conftest import FAST, done, run

KNOBS = FAST | {"epochs": 2, "learning_rate": 1e-3}


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full precision in every process, or else rounding to bfloat16 would hide what is wrong."""
    monkeypatch.setattr("modelassist.optimizer.precision", lambda _: torch.float32)
    monkeypatch.setattr(team, "MEMBER", "tests.modelassist.exact_member")


def training(base: Path, processes: int) -> Any:
    return trainer.train(
        tiny.sentences(41, seed=1), tiny.sentences(20, seed=2), labels=["PER", "LOC"], base=base,
        hyperparameters=Hyperparameters.from_json(KNOBS), device="cpu", processes=processes,
    )  # fmt: skip


def test_two_processes_make_the_model_of_one(tiny_bert: Path) -> None:
    threads, environment = torch.get_num_threads(), dict(os.environ)
    found: list[Trained] = []
    for processes in (1, 2):
        progress, trained = run(training(tiny_bert, processes))
        assert len(progress) == 12  # of 41 texts by eight, the last batch has one: nothing for the second process
        found.append(trained)
    one, two = found
    for own, theirs in zip(one.curve, two.curve, strict=True):
        assert own["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
        assert own["f1"] == pytest.approx(theirs["f1"], abs=0.02)
    texts = [tokens for tokens, _ in tiny.sentences(20, seed=3)]
    sure = [
        [float(each) for tagging in trained.tagger().predict(texts) for each in tagging.confidences]
        for trained in found
    ]
    assert sure[0] == pytest.approx(sure[1], abs=0.02)
    assert (torch.get_num_threads(), dict(os.environ)) == (threads, environment)
    assert not torch.distributed.is_initialized()


@pytest.mark.django_db
def test_what_comes_of_it_is_told_saved_and_judged_once(project: Project, fast: dict[str, Any], settings: Any) -> None:
    settings.TRAINING_PROCESSES = 2
    job = done(runs.start(project, project.created_by, fast))
    assert job.state == "succeeded", job.message
    model = ModelVersion.objects.get(project=project)
    assert (model.state, model.metrics["steps"]) == ("production", job.total)
    assert model.metrics["micro"]["f1"] > 0.8
    assert [path.name for path in (models_folder() / project.slug).iterdir()] == [f"job-{job.pk}"]
    verbs = list(Event.objects.filter(project=project, verb__startswith="model.").values_list("verb", flat=True))
    assert sorted(verbs) == ["model.promoted", "model.registered"]


def test_one_that_breaks_off_is_told_and_leaves_nothing(tiny_bert: Path) -> None:
    steps = training(tiny_bert, 2)
    next(steps)
    (other,) = steps.gi_frame.f_locals["together"].others
    other.kill()
    other.wait()
    with pytest.raises(Unavailable, match="A process that trained along broke off"):
        run(steps)
    assert not torch.distributed.is_initialized()
