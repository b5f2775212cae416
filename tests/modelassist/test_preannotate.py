"""Pre-annotation writes a prediction for each pending text and orders the queue."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from datasets_app import jobs
from datasets_app.models import Duplicate, Job
from labeling import bio
from labeling.errors import Conflict, Invalid
from labeling.models import Annotation, Document, Event, Label, Prediction, Project
from modelassist import assistance, diversity, preannotate, prioritize
from modelassist.models import ModelVersion, Uncertainty
from modelassist.strategies import BALD, STRATEGIES
from modelassist.tagger import Tagger
from tests import factories
from tests.modelassist.conftest import add_open, done, registered
from tests.workers import Worker, wait_for

pytestmark = pytest.mark.django_db


def rows(project: Project) -> list[tuple[int, str, list[str], list[float]]]:
    found = Prediction.objects.filter(document__project=project).order_by("document_id", "model")
    return list(found.values_list("document_id", "model", "tags", "confidences"))


def test_every_pending_text_gets_one_prediction(project: Project, production: ModelVersion) -> None:
    documents = add_open(project, 30) + add_open(project, 5, split="test", seed=51)
    long = factories.document(project, " ".join(["Anna Smith visited Lima ."] * 100))
    strange = factories.document(project, "\ufe0f [SEP] \u200b 😀 x" + "y" * 300)
    archived = factories.document(project, "Bob left .", archived_at="2026-01-01T00:00Z")
    job = done(preannotate.start(project, project.created_by))
    assert job.state == "succeeded", job.message
    assert job.result == {"model": production.pk, "predicted": 37, "prioritized": 32}
    assert (job.done, job.total) == (37, 37)
    written = rows(project)
    assert [row[0] for row in written] == sorted(d.pk for d in [*documents, long, strange])
    assert archived.pk not in [row[0] for row in written]
    for document, (_, model, tags, confidences) in zip(
        Document.objects.filter(pk__in=[row[0] for row in written]).order_by("id"), written, strict=True
    ):
        assert model == "model-1"
        assert len(tags) == len(confidences) == len(document.tokens)
        assert bio.illegal_index(tags) is None
        assert all(0 <= value <= 1 for value in confidences)


def test_once_more_writes_nothing_but_what_is_new(project: Project, production: ModelVersion) -> None:
    add_open(project, 4)
    done(preannotate.start(project, project.created_by))
    before = rows(project)
    (new,) = add_open(project, 1, seed=77)
    job = done(preannotate.start(project, project.created_by))
    assert job.result["predicted"] == 1
    assert [row for row in rows(project) if row[0] != new.pk] == before


def test_a_new_model_predicts_beside_the_old_one(
    project: Project, production: ModelVersion, trained_folder: Path
) -> None:
    add_open(project, 3)
    done(preannotate.start(project, project.created_by))
    registered(project, trained_folder)
    done(preannotate.start(project, project.created_by))
    assert [row[1] for row in rows(project)] == ["model-1", "model-2"] * 3


def test_a_waiting_job_is_given_instead_of_a_second(project: Project, production: ModelVersion) -> None:
    first = preannotate.start(project, project.created_by)
    assert preannotate.start(project, project.created_by).pk == first.pk
    done(first)
    assert preannotate.start(project, project.created_by).pk != first.pk


def test_without_a_model_it_is_refused(project: Project) -> None:
    with pytest.raises(Conflict, match="no model in production"):
        preannotate.start(project, project.created_by)
    assert not Job.objects.exists()


def test_a_label_that_is_gone_is_not_suggested(project: Project, production: ModelVersion) -> None:
    other = factories.project(manager=project.created_by, labels=("LOC",))
    ModelVersion.objects.filter(pk=production.pk).update(project=other)
    add_open(other, 20)
    job = done(preannotate.start(other, project.created_by))
    assert job.state == "succeeded", job.message
    labels = {bio.label_of(tag) for row in rows(other) for tag in row[2]}
    assert labels == {"", "LOC"}
    assert not Label.objects.filter(project=other, name="PER").exists()


def test_a_run_that_broke_off_goes_on_behind_the_last_page(
    project: Project, production: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preannotate, "PAGE_DOCUMENTS", 4)
    add_open(project, 10)
    stored = preannotate._store_uncertainty
    pages = 0

    def die_on_the_second(*arguments: object) -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise OperationalError
        stored(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preannotate, "_store_uncertainty", die_on_the_second)
    job = done(preannotate.start(project, project.created_by))
    assert (job.state, job.done) == ("running", 4)
    assert len(rows(project)) == 4  # the broken page left nothing behind
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert done(job).result["predicted"] == 10
    assert len(rows(project)) == 10
    assert Uncertainty.objects.count() == 10


def test_a_text_on_which_the_network_breaks_keeps_no_other_back(
    project: Project, production: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, last = add_open(project, 3)
    predict = Tagger.predict

    def breaking(self: Tagger, documents: Any, **more: Any) -> Any:
        for tokens in documents:
            if tokens == bad.tokens:
                raise RuntimeError("it broke")
            yield from predict(self, [tokens], **more)

    monkeypatch.setattr(Tagger, "predict", breaking)
    job = done(preannotate.start(project, project.created_by))
    assert (job.state, job.result["predicted"], job.error_count) == ("succeeded", 2, 1)
    assert [row[0] for row in rows(project)] == [good.pk, last.pk]
    told = job.errors.get()
    assert (told.line, told.code) == (bad.pk, "prediction_failed")
    assert "it broke" in told.message
    job = done(preannotate.start(project, project.created_by))  # now it is the only one that lacks suggestions
    assert (job.state, job.result["predicted"], job.error_count) == ("succeeded", 0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_s_job_ends_with_the_same_rows(
    worker: Worker, project: Project, production: ModelVersion
) -> None:
    text = " ".join(["Anna Smith visited Lima Gate and left ."] * 12)
    documents = [factories.document(project, f"{text} {number}") for number in range(900)]
    job = preannotate.start(project, project.created_by)

    def begun() -> bool:
        job.refresh_from_db()
        return job.done > 0 or job.state == "failed"

    wait_for(begun, says=worker.log)
    worker.kill()
    job.refresh_from_db()
    assert (job.state, 0 < job.done < 900) == ("running", True)
    assert len(rows(project)) == job.done
    worker.start()

    def over() -> bool:
        jobs.requeue_stale()
        job.refresh_from_db()
        return job.state not in Job.ACTIVE

    wait_for(over, says=worker.log)
    assert (job.state, job.result["predicted"]) == ("succeeded", 900), job.message
    written = rows(project)
    assert [row[0] for row in written] == [document.pk for document in documents]
    assert Uncertainty.objects.count() == 900
    sample = documents[::60]  # of before, at and after the place where it broke off
    undisturbed = Tagger.load(production.folder).predict(document.tokens for document in sample)
    assert [row[2] for row in written[::60]] == [tagging.tags for tagging in undisturbed]


class TestOrder:
    @pytest.mark.parametrize("strategy", [*STRATEGIES])
    def test_unsure_texts_come_first(self, project: Project, production: ModelVersion, strategy: str) -> None:
        assistance.change(project, project.created_by, {"random_share": 0})
        Project.objects.filter(pk=project.pk).update(query_strategy=strategy)
        project.refresh_from_db()
        sure = factories.document(project, "Anna Smith visited Lima .", priority=0.9)
        unsure = factories.document(project, "Zzyzx qwv Smith Lima 7 !", priority=0.1)
        done(preannotate.start(project, project.created_by))
        first = Document.objects.filter(project=project, status="pending").order_by("-priority").first()
        assert first == unsure
        sure.refresh_from_db()
        scores = Uncertainty.objects.get(document=sure).scores
        assert strategy in scores
        assert sure.priority == 0

    def test_held_out_and_labeled_texts_keep_their_place(self, project: Project, production: ModelVersion) -> None:
        held_out = add_open(project, 3, split="validation") + add_open(project, 3, split="test")
        done(preannotate.start(project, project.created_by))
        for document in Document.objects.filter(pk__in=[d.pk for d in held_out]):
            assert document.priority == 0.5
        assert not Document.objects.filter(project=project, status="accepted").exclude(priority=0.5).exists()

    def test_random_is_random(self, project: Project, production: ModelVersion) -> None:
        project.query_strategy = "random"
        project.save()
        add_open(project, 10)
        done(preannotate.start(project, project.created_by))
        priorities = set(Document.objects.filter(project=project, status="pending").values_list("priority", flat=True))
        assert len(priorities) == 10
        assert all(0 <= value < 1 for value in priorities)

    def test_one_statement_whatever_the_size(self, project: Project, production: ModelVersion, query_count) -> None:  # type: ignore[no-untyped-def]
        with query_count() as queries:
            prioritize.apply(project, production)
        assert len(queries) == 5  # the settings, the order and its event, in a savepoint
        assert Event.objects.filter(verb="queue.prioritized").count() == 1

    def test_a_slice_stays_in_random_order(self, project: Project, production: ModelVersion) -> None:
        assistance.change(project, project.created_by, {"random_share": 0.5})
        documents = add_open(project, 60)
        done(preannotate.start(project, project.created_by))
        scores = dict(Uncertainty.objects.values_list("document", "scores"))
        ordered = list(Document.objects.filter(pk__in=[d.pk for d in documents]).order_by("-priority"))
        by_score = sorted(documents, key=lambda d: -scores[d.pk]["least_confidence"])
        assert [d.pk for d in ordered] != [d.pk for d in by_score]
        top = {d.pk for d in by_score[:30]}
        assert sum(d.pk in top for d in ordered[:30]) > 15  # the strategy still leads
        chosen = {document.pk: document.chosen for document in ordered}
        assert 15 < sum(chosen.values()) < 45
        led = [d.pk for d in ordered if chosen[d.pk]]
        assert led == [d.pk for d in by_score if chosen[d.pk]]  # these alone are in the strategy's order
        prioritize.apply(project, production)
        again = dict(Document.objects.filter(pk__in=chosen).values_list("pk", "chosen"))
        assert again == chosen  # a text is in the slice for good
        Project.objects.filter(pk=project.pk).update(query_strategy="random")
        project.refresh_from_db()
        prioritize.apply(project, production)
        assert not Document.objects.filter(project=project, chosen=True).exists()

    def test_rare_labels_and_near_duplicates(self, project: Project, production: ModelVersion) -> None:
        settings = {"random_share": 0, "rare_label_boost": 10, "diversity": True}
        assistance.change(project, project.created_by, settings)
        Annotation.objects.filter(tags__contains=["B-LOC"]).update(accepted=False, accepted_at=None)
        place = factories.document(project, "mr quietly visited Oslo .")
        person = factories.document(project, "mr quietly met Anna Smith .")
        copy = factories.document(project, "mr quietly visited Oslo Gate .")
        for document in (place, copy):
            Duplicate.objects.create(document=document, project=project, first=place, digest=1, similarity=0.9)
        done(preannotate.start(project, project.created_by))
        pending = Document.objects.filter(project=project, status="pending").order_by("-priority")
        assert list(pending) == [place, person, copy]

    def test_the_least_sure_are_spread_out_over_what_they_are_like(
        self, project: Project, production: ModelVersion
    ) -> None:
        assistance.change(project, project.created_by, {"random_share": 0, "diversity": True})
        documents = add_open(project, 60)
        done(preannotate.start(project, project.created_by))
        one, other = np.eye(diversity.SIZE, dtype=np.float16)[:2]
        kinds = {document.pk: one if at < 50 else other for at, document in enumerate(documents)}
        for at, row in enumerate(Uncertainty.objects.filter(document__in=kinds).order_by("document")):
            row.vector, row.scores = diversity.to_bytes(kinds[row.document_id]), {"least_confidence": 100 - at}
            row.save()
        assert prioritize.apply(project, production) == 60
        first = Document.objects.filter(project=project, status="pending").order_by("-priority")[:2]
        assert [document.pk for document in first] == [documents[0].pk, documents[50].pk] or (
            first[0] == documents[0] and kinds[first[1].pk] is other
        )
        places = Document.objects.filter(pk__in=kinds).values_list("priority", flat=True)
        assert len(set(places)) == 60
        assert all(0 <= place <= 1 for place in places)

    def test_scores_without_vectors_are_ordered_too(self, project: Project, production: ModelVersion) -> None:
        assistance.change(project, project.created_by, {"diversity": True})
        add_open(project, 5)
        done(preannotate.start(project, project.created_by))
        Uncertainty.objects.update(vector=None)
        assert prioritize.apply(project, production) == 5

    def test_a_strategy_that_was_chosen_later_falls_back(self, project: Project, production: ModelVersion) -> None:
        add_open(project, 4)
        done(preannotate.start(project, project.created_by))
        Project.objects.filter(pk=project.pk).update(query_strategy=BALD)
        project.refresh_from_db()
        assert prioritize.apply(project, production) == 4

    def test_bald_makes_its_own_passes(self, project: Project, production: ModelVersion) -> None:
        config = production.folder / "config.json"
        config.write_text(config.read_text().replace('dropout_prob": 0.0', 'dropout_prob": 0.3'))
        Project.objects.filter(pk=project.pk).update(query_strategy=BALD)
        project.refresh_from_db()
        assistance.change(project, project.created_by, {"random_share": 0})
        sure = factories.document(project, "Anna Smith visited Lima .")
        unsure = factories.document(project, "Zzyzx qwv Smith Lima 7 !")
        done(preannotate.start(project, project.created_by))
        scores = dict(Uncertainty.objects.values_list("document", "scores"))
        assert scores[unsure.pk]["bald"] > scores[sure.pk]["bald"] > 0
        unsure.refresh_from_db()
        assert unsure.priority > 0

    def test_an_unknown_strategy_is_refused(self, project: Project, production: ModelVersion) -> None:
        project.query_strategy = "tea_leaves"
        with pytest.raises(Invalid, match="tea_leaves"):
            preannotate.start(project, project.created_by)
