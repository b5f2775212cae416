"""Operations on labels: what they touch, do and undo, and that the past is still understood."""

import pytest
from django.db import IntegrityError, transaction

from datasets_app import changes, differences, label_map, label_operations, restoring, undoing, versions
from datasets_app.models import Change
from labeling import annotate, bio, review
from labeling.errors import Conflict, Invalid, NotFound
from labeling.models import Annotation, Document, Event, Label, Prediction
from tests import factories
from tests.datasets_app.test_differences import doc, gold
from tests.datasets_app.test_versions import fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(project):
    fill(project)
    document = doc("Bob")
    Prediction.objects.create(document=document, model="m", tags=["B-PER"], confidences=[0.9])
    other = factories.project()
    other_document = factories.document(other, "Rob")
    review.correct(other, other.created_by, other_document.pk, tags=["B-PER"])
    return project


def names(project) -> list[str]:
    return list(project.labels.values_list("name", flat=True))


def tags_of(project) -> dict[str, list[str]]:
    rows = Annotation.objects.filter(document__project=project).select_related("document")
    return {one.document.text: one.tags for one in rows}


@pytest.fixture
def operate(filled, manager):
    def run(operation: str, label: str, **given: str) -> Change:
        return label_operations.operate(filled, manager, operation=operation, label=label, **given)

    return run


class TestRename:
    def test_everywhere_and_back(self, operate, filled, manager):
        before = tags_of(filled)
        change = operate("rename", "PER", to="PERSON")
        assert names(filled) == ["PERSON", "LOC"]
        assert tags_of(filled)["Bob"] == ["B-PERSON"]
        assert Prediction.objects.get().tags == ["B-PERSON"]
        assert Annotation.objects.get(document__project__slug__startswith="project").tags == ["B-PER"]
        event = Event.objects.get(verb="label.renamed")
        assert (event.data["map"], event.data["annotations"]) == ({"PER": "PERSON"}, 2)
        # What is labeled in between follows.
        review.correct(filled, manager, doc("Nothing").pk, tags=["B-PERSON"])
        undoing.undo(change, manager)
        assert tags_of(filled) == before | {"Nothing": ["B-PER"]}
        assert names(filled) == ["PER", "LOC"]

    def test_a_stale_editor_is_refused(self, operate, filled, manager):
        Annotation.objects.filter(document=doc("Bob")).update(accepted=False)
        operate("rename", "PER", to="PERSON")
        with pytest.raises(Conflict, match="revision"):
            annotate.save(filled, manager, doc("Bob").pk, tags=["O"], revision=1, submit=False)

    def test_refusals_change_nothing(self, operate, filled):
        for to, error in (("LOC", Conflict), ("two words", Invalid), ("", Invalid)):
            with pytest.raises(error):
                operate("rename", "PER", to=to)
        with pytest.raises(NotFound):
            operate("rename", "NO", to="YES")
        assert names(filled) == ["PER", "LOC"]
        assert Change.objects.count() == 0

    def test_by_hand_a_label_in_use_keeps_its_name(self, filled):
        with pytest.raises(IntegrityError, match="used by annotations"), transaction.atomic():
            Label.objects.filter(project=filled, name="PER").update(name="X")


class TestMergeAndDelete:
    def test_merge_and_back(self, operate, filled, manager):
        before = tags_of(filled)
        change = operate("merge", "LOC", to="PER")
        assert names(filled) == ["PER"]
        assert tags_of(filled)["In New York"] == ["O", "B-PER", "I-PER"]
        undoing.undo(change, manager)
        assert (tags_of(filled), names(filled)) == (before, ["PER", "LOC"])

    def test_delete_and_back(self, operate, filled, manager):
        before = tags_of(filled)
        change = operate("delete", "PER")
        assert names(filled) == ["LOC"]
        assert tags_of(filled)["Bob"] == ["O"]
        assert Prediction.objects.get().tags == ["O"]
        assert change.data["documents"] == 2
        undoing.undo(change, manager)
        assert (tags_of(filled), names(filled)) == (before, ["PER", "LOC"])
        assert Prediction.objects.get().tags == ["B-PER"]

    def test_undo_keeps_work_done_since(self, operate, filled, manager):
        change = operate("delete", "PER")
        review.correct(filled, manager, doc("Bob").pk, tags=["B-LOC"])
        with pytest.raises(Conflict, match="worked on since"):
            undoing.undo(change, manager)
        assert names(filled) == ["LOC"]

    def test_undo_when_a_new_label_has_taken_the_name_or_key(self, operate, filled, manager):
        change = operate("merge", "LOC", to="PER")
        Label.objects.create(project=filled, name="NEW", color="#000000", hotkey="2", position=9)
        undoing.undo(change, manager)
        assert filled.labels.get(name="LOC").hotkey == ""
        change = operate("merge", "LOC", to="PER")
        Label.objects.create(project=filled, name="LOC", color="#000000", position=9)
        with pytest.raises(Conflict, match="already"):
            undoing.undo(change, manager)

    def test_into_itself(self, operate):
        with pytest.raises(Invalid, match="itself"):
            operate("merge", "LOC", to="LOC")


class TestRetireAndRecolor:
    def test_spans_stay_and_no_new_ones_are_made(self, operate, filled, manager):
        operate("retire", "LOC")
        york = doc("In New York")
        review.correct(filled, manager, york.pk, tags=["O", "B-LOC", "O"])
        with pytest.raises(Invalid, match="retired"):
            review.correct(filled, manager, doc("Bob").pk, tags=["B-LOC"])
        fresh = factories.document(filled, "Rome")
        with pytest.raises(Invalid, match="retired"):
            annotate.save(filled, manager, fresh.pk, tags=["B-LOC"], revision=0, submit=False)
        operate("reinstate", "LOC")
        assert annotate.save(filled, manager, fresh.pk, tags=["B-LOC"], revision=0, submit=False).revision == 1

    def test_undo(self, operate, filled, manager):
        retired, recolored = operate("retire", "LOC"), operate("recolor", "LOC", color="#123456")
        undoing.undo(retired, manager)
        undoing.undo(recolored, manager)
        label = filled.labels.get(name="LOC")
        assert (label.retired, label.color) == (False, "#56b4e9")
        recolored = operate("recolor", "LOC", color="#123456")
        Label.objects.filter(pk=label.pk).update(color="#654321")
        with pytest.raises(Conflict, match="changed since"):
            undoing.undo(recolored, manager)
        with pytest.raises(Invalid):
            operate("recolor", "LOC", color="red")


class TestMeaning:
    def test_steps_are_put_together(self, operate, filled, manager):
        version = versions.freeze_now(filled, manager)
        operate("rename", "PER", to="HUMAN")
        operate("rename", "HUMAN", to="PERSON")
        operate("merge", "LOC", to="PERSON")
        change = operate("rename", "PERSON", to="X")
        undoing.undo(change, manager)
        found = label_map.since(filled, version.created_at)
        assert {name: found[name] for name in ("PER", "LOC")} == {"PER": "PERSON", "LOC": "PERSON"}
        assert bio.renamed(["B-PER", "I-PER", "B-LOC", "O"], found) == [
            "B-PERSON",
            "I-PERSON",
            "B-PERSON",
            "O",
        ]
        assert bio.renamed(["B-PER", "O"], {"PER": None}) == ["O", "O"]

    def test_a_version_between_a_renaming_and_its_undoing(self, operate, filled, manager):
        change = operate("rename", "PER", to="PERSON")
        version = versions.freeze_now(filled, manager)
        undoing.undo(change, manager)
        assert label_map.since(filled, version.created_at) == {"PERSON": "PER"}
        assert differences.diff(version, None)["documents"]["changed"] == 0

    def test_a_renaming_is_no_difference_and_is_restored_by_its_new_name(self, operate, filled, manager):
        version = versions.freeze_now(filled, manager)
        operate("rename", "PER", to="PERSON")
        found = differences.diff(version, versions.freeze_now(filled, manager))
        assert found["documents"] == {"added": 0, "removed": 0, "changed": 0, "moved": 0}
        assert found["label_map"] == {"PER": "PERSON"}
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        restoring.restore_document(version, manager, doc("Bob").pk)
        assert gold()["Bob"] == ("B-PERSON",)
        assert [gold.tags for gold in versions.items(version, "validation")] == [["B-PER"]]


class TestDoors:
    URL = "/api/v1/projects/news/label-operations"

    def test_preview(self, api, filled, manager, query_count):
        versions.freeze_now(filled, manager)
        client = api(manager)
        with query_count() as queries:
            found = client.get(f"{self.URL}?label=PER").json()
        assert len(queries) <= 7
        assert found == {"annotations": 2, "documents": 2, "spans": 2, "suggestions": 1, "versions": 1}
        assert client.get(f"{self.URL}?label=NO").status_code == 404

    def test_do(self, api, filled, manager):
        given = {"operation": "rename", "label": "PER", "to": "A/B"}
        made = api(manager).post(self.URL, given, format="json")
        assert (made.status_code, made.json()["data"]["map"]) == (200, {"PER": "A/B"})
        assert api(manager).post(f"/api/v1/changes/{made.json()['id']}/undo").status_code == 200
        for bad in ({"operation": "eat", "label": "PER"}, {"operation": "merge", "label": "PER"}, {}):
            assert api(manager).post(self.URL, bad, format="json").status_code == 400

    def test_roles(self, api, filled, reviewer, stranger):
        for method in ("get", "post"):
            assert getattr(api(reviewer), method)(self.URL).status_code == 403
            assert getattr(api(stranger), method)(self.URL).status_code == 404

    def test_pages(self, client, filled, manager):
        client.force_login(manager)
        url = "/projects/news/labels/operation/"
        assert "Versions that keep it" in client.get(f"{url}?label=PER").content.decode()
        assert f"{url}?label=PER" in client.get("/projects/news/labels/").content.decode()
        refused = client.post(url, {"operation": "rename", "label": "PER", "to": "LOC"})
        assert "already" in refused.content.decode()
        done = client.post(url, {"operation": "merge", "label": "PER", "to": "LOC"}, follow=True).content.decode()
        assert "PER → LOC" in done
        assert Document.objects.filter(project=filled).count() == 4
        assert changes.changes_of(filled).count() == 1
