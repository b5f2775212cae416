"""Erasing a text for good: nothing of it is left anywhere in the database but a tombstone."""

from io import BytesIO

import pytest
from django.db import IntegrityError, connection, transaction

from datasets_app import describing, duplicates, erasure, export, importing, jobs, restoring, versions
from datasets_app.models import Duplicate, TextKey
from labeling import documents, review
from labeling.errors import Conflict
from labeling.models import Document, Event
from tests import factories

pytestmark = pytest.mark.django_db

SECRET = "Xylophonia Quetzal lives in the small village of Umberton"
LINES = f"{SECRET}\n{SECRET} !\nRain fell on the northern hills\n{SECRET.upper()}\n"


@pytest.fixture
def erased(project, manager) -> Document:
    """The first of three duplicates, labeled, frozen and counted, then erased."""
    job = importing.start(project, manager, BytesIO(LINES.encode()), name="a.txt")
    jobs.run(job.pk)
    first = Document.objects.order_by("line").first()
    Document.objects.filter(text=SECRET.upper()).update(split="test")
    for document in Document.objects.all():
        review.correct(
            project, manager, document.pk, tags=["B-PER", "I-PER", *["O"] * (len(document.token_starts) - 2)]
        )
    Document.objects.filter(pk=first.pk).update(meta={"who": "Xylophonia"}, layout={"x": "Quetzal"})
    version = versions.freeze_now(project, manager)
    restoring.restore_document(version, manager, first.pk)
    jobs.run(describing.start(project, manager).pk)
    assert version.report["leaks"]["examples"]
    for text in (f"{SECRET} !", SECRET.upper()):
        erasure.erase(project, manager, Document.objects.get(text=text).pk)
    return erasure.erase(project, manager, first.pk, reason="asked for")


def test_nothing_of_it_is_left_in_any_table(erased):
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in sorted(set(tables) - {"import_rows", "import_seen"}):  # this session's own, gone with it
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ~* %s', ["xylophonia|umberton"])
            assert (table, cursor.fetchone()[0]) == (table, 0)
    assert TextKey.objects.filter(document_id=erased.pk).count() == 0
    assert Duplicate.objects.count() == 0


def test_what_stays(erased, project):
    erased.refresh_from_db()
    assert (erased.text, erased.key, erased.meta) == ("█ █ █ █ █ █ █ █ █", f"erased-{erased.pk}", {})
    assert erased.archived_at is not None
    event = Event.objects.filter(verb="document.erased", document=erased.pk).get()
    assert event.data == {"versions": [1], "reason": "asked for"}
    version = project.versions.get()
    item = version.items.get(document=erased)
    assert (item.key, item.tags[:2]) == (f"erased-{erased.pk}", ["B-PER", "I-PER"])
    assert [gold.text for gold in versions.items(version)] == ["Rain fell on the northern hills"]
    assert erasure.erased_in(version) == 3
    for format in ("conll", "jsonl", "hf"):
        assert b"Umberton" not in b"".join(export.frozen(version, format=format).chunks)


def test_it_is_over(erased, project, manager):
    assert erasure.erase(project, manager, erased.pk) == erased
    assert Event.objects.filter(verb="document.erased", document=erased.pk).count() == 1
    with pytest.raises(Conflict, match="erased for good"):
        documents.restore(project, manager, erased.pk)
    with pytest.raises(Conflict, match="archived"):
        review.correct(project, manager, erased.pk, tags=["O"] * 9)


def test_texts_are_as_frozen_as_before(erased):
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Document.objects.filter(pk=erased.pk).update(text="x")
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Document.objects.get(pk=erased.pk).project.versions.update(notes="x")


def test_a_group_goes_on_without_its_first(project, manager):
    job = importing.start(project, manager, BytesIO(LINES.encode()), name="a.txt")
    jobs.run(job.pk)
    first, near, _, upper = Document.objects.order_by("line")
    erasure.erase(project, manager, first.pk)
    (group,) = duplicates.groups(project)
    assert (group, group.size) == (near, 2)
    erasure.erase(project, manager, upper.pk)
    assert not duplicates.groups(project).exists()


def test_duplicates_that_come_later_are_found_by_those_that_stay(project, manager):
    """The first of a group holds its keys; with it gone, another does."""
    jobs.run(importing.start(project, manager, BytesIO(LINES.encode()), name="a.txt").pk)
    first, near, *_ = Document.objects.order_by("line")
    for _ in range(2):
        erasure.erase(project, manager, first.pk)
    jobs.run(importing.start(project, manager, BytesIO(f"{SECRET} !!\n".encode()), name="b.txt").pk)
    (group,) = duplicates.groups(project)
    assert (group, group.size) == (near, 3)


def test_doors(api, client, project, manager, reviewer, stranger):
    document = factories.document(project, "Ada met Bob")
    url = f"/api/v1/projects/news/documents/{document.pk}/erasure"
    assert api(reviewer).post(url, {}, format="json").status_code == 403
    assert api(stranger).post(url, {}, format="json").status_code == 404
    client.force_login(manager)
    assert "Erase" in client.get(f"/projects/news/documents/{document.pk}/").content.decode()
    assert api(manager).post(url, {"reason": ["x"]}, format="json").status_code == 400
    for _ in range(2):
        assert api(manager).post(url, {"reason": "asked for"}, format="json").status_code == 204
    assert api(manager).post("/api/v1/projects/news/documents/987654321/erasure", {}, format="json").status_code == 404
    assert "█" in client.get(f"/projects/news/documents/{document.pk}/").content.decode()
