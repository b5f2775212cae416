"""The card of a label: its definition and accepted spans, to members alone; what is left out; one order."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling import annotate, review
from labeling.examples import MOST, TEXTS
from labeling.models import Document, Label, Role
from tests.labeling.conftest import World


def accepted(world: World, text: str, *spans: tuple[int, int, str], **fields: Any) -> Document:
    document = world.document(text, **fields)
    tags = world.tags(document, *spans)
    given = annotate.save(world.project, world.annotator, document.pk, tags=tags, revision=0, submit=True)
    review.accept(world.project, world.reviewer, document.pk, annotation_id=given.pk)
    return document


def card(world: World, label: str = "PER") -> dict[str, Any]:
    answer = world.client(world.second).get(world.url(f"/examples?label={label}"))
    assert answer.status_code == 200
    return answer.json()


def texts(world: World) -> list[str]:
    return [each["text"] for each in card(world)["examples"]]


def test_rights_and_what_is_wrong(world: World, rights) -> None:
    rights("get", "/examples?label=PER", needs=Role.ANNOTATOR)
    missing = world.client(world.annotator).get(world.url("/examples"))
    assert (missing.status_code, missing.json()["error"]["details"]) == (400, {"field": "label"})
    assert world.client(world.annotator).get(world.url("/examples?label=NONE")).status_code == 404
    assert world.client(world.annotator).get(world.url("/examples?label=a%00b")).status_code in (400, 404)


def test_definition_and_spans_in_their_context(world: World) -> None:
    Label.objects.filter(name="PER").update(description="People, real or invented.")
    document = accepted(
        world, "Yesterday Ada Lovelace met Bob in London .", (1, 3, "PER"), (4, 5, "PER"), (6, 7, "LOC")
    )
    body = card(world)
    assert (body["label"]["name"], body["label"]["description"]) == ("PER", "People, real or invented.")
    assert body["examples"] == [
        {"document": document.pk, "before": "Yesterday ", "text": "Ada Lovelace", "after": " met Bob in London ."},
        {"document": document.pk, "before": "Yesterday Ada Lovelace met ", "text": "Bob", "after": " in London ."},
    ]


def test_newest_first_and_each_name_before_any_again(world: World) -> None:
    for name in ("Ada", "Bob", "Ada", "Cleo", "ada"):
        accepted(world, f"{name} slept .", (0, 1, "PER"))
    assert texts(world) == ["ada", "Cleo", "Bob", "Ada", "Ada"]
    for number in range(MOST):
        accepted(world, f"N{number} slept .", (0, 1, "PER"))
    assert texts(world) == [f"N{number}" for number in reversed(range(MOST))]


def test_exams_archived_open_and_other_projects_give_none(world: World) -> None:
    accepted(world, "Ada slept .", (0, 1, "PER"), split="test")
    accepted(world, "Bob slept .", (0, 1, "PER"), split="validation")
    Document.objects.filter(pk=accepted(world, "Cleo slept .", (0, 1, "PER")).pk).update(archived_at=timezone.now())
    waiting = world.document("Dan slept .")
    tags = world.tags(waiting, (0, 1, "PER"))
    annotate.save(world.project, world.annotator, waiting.pk, tags=tags, revision=0, submit=True)
    assert texts(world) == []


@pytest.mark.parametrize("count", [1, TEXTS + 5])
def test_queries_do_not_grow(world: World, count: int) -> None:
    for number in range(count):
        accepted(world, f"N{number} slept .", (0, 1, "PER"))
    client = world.client(world.annotator)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(world.url("/examples?label=PER"))
    assert len(queries) == 4  # the project, the role, the label, the spans
