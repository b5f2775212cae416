"""Splitting a label by a rule: what it takes, does and undoes; and labels in what is told beside the tags."""

import json
from io import BytesIO

import pytest

from datasets_app import changes, importing, jobs, label_operations, label_splits, undoing
from datasets_app.models import Change, Job
from labeling import annotate, predictions
from labeling.errors import Conflict, Invalid, NotFound
from labeling.models import Annotation, Document, Event, Label, Occurrences, Prediction
from labeling.predictions import Predicted

pytestmark = pytest.mark.django_db
TEXTS = ["Ada met Bob", "ADA left", "bob Jr came", "Cy stayed"]
PAGE = "/projects/news/labels/operation/"
URL = "/api/v1/projects/news/label-splits"


@pytest.fixture
def filled(project, manager):
    spans = {0: [(0, 3), (8, 11)], 1: [(0, 3)], 2: [(0, 6)], 3: [(0, 2)]}
    lines = [
        {"id": f"t{n}", "text": text, "split": "train",
         "spans": [{"start": a, "end": b, "label": "PER"} for a, b in spans[n]]}
        for n, text in enumerate(TEXTS)
    ]  # fmt: skip
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    jobs.run(importing.start(project, manager, BytesIO(data), name="a.jsonl").pk)
    predictions.store([Predicted(doc("t1").pk, ["B-PER", "O"], [0.9, 0.9])], model="m")
    return project


def doc(key: str) -> Document:
    return Document.objects.get(key=key)


def tags(key: str) -> list[str]:
    return doc(key).annotations.get().tags


def split(project, manager, **rule) -> Change:
    values = {"label": "PER", "to": "ADA", "surfaces": [], "pattern": "", **rule}
    return label_splits.split(project, manager, **values)


class TestSplit:
    def test_by_a_list_of_surfaces_and_back(self, filled, manager):
        change = split(filled, manager, surfaces=["ada", " "])
        assert (tags("t0"), tags("t1"), tags("t3")) == (["B-ADA", "O", "B-PER"], ["B-ADA", "O"], ["B-PER", "O"])
        assert Prediction.objects.get().tags == ["B-ADA", "O"]
        assert Event.objects.get(verb="label.split").data["spans"] == 2
        assert (change.data["documents"], change.data["suggestions"]) == (2, 1)
        undoing.undo(change, manager)
        assert (tags("t0"), tags("t1")) == (["B-PER", "O", "B-PER"], ["B-PER", "O"])
        assert Prediction.objects.get().tags == ["B-PER", "O"]
        assert not Label.objects.filter(name="ADA").exists()

    def test_by_an_expression_that_matches_all_of_a_surface(self, filled, manager):
        split(filled, manager, pattern="(?i)b.*")
        assert (tags("t0"), tags("t2")) == (["B-PER", "O", "B-ADA"], ["B-ADA", "I-ADA", "O"])

    def test_into_a_label_that_is_there(self, filled, manager):
        predictions.store([Predicted(doc("t3").pk, ["B-LOC", "B-PER"], [0.9, 0.9])], model="m")
        change = split(filled, manager, to="LOC", surfaces=["Cy", "stayed", "ada"])
        assert tags("t3") == ["B-LOC", "O"]
        assert Prediction.objects.get(document=doc("t3")).tags == ["B-LOC", "B-LOC"]
        predictions.store([Predicted(doc("t1").pk, ["B-LOC", "B-LOC"], [0.9, 0.9])], model="m")  # anew
        undoing.undo(change, manager)
        assert tags("t3") == ["B-PER", "O"]
        assert Prediction.objects.get(document=doc("t3")).tags == ["B-LOC", "B-PER"]
        assert Prediction.objects.get(document=doc("t1")).tags == ["B-LOC", "B-LOC"]
        assert Label.objects.filter(name="LOC").exists()

    def test_a_label_that_was_used_since_stays(self, filled, manager):
        change = split(filled, manager, surfaces=["ada"])
        Annotation.objects.filter(document=doc("t3")).update(tags=["B-ADA", "O"])
        undoing.undo(change, manager)
        assert Label.objects.filter(name="ADA").exists()
        assert tags("t3") == ["B-ADA", "O"]

    def test_work_since_is_not_lost(self, filled, manager):
        change = split(filled, manager, surfaces=["ada"])
        Annotation.objects.filter(document=doc("t1")).update(tags=["O", "O"])
        with pytest.raises(Conflict):
            undoing.undo(change, manager)

    def test_pages_and_a_stale_editor(self, filled, manager, monkeypatch):
        monkeypatch.setattr(label_splits, "AT_ONCE", 1)
        split(filled, manager, pattern=".*")
        assert {tag for n in range(4) for tag in tags(f"t{n}") if tag != "O"} == {"B-ADA", "I-ADA"}
        Annotation.objects.update(accepted=False)
        with pytest.raises(Conflict, match="revision"):
            annotate.save(filled, manager, doc("t1").pk, tags=["O", "O"], revision=1, submit=False)

    @pytest.mark.parametrize(
        ("rule", "field"),
        [
            ({}, "surfaces"), ({"surfaces": [" "]}, "surfaces"), ({"surfaces": ["a"], "pattern": "a"}, "surfaces"),
            ({"pattern": "("}, "pattern"), ({"pattern": "(?R)"}, "pattern"), ({"pattern": "((a{999}){99})"}, "pattern"),
            ({"surfaces": ["a"] * 10_001}, "surfaces"),
            ({"surfaces": ["a"], "to": "PER"}, "to"), ({"surfaces": ["a"], "to": ""}, "to"),
        ],
    )  # fmt: skip
    def test_what_cannot_be(self, filled, manager, rule, field):
        values = {"to": "ADA", "surfaces": [], "pattern": "", **rule}
        with pytest.raises(Invalid) as caught:
            label_splits.start(filled, manager, "PER", **values)
        assert caught.value.details["field"] == field
        assert not Job.objects.filter(kind="split_label").exists()

    def test_an_expression_that_needs_for_ever(self, filled, manager):
        rule = label_splits.Rule(pattern="(a|aa)+c")
        with pytest.raises(Invalid, match="takes too long"):
            rule.takes("a" * 60)

    def test_a_retired_target_and_an_unknown_label(self, filled, manager):
        label_operations.operate(filled, manager, operation="retire", label="LOC")
        with pytest.raises(Conflict, match="retired"):
            split(filled, manager, to="LOC", surfaces=["ada"])
        with pytest.raises(NotFound):
            split(filled, manager, label="NO", surfaces=["ada"])

    def test_a_label_that_cannot_be_made_changes_nothing(self, filled, manager):
        with pytest.raises(Exception, match="label"):
            split(filled, manager, to="two words", surfaces=["ada"])
        assert tags("t1") == ["B-PER", "O"]
        assert not Change.objects.exists()


class TestTraces:
    """Provenance and occurrences follow each operation on labels."""

    @pytest.fixture
    def traced(self, filled, annotator):
        document = doc("t0")
        document.annotations.all().delete()
        Document.objects.filter(pk=document.pk).update(status="pending")
        predictions.store([Predicted(document.pk, ["B-PER", "B-PER", "O"], [0.9] * 3)], model="m")
        annotate.save(filled, annotator, document.pk, tags=["B-LOC", "O", "B-PER"], revision=0, submit=True)
        place = {"documents": [document.pk], "starts": [0]}
        Occurrences.objects.create(project=filled, created_by=annotator, tokens=["Ada"], label="PER", **place)
        return document

    def told(self) -> list:
        trace = doc("t0").annotations.get().provenance
        spans = [(one["label"], one.get("from", {}).get("label")) for one in trace["spans"]]
        return [spans, [one["label"] for one in trace["rejected"]]]

    def test_rename_and_back(self, traced, filled, manager):
        assert self.told() == [[("LOC", "PER"), ("PER", None)], ["PER"]]
        change = label_operations.operate(filled, manager, operation="rename", label="PER", to="PERSON")
        assert self.told() == [[("LOC", "PERSON"), ("PERSON", None)], ["PERSON"]]
        assert Occurrences.objects.get().label == "PERSON"
        undoing.undo(change, manager)
        assert self.told() == [[("LOC", "PER"), ("PER", None)], ["PER"]]
        assert Occurrences.objects.get().label == "PER"

    def test_merge_and_back(self, traced, filled, manager):
        change = label_operations.operate(filled, manager, operation="merge", label="PER", to="LOC")
        assert self.told() == [[("LOC", "LOC"), ("LOC", None)], ["LOC"]]
        undoing.undo(change, manager)
        assert self.told() == [[("LOC", "PER"), ("PER", None)], ["PER"]]

    def test_delete_and_back(self, traced, filled, manager):
        change = label_operations.operate(filled, manager, operation="delete", label="PER")
        assert self.told() == [[("LOC", None)], []]
        undoing.undo(change, manager)
        assert self.told() == [[("LOC", "PER"), ("PER", None)], ["PER"]]

    def test_split_and_back(self, traced, filled, manager):
        change = split(filled, manager, surfaces=["ada"])
        assert self.told() == [[("LOC", "ADA"), ("PER", None)], ["PER"]]
        undoing.undo(change, manager)
        assert self.told() == [[("LOC", "PER"), ("PER", None)], ["PER"]]

    def test_a_name_with_quotes(self, traced, filled, manager):
        name = 'a"b\\\\c\u00e9'
        label_operations.operate(filled, manager, operation="rename", label="PER", to=name)
        assert self.told()[1] == [name]
        label_operations.operate(filled, manager, operation="rename", label=name, to="PER")
        assert self.told()[1] == ["PER"]


class TestDoors:
    def test_preview_then_split_by_a_job(self, api, filled, manager):
        client = api(manager)
        body = {"label": "PER", "to": "ADA", "surfaces": ["ada"]}
        found = client.post(URL, {**body, "preview": True}, format="json").json()
        assert found == {
            "spans": 2, "of": 5, "annotations": 2, "documents": 2,
            "taken": [{"surface": "Ada", "spans": 1}, {"surface": "ADA", "spans": 1}],
            "left": [{"surface": "Bob", "spans": 1}, {"surface": "bob Jr", "spans": 1}, {"surface": "Cy", "spans": 1}],
        }  # fmt: skip
        assert not Change.objects.exists()
        response = client.post(URL, body, format="json")
        assert response.status_code == 202
        jobs.run(response.json()["job"])
        job = Job.objects.get(pk=response.json()["job"])
        assert (job.state, job.result["spans"], job.result["documents"]) == ("succeeded", 2, 2), job.message
        assert changes.changes_of(filled).get().kind == "label.split"

    def test_who_may(self, api, filled, reviewer, stranger):
        assert api(reviewer).post(URL, {"label": "PER"}, format="json").status_code == 403
        assert api(stranger).post(URL, {"label": "PER"}, format="json").status_code == 404

    def test_bad_input(self, api, filled, manager):
        for body in ({}, {"label": "PER", "surfaces": "x"}, {"label": "PER", "pattern": "[", "preview": True}):
            assert api(manager).post(URL, body, format="json").status_code == 400
        assert (
            api(manager).post(URL, {"label": "NO", "pattern": "a", "preview": True}, format="json").status_code == 404
        )

    def test_the_page(self, client, filled, manager):
        client.force_login(manager)
        form = {"label": "PER", "operation": "preview", "surfaces": "ada\r\nnobody", "to": "ADA"}
        page = client.post(PAGE, form).content.decode()
        assert "2 of 5 spans" in page
        assert client.post(PAGE, {**form, "pattern": "x"}).status_code == 200  # a complaint, no error
        response = client.post(PAGE, {**form, "operation": "split"})
        assert response.status_code == 302
        assert Job.objects.filter(kind="split_label").count() == 1
