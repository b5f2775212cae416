"""Which model is in production: the gate, promotion by hand, rollback."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.errors import Conflict
from labeling.models import Event, Project
from modelassist import registry, runs
from modelassist.models import ModelVersion
from tests.modelassist.conftest import done, fill, registered

pytestmark = pytest.mark.django_db
BAD: dict[str, Any] = {"epochs": 1, "learning_rate": 1e-7}


def states(project: Project) -> dict[int, str]:
    return dict(ModelVersion.objects.filter(project=project).values_list("number", "state"))


def test_a_worse_model_is_not_promoted(project: Project, production: ModelVersion) -> None:
    done(runs.start(project, project.created_by, BAD))
    assert states(project) == {1: "production", 2: "candidate"}
    note = ModelVersion.objects.get(project=project, number=2).promotion
    assert "not better than model-1" in note["reason"]
    assert note["split"] == "test"
    assert note["comparison"]["documents"] == 20
    assert note["comparison"]["difference"] < 0
    assert note["comparison"]["p_value"] > 0.05
    assert Event.objects.filter(project=project, verb="model.declined").count() == 1


def test_a_model_as_good_as_production_is_not_promoted(
    project: Project, production: ModelVersion, fast: dict[str, Any]
) -> None:
    done(runs.start(project, project.created_by, fast))
    assert states(project) == {1: "production", 2: "candidate"}


def test_a_better_model_is_promoted(project: Project, fast: dict[str, Any]) -> None:
    done(runs.start(project, project.created_by, BAD))
    done(runs.start(project, project.created_by, fast))
    assert states(project) == {1: "archived", 2: "production"}
    model = ModelVersion.objects.get(project=project, number=2)
    assert model.promotion["comparison"]["low"] > 0
    assert model.promoted_at is not None
    event = Event.objects.filter(project=project, verb="model.promoted").latest("id")
    assert (event.data["number"], event.data["instead_of"], event.actor) == (2, 1, None)


def test_both_sit_the_same_exam_even_when_it_has_grown(project: Project, fast: dict[str, Any]) -> None:
    done(runs.start(project, project.created_by, BAD))
    fill(project, seed=4, test=7)
    done(runs.start(project, project.created_by, fast))
    model = ModelVersion.objects.get(project=project, number=2)
    assert model.promotion["comparison"]["documents"] == 27
    assert model.state == "production"


def test_a_production_model_without_its_files_gives_way(project: Project, production: ModelVersion) -> None:
    shutil.rmtree(production.folder)
    done(runs.start(project, project.created_by, BAD))
    assert states(project) == {1: "archived", 2: "production"}


def test_promotion_by_hand_and_rollback(project: Project, production: ModelVersion, trained_folder: Path) -> None:
    second = registered(project, trained_folder)
    assert states(project) == {1: "archived", 2: "production"}
    back = registry.promote(production, project.created_by)
    assert (back.state, back.promotion["reason"]) == ("production", "By hand.")
    assert states(project) == {1: "production", 2: "archived"}
    events = Event.objects.filter(project=project, verb="model.promoted")
    before = events.count()
    registry.promote(production, project.created_by)  # once more changes nothing
    assert events.count() == before
    assert events.latest("id").actor == project.created_by
    second.refresh_from_db()
    assert second.promoted_at is not None


def test_a_model_without_files_cannot_be_promoted(project: Project, production: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=production.pk).update(state="archived")
    production.refresh_from_db()
    shutil.rmtree(production.folder)
    with pytest.raises(Conflict, match="are gone"):
        registry.promote(production, project.created_by)
    assert states(project) == {1: "archived"}


def test_another_promotion_meanwhile_wins(project: Project, production: ModelVersion, trained_folder: Path) -> None:
    candidate = registered(project, trained_folder)
    ModelVersion.objects.filter(pk=candidate.pk).update(state="candidate", promotion={})
    ModelVersion.objects.filter(pk=production.pk).update(state="production")
    registry._promote(candidate, None, {"reason": "test"}, instead_of=None)
    assert states(project) == {1: "production", 2: "candidate"}
    candidate.refresh_from_db()
    assert "meanwhile" in candidate.promotion["reason"]


class TestTheDatabaseRefuses:
    def refuses(self, name: str, model: ModelVersion, **fields: Any) -> None:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            ModelVersion.objects.filter(pk=model.pk).update(**fields)

    def test_two_models_in_production(self, project: Project, production: ModelVersion, trained_folder: Path) -> None:
        registered(project, trained_folder)
        self.refuses("model_one_in_production", production, state="production")

    def test_a_number_twice(self, project: Project, production: ModelVersion, trained_folder: Path) -> None:
        registered(project, trained_folder)
        self.refuses("model_number_once", production, number=2)

    def test_a_state_that_does_not_exist(self, production: ModelVersion) -> None:
        self.refuses("model_state_known", production, state="retired", promoted_at=timezone.now())

    def test_production_without_its_date(self, production: ModelVersion) -> None:
        self.refuses("model_promoted_at_fits_state", production, promoted_at=None)
