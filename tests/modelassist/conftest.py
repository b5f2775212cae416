"""Fixtures of the model's tests: a tiny BERT, and one that has learned."""

import shutil
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from datasets_app import jobs, versions
from datasets_app.models import Job
from labeling.models import Annotation, Document, Project
from modelassist import registry
from modelassist.hyperparameters import Hyperparameters
from modelassist.models import ModelVersion
from modelassist.trainer import Progress, Trained, train
from tests import factories
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


def fill(project: Project, *, seed: int = 0, **splits: int) -> None:
    """Add accepted sentences: `fill(project, train=60, test=20)`."""
    for split, count in splits.items():
        texts = tiny.sentences(count, seed=hash_of(split, seed))
        documents = [factories.document(project, " ".join(tokens), split=split) for tokens, _ in texts]
        annotations = [
            Annotation(
                document=document, annotator=project.created_by, tags=tags, state="submitted", accepted=True,
                submitted_at=timezone.now(), accepted_at=timezone.now(), accepted_by=project.created_by,
            )
            for document, (_, tags) in zip(documents, texts, strict=True)
        ]  # fmt: skip
        Annotation.objects.bulk_create(annotations)
        Document.objects.filter(pk__in=[document.pk for document in documents]).update(status="accepted")


def add_open(project: Project, count: int, *, split: str = "train", seed: int = 50) -> list[Document]:
    """Add sentences that nobody has labeled."""
    return [factories.document(project, " ".join(t), split=split) for t, _ in tiny.sentences(count, seed=seed)]


def hash_of(split: str, seed: int) -> int:
    """A seed of its own for each split."""
    return 1000 * seed + ["train", "validation", "test"].index(split)


def done(job: Job) -> Job:
    """Run a job in this process and read it again."""
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def registered(project: Project, folder: Path) -> ModelVersion:
    """A copy of a trained model, registered and in production, without the training."""
    model = registry.register(
        project,
        None,
        dataset_version=versions.freeze_now(project, None, reuse=True),
        base_model="tiny",
        hyperparameters={},
        labels=["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
        metrics={"evaluated_on": "test", "micro": {"f1": 1.0}},
        path=f"{project.slug}/copy-{ModelVersion.objects.count()}-{uuid.uuid4().hex}",
    )
    shutil.copytree(folder, model.folder)
    return registry.promote(model, project.created_by)


@pytest.fixture
def manager(db: None) -> User:
    """A project's manager."""
    return factories.user("mara")


@pytest.fixture
def project(manager: User, tiny_bert: Path) -> Project:
    """A project whose base model is the tiny BERT, with labeled sentences."""
    made = factories.project(manager=manager, base_model=str(tiny_bert))
    fill(made, train=40, validation=10, test=20)
    return made


@pytest.fixture
def production(project: Project, trained_folder: Path) -> ModelVersion:
    """A model in production that knows its work."""
    return registered(project, trained_folder)
