"""Fixtures of the model's tests: a tiny BERT, and one that has learned."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from modelassist.hyperparameters import Hyperparameters
from modelassist.trainer import Progress, Trained, train
from tests.modelassist import tiny

FAST = {"epochs": 6, "learning_rate": 5e-3, "freeze_embeddings": False, "batch_size": 8, "dropout": 0.0}


def run(steps: Generator[Progress, None, Trained]) -> tuple[list[Progress], Trained]:
    """Run a training to its end: its progress and its outcome."""
    seen: list[Progress] = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained tiny BERT."""
    return tiny.build(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="session")
def trained(tiny_bert: Path) -> tuple[list[Progress], Trained]:
    """The progress and the outcome of a training that learned."""
    return run(
        train(
            tiny.sentences(160, seed=1),
            tiny.sentences(40, seed=2),
            labels=["PER", "LOC"],
            base=tiny_bert,
            hyperparameters=Hyperparameters.from_json(FAST),
        )
    )


@pytest.fixture(scope="session")
def trained_folder(trained: tuple[list[Progress], Trained], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model, saved."""
    folder = tmp_path_factory.mktemp("trained")
    trained[1].save(folder)
    return folder


@pytest.fixture
def fast() -> dict[str, Any]:
    """Hyperparameters with which the tiny BERT learns quickly."""
    return dict(FAST)
