"""Keyset pages: a page goes on behind the one before, in any order of a model's own columns."""

import base64
from datetime import UTC, datetime

import pytest

from labeling import paging
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
