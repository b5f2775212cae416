"""Keyset pages: a page goes on behind the one before, in any order of a model's own columns."""

import base64
from datetime import UTC, datetime

import pytest

from labeling import annotate, documents, paging, selection
from labeling.errors import Invalid
from labeling.models import Annotation, Document
from tests.labeling.conftest import World


@pytest.mark.parametrize("order", [("id",), ("-priority", "id"), ("split", "-id"), ("-changed_at", "-id")])
def test_pages_follow_each_other(world: World, order: tuple[str, ...]) -> None:
    for number in range(7):
        changed = datetime(2026, 1, 1, microsecond=number // 3, tzinfo=UTC)
        world.document(priority=number // 2, split="test" if number % 3 else "train", changed_at=changed)
    query, seen, cursor = Document.objects.filter(project=world.project), [], None
    while True:
        found = paging.page(query, order=order, cursor=cursor, limit=2)
        seen += [document.pk for document in found.rows]
        if (cursor := found.next) is None:
            break
    assert seen == list(query.order_by(*order).values_list("pk", flat=True))


def test_an_order_may_name_the_column_of_a_foreign_key(world: World) -> None:
    for _ in range(3):
        Annotation.objects.create(document=world.document("a"), annotator=world.annotator, tags=["O"])
    query = Annotation.objects.all()
    first = paging.page(query, order=("document_id",), limit=2)
    second = paging.page(query, order=("document_id",), limit=2, cursor=first.next)
    assert [row.document_id for row in first.rows + second.rows] == sorted(query.values_list("document_id", flat=True))
    with pytest.raises(Invalid):
        paging.page(query, order=("document_id",), cursor=base64.urlsafe_b64encode(b'["x"]').decode())


@pytest.mark.parametrize("near", [1, 3, 100])
@pytest.mark.parametrize("order", list(documents.ORDERS))
def test_pages_of_what_is_frequent_and_what_is_rare(
    world: World, monkeypatch: pytest.MonkeyPatch, order: str, near: int
) -> None:
    monkeypatch.setattr(paging, "NEAR", near)
    texts = ["rare and frequent" if number % 5 == 0 else "frequent" for number in range(11)]
    every = [world.document(text, priority=number % 4) for number, text in enumerate(texts)]
    annotate.save(world.project, world.annotator, every[3].pk, tags=["B-PER"], revision=0, submit=True)
    for filters in (
        {"q": "REQUEN"},
        {"q": "rare"},
        {"label": "PER"},
        {"q": "no such"},
        {"q": "rare", "status": "pending"},
    ):
        wanted = selection.Selection(filters)
        seen, cursor = [], None
        while True:
            found = selection.page_of(world.project, world.manager, wanted, order=order, cursor=cursor, limit=2)
            seen += [document.pk for document in found.rows]
            if (cursor := found.next) is None:
                break
        query, columns = documents.in_order(selection.documents_of(world.project, world.manager, wanted), order)
        assert seen == list(query.order_by(*columns).values_list("pk", flat=True)), filters
