"""Which model is in production: the gate, promotion by hand, rollback."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from labeling import predictions
from labeling.errors import Conflict
from labeling.models import Document, Event, Prediction, Project
from modelassist import assistance, registry, runs
from modelassist.decode import Tagset
from modelassist.evaluation import Evaluation, losses
from modelassist.models import ModelVersion
from tests import factories
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


def test_suggestions_are_those_of_the_model_in_use(
    project: Project, production: ModelVersion, trained_folder: Path, client: Client
) -> None:
    """What a text shows, at once after each change, by which models have spoken of it, in this order."""
    texts = {names: factories.document(project, f"Anna met {names} .") for names in ("121", "2", "1p2", "12p")}
    words = {"1": "model-1", "2": "model-2", "p": "patterns"}

    def shown() -> dict[str, str]:
        found = {names: predictions.current(document) for names, document in texts.items()}
        return {names: prediction.model if prediction else "" for names, prediction in found.items()}

    def predict(name: str, document: Document) -> None:
        count = len(document.token_starts)
        predictions.store([predictions.Predicted(document.pk, ["O"] * count, [1.0] * count)], model=words[name])
        Prediction.objects.filter(document=document, model=words[name]).update(created_at=timezone.now())

    for names, document in texts.items():
        for name in names:
            predict(name, document)
    assert shown() == {"121": "model-1", "2": "", "1p2": "patterns", "12p": "patterns"}
    second = registered(project, trained_folder)
    assert shown() == {"121": "model-2", "2": "model-2", "1p2": "model-2", "12p": "patterns"}
    url = f"/api/v1/projects/{project.slug}/documents/{texts['2'].pk}"
    client.force_login(project.created_by)
    assert client.get(url).json()["prediction"]["model"] == "model-2"
    registry.promote(production, project.created_by)
    assert shown() == {"121": "model-1", "2": "", "1p2": "patterns", "12p": "patterns"}
    assert client.get(url).json()["prediction"] is None
    registry.promote(second, project.created_by)
    assert shown()["121"] == "model-2"


def test_an_update_leads_only_while_its_model_is_in_use(
    project: Project, production: ModelVersion, trained_folder: Path
) -> None:
    def in_use() -> list[str]:
        return Project.objects.get(pk=project.pk).models_in_use

    def update(of: int) -> None:
        registry.register(
            project, None, kind=ModelVersion.Kind.UPDATE, dataset_version=production.dataset_version, path="nowhere",
            base_model="model-1", hyperparameters={}, labels=[], metrics={"update": {"of": of}},
        )  # fmt: skip

    update(of=1)
    update(of=1)
    assert in_use() == ["model-3", "model-2", "model-1"]
    newer = registered(project, trained_folder)
    update(of=1)  # it was being made meanwhile
    assert in_use() == ["model-4", "model-3", "model-2", "model-1"]
    update(of=4)
    registry.promote(production, project.created_by)
    assert in_use() == ["model-1"]
    registry.promote(newer, project.created_by)
    assert in_use() == ["model-4", "model-1"]


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


class TestLabelsThatLose:
    """A model that is better on the whole is held back where one label is much worse."""

    TAGSET = Tagset(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))

    def evaluated(self, **found: float) -> Evaluation:
        """An exam of 60 texts with two PER and a LOC, of which these shares were found."""
        gold = ["B-PER", "B-PER", "B-LOC", "O"]
        made = Evaluation(self.TAGSET)
        for number in range(60):
            kept = [tag == "O" or number / 60 < found[tag[2:]] for tag in gold]
            made.add(gold, [tag if keep else "O" for tag, keep in zip(gold, kept, strict=True)])
        return made

    @pytest.fixture
    def exam(self, project: Project, production: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> Any:
        """`exam(challenger, champion)` compares a new model that found such shares with production."""
        model = registry.register(
            project, None, dataset_version=production.dataset_version, base_model="tiny", hyperparameters={},
            labels=list(self.TAGSET.names), metrics={}, path="none",
        )  # fmt: skip

        def sit(challenger: dict[str, float], champion: dict[str, float]) -> ModelVersion:
            answers = {model.pk: self.evaluated(**challenger), production.pk: self.evaluated(**champion)}
            monkeypatch.setattr(registry, "_evaluated", lambda of, *_: answers[of.pk])
            registry.challenge(model)
            model.refresh_from_db()
            return model

        return sit

    def test_it_is_held_back_and_says_why(self, exam: Any) -> None:
        model = exam({"PER": 1.0, "LOC": 0.5}, {"PER": 0.5, "LOC": 0.8})
        assert model.state == "candidate"
        assert "by more than 0.05 worse on LOC (F1 -0.222)" in model.promotion["reason"]
        assert model.promotion["comparison"]["difference"] > 0.1
        rows = {row["label"]: row for row in model.promotion["labels"]}
        assert [rows[label]["held_back"] for label in ("PER", "LOC")] == [False, True]
        assert rows["LOC"]["low"] < rows["LOC"]["difference"] < rows["LOC"]["high"] < 0 < rows["PER"]["low"]

    def test_the_project_sets_the_limit(self, exam: Any, project: Project) -> None:
        assistance.change(project, project.created_by, {"label_drop": 0.3})
        assert exam({"PER": 1.0, "LOC": 0.5}, {"PER": 0.5, "LOC": 0.8}).state == "production"

    def test_a_loss_by_chance_holds_nothing_back(self, exam: Any) -> None:
        model = exam({"PER": 1.0, "LOC": 0.92}, {"PER": 0.5, "LOC": 1.0})
        assert model.promotion["labels"][1]["difference"] < 0
        assert model.state == "production"

    def test_labels_with_few_entities_are_not_judged_alone(self) -> None:
        ours, theirs = Evaluation(self.TAGSET), Evaluation(self.TAGSET)
        for _ in range(19):
            ours.add(["B-LOC"], ["O"])
            theirs.add(["B-LOC"], ["B-LOC"])
        assert losses(ours, theirs) == {}
        ours.add(["B-LOC"], ["O"])
        theirs.add(["B-LOC"], ["B-LOC"])
        assert losses(ours, theirs)["LOC"].difference == 1

    def test_the_page_shows_it(self, exam: Any, client: Any, project: Project) -> None:
        model = exam({"PER": 1.0, "LOC": 0.5}, {"PER": 0.5, "LOC": 0.8})
        client.force_login(project.created_by)
        page = client.get(f"/models/{model.pk}/").content.decode()
        assert page.count("held it back") == 1
