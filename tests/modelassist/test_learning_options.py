"""Options of a training: each learns, changes what it is meant to change, and a killed one ends as the other."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelassist.checkpoint import Checkpoint
from modelassist.hyperparameters import Hyperparameters
from modelassist.optimizer import Optimizer, Sample, tag_weights
from modelassist.trainer import train
from tests.modelassist import tiny
from tests.modelassist.conftest import FAST, run
from tests.modelassist.test_trainer import LABELS, fit, weights

EXAMPLES, VALIDATION = tiny.sentences(60, seed=1), tiny.sentences(20, seed=2)


@pytest.mark.parametrize(
    "option",
    [{"adversarial": "fgm"}, {"adversarial": "pgd", "adversarial_steps": 2}, {"class_weights": "balanced"},
     {"layer_decay": 0.8}, {"accumulation": 2}, {"mention_replacement": 0.5, "segment_shuffle": 0.2},
     {"token_replacement": 0.2, "augmented_copies": 2}, {"transitions": "learned"},
     {"adversarial": "fgm", "transitions": "learned"}],
    ids=str,
)  # fmt: skip
def test_every_option_learns_and_repeats_itself(tiny_bert: Path, option: dict[str, Any]) -> None:
    knobs = FAST | {"epochs": 8} | option
    result = fit(tiny_bert, EXAMPLES, VALIDATION, **knobs)
    assert result.best_f1 is not None
    assert result.best_f1 > 0.8, option
    plain = fit(tiny_bert, EXAMPLES, **(FAST | {"epochs": 1}))
    short = fit(tiny_bert, EXAMPLES, **(knobs | {"epochs": 1}))
    assert not torch.equal(weights(plain), weights(short))
    assert torch.equal(weights(short), weights(fit(tiny_bert, EXAMPLES, **(knobs | {"epochs": 1}))))


def test_augmentation_makes_more_steps_and_accumulation_fewer(tiny_bert: Path) -> None:
    def steps(**option: Any) -> int:
        return fit(tiny_bert, EXAMPLES, batch_size=8, **option).steps

    assert steps() == 8
    assert steps(accumulation=4) == 2
    assert steps(mention_replacement=0.5) > 12


def test_layers_nearer_to_the_input_learn_more_slowly(trained) -> None:  # type: ignore[no-untyped-def]
    model = trained[1].model
    chosen = Hyperparameters(layer_decay=0.5, freeze_embeddings=False, learning_rate=1.0)
    groups = Optimizer(model, None, chosen, steps=1).adam.param_groups
    shares = {id(value): group["share"] for group in groups for value in group["params"]}
    assert len(shares) == len(list(model.parameters()))
    assert shares[id(model.classifier.weight)] == 1.0
    assert shares[id(model.bert.encoder.layer[1].output.dense.weight)] == 0.5
    assert shares[id(model.bert.encoder.layer[0].output.dense.weight)] == 0.25
    assert shares[id(model.bert.embeddings.word_embeddings.weight)] == 0.125


def test_rare_tags_weigh_more() -> None:
    samples = [Sample(np.zeros(4), np.array([0, 0, 0, 1])), Sample(np.zeros(4), np.array([-100, 0, 0, 0]))]
    found = tag_weights(samples, 3)
    assert found[1] > 1 > found[0]
    assert float((found * torch.tensor([6.0, 1.0, 0.0])).sum()) == pytest.approx(7)
    assert found[2] <= 10


@pytest.mark.parametrize("transitions", ["fixed", "learned"])
@pytest.mark.parametrize("killed_after", [3, 8, 17, 29])
def test_a_killed_training_ends_with_the_same_model(
    tiny_bert: Path, tmp_path: Path, killed_after: int, transitions: str
) -> None:
    knobs = Hyperparameters.from_json(FAST | {"epochs": 4, "dropout": 0.1, "transitions": transitions})

    def start(checkpoint: Checkpoint | None = None):  # type: ignore[no-untyped-def]
        return train(EXAMPLES, VALIDATION, labels=LABELS, base=tiny_bert, hyperparameters=knobs, checkpoint=checkpoint)

    whole = run(start())[1]
    path = tmp_path / "job.state"
    first = start(Checkpoint(path, key="x", every=0))
    seen = list(itertools.islice(first, killed_after))
    del first  # its process is gone; only the file is left
    progress, resumed = run(start(Checkpoint(path, key="x", every=0)))
    assert progress[0].step == seen[-1].step + 1
    assert torch.equal(weights(whole), weights(resumed))
    assert whole.curve == resumed.curve
    assert (whole.best_epoch, whole.temperature, whole.steps) == (
        resumed.best_epoch,
        resumed.temperature,
        resumed.steps,
    )


def test_a_state_of_another_training_is_left_aside(tiny_bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "job.state"
    Checkpoint(path, key="one").save({"step": 1})
    assert Checkpoint(path, key="other").load() is None
    assert Checkpoint(path, key="one").load() == {"key": "one", "step": 1}
    Checkpoint(path, key="one").remove()
    assert Checkpoint(path, key="one").load() is None
    assert not Checkpoint(path, key="one").due
