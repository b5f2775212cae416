"""The files of models: what a project's policy keeps, and what becomes of a model without its files."""

from pathlib import Path
from typing import Any

import pytest

from labeling.errors import Conflict
from labeling.models import Event, Project, Role
from modelassist import artifacts, assistance, exams, registry, runs
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.conftest import done, registered

pytestmark = pytest.mark.django_db


@pytest.fixture
def four(project: Project, trained_folder: Path) -> list[ModelVersion]:
    """Four models, of which the last is in production."""
    return [registered(project, trained_folder) for _ in range(4)]


def without_files(project: Project) -> list[int]:
    rows = ModelVersion.objects.filter(project=project).order_by("number")
    assert all(row.folder.is_dir() == (row.pruned_at is None) for row in rows)
    return [row.number for row in rows if row.pruned_at]


def keep(project: Project, count: int) -> None:
    assistance.change(project, project.created_by, {"keep_models": count})


def test_the_policy(project: Project, four: list[ModelVersion]) -> None:
    assert artifacts.prune(project) == []
    keep(project, 0)
    assert artifacts.prune(project) == []
    keep(project, 1)
    assert [model.number for model in artifacts.prune(project)] == [2, 1]
    assert without_files(project) == [1, 2]
    assert Event.objects.filter(verb="model.pruned").count() == 2
    assert artifacts.prune(project) == []


def test_pinned_ones_and_the_one_to_roll_back_to_are_kept(project: Project, four: list[ModelVersion]) -> None:
    registry.promote(four[0], project.created_by)
    registry.promote(four[3], project.created_by)  # so that the first was in production last
    registry.pin(four[1], project.created_by, pinned=True)
    keep(project, 1)
    artifacts.prune(project)
    assert without_files(project) == []
    registry.pin(four[1], project.created_by, pinned=False)
    artifacts.prune(project)
    assert without_files(project) == [2]
    assert registry.promote(four[0], project.created_by).state == "production"


def test_other_projects_are_left_alone(project: Project, four: list[ModelVersion]) -> None:
    other = factories.project(manager=project.created_by)
    keep(other, 1)
    artifacts.prune(other)
    assert without_files(project) == []


def test_figures_stay_and_files_are_told_to_be_gone(project: Project, four: list[ModelVersion], api, client) -> None:  # type: ignore[no-untyped-def]
    keep(project, 1)
    artifacts.prune(project)
    rest = api(project.created_by)
    at = f"/api/v1/models/{four[0].pk}"
    shown = rest.get(at).json()
    assert shown["metrics"]["micro"] == {"f1": 1.0}
    assert shown["pruned_at"] is not None
    for call in (
        lambda: rest.get(f"{at}/export"),
        lambda: rest.post(f"{at}/promotion"),
        lambda: rest.patch(at, {"pinned": True}, format="json"),
    ):
        answer = call()
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "model_files_gone")
        assert "were removed on" in answer.json()["error"]["message"]
    client.force_login(project.created_by)
    assert "Its files were removed on" in client.get(f"/models/{four[0].pk}/").content.decode()


def test_a_pruned_model_cannot_be_put_into_production_by_any_way(project: Project, four: list[ModelVersion]) -> None:
    from django.db import IntegrityError, transaction

    keep(project, 1)
    artifacts.prune(project)
    four[0].refresh_from_db()
    with pytest.raises(IntegrityError, match="model_in_production_has_files"), transaction.atomic():
        ModelVersion.objects.filter(pk=four[3].pk).update(pruned_at=four[0].pruned_at)
    with pytest.raises(Conflict, match="were removed"):
        registry.promote(four[0], project.created_by)


def test_pinning_over_rest(project: Project, four: list[ModelVersion], api) -> None:  # type: ignore[no-untyped-def]
    at = f"/api/v1/models/{four[0].pk}"
    manager = api(project.created_by)
    for _ in range(2):
        assert manager.patch(at, {"pinned": True}, format="json").json()["pinned"] is True
    assert Event.objects.filter(verb="model.pinned").count() == 1
    assert manager.patch(at, {"pinned": "maybe"}, format="json").status_code == 400
    reviewer = api(factories.member(project, role=Role.REVIEWER))
    assert reviewer.patch(at, {"pinned": False}, format="json").status_code == 403
    assert api(factories.user()).patch(at, {"pinned": False}, format="json").status_code == 404


def test_a_training_prunes(project: Project, four: list[ModelVersion], fast: dict[str, Any]) -> None:
    keep(project, 1)
    left = four[0].folder.parent / "job-999999.partial-abc"
    left.mkdir()
    assert (
        done(runs.start(project, project.created_by, fast | {"epochs": 1, "learning_rate": 1e-7})).state == "succeeded"
    )
    assert without_files(project) == [1, 2]  # the third is the one to roll back to
    assert not left.exists()


def test_what_was_half_removed_is_removed(project: Project, four: list[ModelVersion], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    keep(project, 1)
    with monkeypatch.context() as patch:
        patch.setattr(artifacts.shutil, "rmtree", lambda *_, **__: None)
        artifacts.prune(project)
    assert four[0].folder.is_dir()
    artifacts.prune(project)
    assert without_files(project) == [1, 2]


def test_comparing_needs_no_files(project: Project, fast: dict[str, Any]) -> None:
    for _ in range(4):
        done(runs.start(project, project.created_by, fast | {"epochs": 1, "learning_rate": 1e-7}))
    keep(project, 1)
    artifacts.prune(project)
    first, second = ModelVersion.objects.filter(project=project, number__in=(2, 3)).order_by("number")
    assert first.pruned_at is not None
    assert exams.compare(second, first)["comparison"]["documents"] == 20
