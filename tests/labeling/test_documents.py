"""Browsing, searching, archiving; progress; bulk predictions."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling import annotate, documents, pairs, predictions, progress, review
from labeling.models import Annotation, Document, Prediction, Role
from tests.labeling.conftest import World

TAGS = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]


def test_rights(world: World, rights) -> None:
    document = world.document()
    rights("get", "/documents", needs=Role.ANNOTATOR)
    rights("get", f"/documents/{document.pk}", needs=Role.ANNOTATOR)
    rights("delete", f"/documents/{document.pk}", needs=Role.MANAGER)
    rights("post", f"/documents/{document.pk}/restoration", needs=Role.MANAGER)


def test_filters_pages_and_query_count(world: World, django_assert_max_num_queries) -> None:
    ids = [world.document(f"text number {n}", split="test" if n % 2 else "train").pk for n in range(5)]
    annotate.save(world.project, world.annotator, ids[0], tags=["B-PER", "O", "O"], revision=0, submit=True)
    client = world.client(world.reviewer)

    def found(query: str) -> list[int]:
        return [row["id"] for row in client.get(world.url(f"/documents?{query}")).json()["results"]]

    with django_assert_max_num_queries(5):
        assert found("") == ids[::-1]
    assert found("order=oldest&split=train") == [ids[0], ids[2], ids[4]]
    assert found("status=submitted") == found("label=PER") == [ids[0]]
    assert found("q=NUMBER 3") == [ids[3]]
    assert found("q=er 4") == [ids[4]]
    assert found("q=4") == [ids[4]]
    assert found("label=LOC") == found("q=absent") == []
    first = client.get(world.url("/documents?limit=3&order=oldest")).json()
    assert [row["id"] for row in first["results"]] == ids[:3]
    assert [row["id"] for row in client.get(first["next"]).json()["results"]] == ids[3:]
    assert first["results"][0]["spans"] == [{"start": 0, "end": 4, "label": "PER", "text": "text"}]
    for bad in ("status=x", "split=x", "order=x", "q=%00"):
        assert client.get(world.url(f"/documents?{bad}")).status_code == 400


def test_chinese_is_found_through_the_index(world: World) -> None:
    wanted = world.document("我在北京工作。")
    world.document("我在上海工作。")
    query = documents.search(world.project, text="北京工")
    assert list(query) == [wanted]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_document (project_id, key, text, token_starts, token_ends, split, group_key)"
            " SELECT %s, 'many-' || n, '上海第' || n, '{0}', '{1}', 'train', 'g' FROM generate_series(1, 5000) AS n",
            [world.project.pk],
        )
        cursor.execute("ANALYZE labeling_document")
    assert "document_bigrams" in query.explain()


@given(st.lists(st.text(st.sampled_from(" \t\n\x01abcXYZ~É中😀İ"), max_size=30), max_size=5))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pairs_are_those_of_the_database(db, texts: list[str]) -> None:
    for text, found in zip(texts, pairs.of(texts), strict=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT ARRAY(SELECT DISTINCT unnest(labeling_bigrams(%s)) ORDER BY 1)", [text])
            assert (found is None) == (not text.isascii())
            assert found is None or [*map(int, found)] == cursor.fetchone()[0]


def test_pairs_go_with_the_text(world: World) -> None:
    document = world.document("Some text")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE labeling_document SET pairs = labeling_bigrams(text)")
        assert [*documents.search(world.project, text="ome")] == [document]
        assert [*Document.objects.filter(pk__in=documents.search(world.project, text="ome"))] == [document]
        cursor.execute("SET LOCAL goldset.erasing = 'on'")
        cursor.execute("UPDATE labeling_document SET text = 'xxxx text'")
        assert [*documents.search(world.project, text="xxxx")] == [document]
        cursor.execute("SELECT pairs FROM labeling_document")
        assert cursor.fetchone() == (None,)


def test_annotators_do_not_see_each_other(world: World) -> None:
    document = world.document()
    annotate.save(world.project, world.annotator, document.pk, tags=TAGS, revision=0, submit=True)
    path = world.url(f"/documents/{document.pk}")
    assert len(world.client(world.reviewer).get(path).json()["annotations"]) == 1
    assert world.client(world.second).get(path).json()["annotations"] == []
    assert world.client(world.second).get(world.url("/documents")).json()["results"][0]["spans"] == []


def test_archive_and_restore(world: World) -> None:
    document = world.document()
    client = world.client(world.manager)
    for _ in range(2):
        assert client.delete(world.url(f"/documents/{document.pk}")).status_code == 204
    assert client.get(world.url("/documents")).json()["results"] == []
    assert len(client.get(world.url("/documents?archived=1")).json()["results"]) == 1
    assert client.post(world.url(f"/documents/{document.pk}/restoration")).status_code == 204
    assert len(client.get(world.url("/documents")).json()["results"]) == 1


def test_predictions_are_stored_in_bulk_and_again(world: World, django_assert_max_num_queries) -> None:
    rows = [predictions.Predicted(world.document().pk, TAGS, [0.25] * 8) for _ in range(50)]
    with django_assert_max_num_queries(8):
        assert predictions.store(rows, model="m") == 50
    assert predictions.store([row._replace(tags=["O"] * 8) for row in rows[:2]], model="m") == 2
    assert Prediction.objects.count() == 50
    assert Prediction.objects.filter(tags=["O"] * 8).count() == 2


def test_progress_counts_what_there_is(world: World, django_assert_max_num_queries) -> None:
    made = [world.document(split=split) for split in ("train", "train", "test")]
    predictions.store([predictions.Predicted(made[0].pk, TAGS, [0.9] * 8)], model="m-1")
    annotate.save(world.project, world.annotator, made[0].pk, tags=TAGS, revision=0, submit=True, seconds=4)
    review.accept(world.project, world.reviewer, made[0].pk, annotation_id=Annotation.objects.get().pk)
    with django_assert_max_num_queries(7):
        found = progress.progress(world.project)
    assert found["by_status"] == {"pending": 2, "submitted": 0, "accepted": 1}
    assert found["by_split"]["test"] == {"pending": 1, "submitted": 0, "accepted": 0}
    assert found["by_label"] == {"PER": 2, "LOC": 1}
    assert found["by_annotator"] == [
        {
            "annotator": "annotator", "submitted": 1, "accepted": 1, "drafts": 0, "seconds": 4.0,
            "timed": 1, "quick": 4.0, "median": 4.0, "slow": 4.0,
        }
    ]  # fmt: skip
    assert found["by_day"][0]["submitted"] == 1
    assert found["suggestions"] == [
        {"model": "m-1", "documents": 1, "kept": 3, "edited": 0, "rejected": 0, "drawn": 0, "agreement": 1.0}
    ]


@pytest.mark.parametrize("path", ["/documents/999999", "/documents/99999999999999999999", "/documents/0"])
def test_missing_documents(world: World, path: str) -> None:
    assert world.client(world.manager).get(world.url(path)).status_code == 404
