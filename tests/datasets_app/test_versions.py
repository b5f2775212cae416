"""Frozen versions: what they hold, that they never change, and how two differ."""

from io import BytesIO

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from datasets_app import importing, jobs, versions
from datasets_app.models import DatasetVersion, Job, VersionItem
from labeling import documents, review
from labeling.errors import Conflict
from labeling.models import Document, Event
from tests import factories

pytestmark = pytest.mark.django_db

CONLL = {
    "train": "Ada\tB-PER\nmet\tO\n\nIn\tO\nNew\tB-LOC\nYork\tI-LOC\n\n",
    "validation": "Bob\tB-PER\n\n",
    "test": "Nothing\tO\n\n",
}


def fill(project, files=CONLL) -> None:
    for split, text in files.items():
        job = importing.start(project, project.created_by, BytesIO(text.encode()), name="a.conll", split=split)
        jobs.run(job.pk)


@pytest.fixture
def filled(project):
    fill(project)
    return project


class TestFreezing:
    def test_holds_what_is_accepted_in_the_order_in_which_it_came_in(self, filled, manager):
        documents.archive(filled, manager, Document.objects.get(text="Nothing").pk)
        factories.document(filled, "not labeled")
        version = versions.freeze_now(filled, manager, notes="first")
        rows = list(versions.items(version))
        assert [gold.text for gold in rows] == ["Ada met", "In New York", "Bob"]
        assert rows[1].tags == ["O", "B-LOC", "I-LOC"]
        assert [gold.text for gold in versions.items(version, "validation")] == ["Bob"]
        assert (version.number, version.notes, version.parent) == (1, "first", None)
        assert [label["name"] for label in version.labels] == ["PER", "LOC"]
        assert version.policy["splits"] == {"validation": 0.1, "test": 0.1}
        assert version.counts["documents"] == 3
        assert version.counts["labels"] == {"LOC": 1, "PER": 2}
        assert version.counts["splits"]["train"] == {
            "documents": 2,
            "tokens": 5,
            "spans": 2,
            "labels": {"LOC": 1, "PER": 1},
        }
        assert version.counts["splits"]["test"]["documents"] == 0

    def test_pages_join_without_a_seam(self, filled, manager, monkeypatch):
        monkeypatch.setattr(versions, "PAGE_ROWS", 1)
        version = versions.freeze_now(filled, manager)
        assert [gold.text for gold in versions.items(version)] == ["Ada met", "In New York", "Bob", "Nothing"]
        assert [gold.text for gold in versions.items(version, "train")] == ["Ada met", "In New York"]

    def test_later_work_does_not_change_it(self, filled, manager):
        version = versions.freeze_now(filled, manager)
        document = Document.objects.get(text="Bob")
        review.correct(filled, manager, document.pk, tags=["O"])
        documents.archive(filled, manager, document.pk)
        assert [gold.tags for gold in versions.items(version, "validation")] == [["B-PER"]]

    def test_numbers_and_parents(self, filled, manager):
        first, second = versions.freeze_now(filled, manager), versions.freeze_now(filled, manager)
        assert (second.number, second.parent_id) == (2, first.pk)
        assert Event.objects.filter(verb="version.frozen").count() == 2

    def test_nothing_accepted(self, project, manager):
        for freeze in (versions.freeze_now, versions.freeze):
            with pytest.raises(Conflict, match="nothing to freeze"):
                freeze(project, manager)
        assert Job.objects.count() == 0

    def test_as_a_job_that_runs_twice(self, filled, manager):
        job = versions.freeze(filled, manager, notes="by job")
        jobs.run(job.pk)
        Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
        jobs.run(job.pk)
        job.refresh_from_db()
        version = DatasetVersion.objects.get()
        assert (job.result["version"], job.result["number"], version.notes) == (version.pk, 1, "by job")


class TestFingerprint:
    def test_same_content_same_fingerprint_whatever_the_order_and_ids(self, filled, manager):
        other = factories.project()
        fill(other, dict(reversed(CONLL.items())))
        one, two = versions.freeze_now(filled, manager), versions.freeze_now(other, other.created_by)
        assert one.fingerprint == two.fingerprint
        # As computed on another machine: a change here breaks the promise of every version that is out.
        assert one.fingerprint == "eb1064257ae286fd2714c3017955b341f42db9f08182465b5633770d2dd86d6f"

    def test_tags_splits_and_labels_count(self, filled, manager):
        found = {versions.freeze_now(filled, manager).fingerprint}
        review.correct(filled, manager, Document.objects.get(text="Bob").pk, tags=["O"])
        found.add(versions.freeze_now(filled, manager).fingerprint)
        Document.objects.filter(text="Bob").update(split="test")
        found.add(versions.freeze_now(filled, manager).fingerprint)
        filled.labels.filter(name="LOC").update(position=0)
        found.add(versions.freeze_now(filled, manager).fingerprint)
        assert len(found) == 4

    def test_reuse_gives_the_latest_version_of_the_same_content(self, filled, manager):
        first = versions.freeze_now(filled, manager)
        assert versions.freeze_now(filled, manager, reuse=True) == first
        assert DatasetVersion.objects.count() == 1
        assert VersionItem.objects.count() == 4
        review.correct(filled, manager, Document.objects.get(text="Bob").pk, tags=["O"])
        assert versions.freeze_now(filled, manager, reuse=True).number == 2


class TestNeverChanged:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE datasets_app_datasetversion SET notes = 'x'",
            "DELETE FROM datasets_app_datasetversion",
            "UPDATE datasets_app_versionitem SET split = 'test'",
            "DELETE FROM datasets_app_versionitem",
        ],
    )
    def test_update_and_delete_are_refused(self, filled, manager, sql):
        versions.freeze_now(filled, manager)
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)

    def test_no_item_is_added_later(self, filled, manager):
        version = versions.freeze_now(filled, manager)
        late = factories.document(filled, "late")
        with pytest.raises(IntegrityError, match="no more items"), transaction.atomic():
            VersionItem.objects.create(
                version=version, document=late, position=99, key="late", split="train", tags=["O"], annotator=None
            )

    def test_its_documents_are_kept(self, filled, manager):
        versions.freeze_now(filled, manager)
        with pytest.raises(ProtectedError):
            Document.objects.get(text="Bob").delete()
