"""What changed between versions, span by span, and bringing a version's gold back."""

import pytest

from datasets_app import differences, jobs, label_operations, label_splits, restoring, undoing, versions
from datasets_app.models import Change, DatasetVersion, Job
from labeling import annotate, documents, review
from labeling.errors import Conflict, NotFound
from labeling.models import Annotation, Document, Event
from tests import factories
from tests.datasets_app.test_versions import fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(project):
    fill(project)
    return project


@pytest.fixture
def version(filled, manager) -> DatasetVersion:
    return versions.freeze_now(filled, manager)


def doc(text: str) -> Document:
    return Document.objects.get(text=text)


def gold() -> dict[str, tuple[str, ...]]:
    """The accepted tags of each text."""
    return {
        one.document.text: tuple(one.tags)
        for one in Annotation.objects.filter(accepted=True).select_related("document")
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("O B-A", "O B-A", []),
        ("O B-A", "O B-B", [("relabeled", "B")]),
        ("B-A O O", "B-A I-A O", [("moved", "A")]),
        ("B-A O O", "B-B I-B O", [("added", "B"), ("removed", "A")]),
        ("B-A I-A", "B-A B-A", [("moved", "A"), ("added", "A")]),
        ("O O B-A", "B-A O O", [("added", "A"), ("removed", "A")]),
        ("", "B-A", [("added", "A")]),
        ("B-A", "", [("removed", "A")]),
    ],
)
def test_compare_tags(before, after, expected):
    found = differences.compare_tags(before.split(), after.split())
    assert sorted((change.kind, change.label) for change in found) == sorted(expected)


class TestDiff:
    def test_documents_and_spans(self, version, filled, manager):
        york, bob, ada = doc("In New York"), doc("Bob"), doc("Ada met")
        review.correct(filled, manager, york.pk, tags=["O", "B-PER", "I-PER"])
        review.correct(filled, manager, ada.pk, tags=["B-PER", "B-LOC"])
        documents.archive(filled, manager, bob.pk)
        Document.objects.filter(text="Nothing").update(split="train")
        fill(filled, {"test": "Eve\tB-PER\n\n"})
        found = differences.diff(version, versions.freeze_now(filled, manager))
        assert found["documents"] == {"added": 1, "removed": 1, "changed": 2, "moved": 1}
        assert found["spans"] == {
            "added": {"LOC": 1, "PER": 1},
            "removed": {"PER": 1},
            "moved": {},
            "relabeled": [{"from": "LOC", "to": "PER", "count": 1}],
        }
        assert found["people"] == [{"person": "mara", "added": 2, "removed": 1, "relabeled": 1, "moved": 0}]
        assert found["causes"]["changed"] == {"added": 1, "removed": 0, "relabeled": 1, "moved": 0}
        assert {example["change"] for example in found["examples"]} == {"added", "removed", "changed"}
        (span,) = next(row["spans"] for row in found["examples"] if row["document"] == york.pk)
        assert span == {
            "kind": "relabeled",
            "before": {"start": 1, "end": 3, "label": "LOC", "text": "New York"},
            "after": {"start": 1, "end": 3, "label": "PER", "text": "New York"},
        }

    def test_up_to_now_is_what_a_version_of_now_would_say(self, version, filled, manager):
        review.correct(filled, manager, doc("In New York").pk, tags=["B-LOC", "I-LOC", "I-LOC"])
        documents.archive(filled, manager, doc("Bob").pk)
        now = differences.diff(version, None)
        assert now["to"] is None
        assert now["spans"]["moved"] == {"LOC": 1}
        frozen = differences.diff(version, versions.freeze_now(filled, manager))
        assert now | {"to": 2, "examples": []} == frozen | {"examples": []}

    def test_a_cause_is_the_change_that_gave_a_text_its_labels(self, version, filled, manager):
        split = {"surfaces": ["ada", "bob"], "pattern": ""}
        for change in range(3):
            label_splits.split(filled, manager, label="PER", to="PET", **split)
            if not change:  # taken back, it is no cause
                undoing.undo(Change.objects.get(), manager)
        review.correct(filled, manager, doc("Bob").pk, tags=["B-LOC"])  # what a person did last counts
        causes = differences.diff(version, versions.freeze_now(filled, manager))["causes"]
        assert {cause: row["relabeled"] for cause, row in causes.items()} == {
            "added": 0, "removed": 0, "changed": 1, "label.split": 1,
        }  # fmt: skip

    def test_with_itself(self, version):
        found = differences.diff(version, version)
        assert found["documents"] == {"added": 0, "removed": 0, "changed": 0, "moved": 0}
        assert found["examples"] == found["people"] == []

    def test_across_projects(self, version):
        other = factories.project()
        fill(other)
        with pytest.raises(Conflict, match="different projects"):
            differences.diff(version, versions.freeze_now(other, other.created_by))


class TestOneDocument:
    def test_what_each_version_says_of_it(self, version, filled, manager, api, annotator, client):
        bob = doc("Bob")
        url, page = (f"{start}/projects/news/documents/{bob.pk}/versions" for start in ("/api/v1", ""))
        label_operations.operate(filled, manager, operation="rename", label="PER", to="PERSON")
        (row,) = api(manager).get(url).json()["results"]
        assert (row["number"], row["same"]) == (1, True)
        review.correct(filled, manager, bob.pk, tags=["B-LOC"])
        versions.freeze_now(filled, manager)
        second, first = api(manager).get(url).json()["results"]
        assert (second["same"], first["same"], first["spans"]["relabeled"]) == (True, False, 1)
        assert api(annotator).get(url).status_code == 403
        client.force_login(manager)
        html = client.get(f"{page}/").content.decode()
        assert "As in version 1" in html
        assert "As in version 2" not in html
        assert "label renamed: PER" not in html  # it changed no annotation of its own
        restoring.restore_document(DatasetVersion.objects.get(number=1), manager, bob.pk)
        assert "version restored" in client.get(f"{page}/").content.decode()
        difference = client.get(f"/versions/{version.pk}/diff/{DatasetVersion.objects.get(number=2).pk}/")
        assert "labeled otherwise by a person" in difference.content.decode()
        card = client.get(f"/versions/{version.pk}/card/")
        assert (card["Content-Type"], card.content[:4]) == ("text/plain; charset=utf-8", b"---\n")
        assert f"documents/{bob.pk}/versions/" in client.get(f"/projects/news/documents/{bob.pk}/").content.decode()


class TestRestoring:
    def test_one_document_and_back(self, version, filled, manager, reviewer):
        before = gold()
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        changed = gold()
        change = restoring.restore_document(version, reviewer, doc("Bob").pk)
        assert gold() == before
        own = Annotation.objects.get(document=doc("Bob"), accepted=True)
        assert (own.annotator, own.accepted_by, own.state) == (reviewer, reviewer, "submitted")
        event = Event.objects.get(verb="version.restored")
        assert (event.document, event.data["change"], event.data["version"]) == (doc("Bob").pk, change.pk, version.pk)
        for _ in range(2):
            undoing.undo(change, manager)
        assert gold() == changed
        assert not Annotation.objects.filter(annotator=reviewer).exists()
        assert Event.objects.filter(verb="change.undone").count() == 1

    def test_a_whole_version_and_back(self, version, filled, manager):
        before = gold()
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        review.correct(filled, manager, doc("In New York").pk, tags=["O", "O", "O"])
        review.take_back(filled, manager, doc("Ada met").pk)
        fill(filled, {"test": "Eve\tB-PER\n\n"})
        changed, statuses = gold(), list(Document.objects.order_by("pk").values_list("status", flat=True))
        job = restoring.start(version, manager)
        for _ in range(2):
            Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
            jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.result["documents"]) == ("succeeded", 3), job.message
        assert gold() == before | {"Eve": ("B-PER",)}
        assert set(Document.objects.values_list("status", flat=True)) == {"accepted"}
        undoing.undo(Change.objects.get(), manager)
        assert gold() == changed
        assert list(Document.objects.order_by("pk").values_list("status", flat=True)) == statuses

    def test_undoing_in_turn(self, version, filled, manager):
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        first = restoring.restore_document(version, manager, doc("Bob").pk)
        other = versions.freeze_now(filled, manager)
        undoing.undo(first, manager)
        again = restoring.restore_document(other, manager, doc("Bob").pk)
        undoing.undo(again, manager)
        assert gold()["Bob"] == ("O",)

    def test_work_done_since_is_not_lost(self, version, filled, manager, annotator):
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        change = restoring.restore_document(version, manager, doc("Bob").pk)
        review.correct(filled, manager, doc("Bob").pk, tags=["B-LOC"])
        with pytest.raises(Conflict, match="worked on since") as refused:
            undoing.undo(change, manager)
        assert refused.value.details == {"documents": [doc("Bob").pk]}
        assert gold()["Bob"] == ("B-LOC",)

    def test_a_stale_editor_is_refused_after_an_undo(self, version, filled, manager):
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        revision = Annotation.objects.get(document=doc("Bob")).revision
        undoing.undo(restoring.restore_document(version, manager, doc("Bob").pk), manager)
        review.take_back(filled, manager, doc("Bob").pk)
        with pytest.raises(Conflict, match="revision"):
            annotate.save(filled, manager, doc("Bob").pk, tags=["B-PER"], revision=revision, submit=True)

    def test_what_is_the_same_is_no_change(self, version, manager):
        job = restoring.start(version, manager)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.result["documents"] == 0

    def test_refusals(self, version, filled, manager):
        late = factories.document(filled, "late")
        with pytest.raises(NotFound, match="does not hold"):
            restoring.restore_document(version, manager, late.pk)
        documents.archive(filled, manager, doc("Bob").pk)
        with pytest.raises(Conflict, match="archived"):
            restoring.restore_document(version, manager, doc("Bob").pk)

    def test_a_label_that_is_gone(self, version, filled, manager):
        review.correct(filled, manager, doc("In New York").pk, tags=["O", "O", "O"])
        Annotation.objects.filter(document=doc("In New York"), accepted=False).delete()
        filled.labels.get(name="LOC").delete()
        with pytest.raises(Conflict, match="'LOC'"):
            restoring.restore_document(version, manager, doc("In New York").pk)
        assert Change.objects.count() == 0


class TestDoors:
    def test_restore_list_and_undo(self, api, version, filled, manager, reviewer, query_count):
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        url = f"/api/v1/versions/{version.pk}/restoration"
        made = api(reviewer).post(url, {"document": doc("Bob").pk}, format="json")
        assert (made.status_code, made.json()["data"]["documents"]) == (200, 1)
        with query_count() as queries:
            (row,) = api(reviewer).get("/api/v1/projects/news/changes").json()["results"]
        assert len(queries) <= 5
        assert (row["id"], row["kind"], row["created_by"]) == (made.json()["id"], "version.restored", reviewer.username)
        undo = f"/api/v1/changes/{row['id']}/undo"
        assert api(reviewer).post(undo).status_code == 403
        assert api(manager).post(undo).json()["undone_by"] == "mara"
        assert gold()["Bob"] == ("O",)

    def test_whole(self, api, version, manager, reviewer):
        url = f"/api/v1/versions/{version.pk}/restoration"
        assert api(reviewer).post(url, {}, format="json").status_code == 403
        response = api(manager).post(url, {}, format="json")
        assert response.status_code == 202
        assert Job.objects.get(pk=response.json()["job"]).kind == "restore"
        assert api(manager).post(url, {"document": "x"}, format="json").status_code == 400

    def test_strangers(self, api, version, filled, manager, stranger, annotator):
        change = Change.objects.create(project=filled, kind="version.restored", created_by=manager)
        for method, path in [
            ("post", f"versions/{version.pk}/restoration"),
            ("get", "projects/news/changes"),
            ("post", f"changes/{change.pk}/undo"),
            ("get", f"versions/{version.pk}/diff/now"),
        ]:
            assert getattr(api(stranger), method)(f"/api/v1/{path}").status_code == 404
            assert getattr(api(annotator), method)(f"/api/v1/{path}").status_code == 403
        assert api(manager).post("/api/v1/changes/987654321/undo").status_code == 404

    def test_diff_now(self, api, version, filled, manager, reviewer):
        review.correct(filled, manager, doc("Bob").pk, tags=["O"])
        found = api(reviewer).get(f"/api/v1/versions/{version.pk}/diff/now").json()
        assert (found["to"], found["spans"]["removed"]) == (None, {"PER": 1})

    def test_pages(self, client, version, filled, manager):
        review.correct(filled, manager, doc("In New York").pk, tags=["O", "B-PER", "I-PER"])
        client.force_login(manager)
        page = client.get(f"/versions/{version.pk}/diff/now/").content.decode()
        assert "New York" in page
        restored = client.post(f"/versions/{version.pk}/restore/{doc('In New York').pk}/", follow=True)
        assert "labeled as in version 1 again" in restored.content.decode()
        assert gold()["In New York"] == ("O", "B-LOC", "I-LOC")
        change = Change.objects.get()
        assert "Undone." in client.post(f"/changes/{change.pk}/undo/", follow=True).content.decode()
        other = versions.freeze_now(filled, manager)
        assert client.get(f"/versions/{version.pk}/diff/{other.pk}/").status_code == 200
