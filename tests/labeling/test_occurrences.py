"""Every occurrence at once: preview, suggest, undo; what is left out; how it mixes with a model's suggestions."""

from typing import Any

import pytest

from labeling import annotate, predictions, queue
from labeling.bio import Span, spans, tags_of
from labeling.models import Document, Event, Prediction, Role
from labeling.predictions import Predicted
from tests.labeling.conftest import World

ADA = {"tokens": ["Ada", "Lovelace"], "label": "PER"}


def post(world: World, path: str = "", **body: Any) -> Any:
    return world.client(world.annotator).post(world.url(f"/occurrences{path}"), ADA | body, format="json")


def shown(document: Document) -> list[Span]:
    found = predictions.suggestion(document)
    return spans(found.tags) if found else []


def test_rights(world: World, rights) -> None:
    rights("post", "/occurrences/preview", needs=Role.ANNOTATOR, body=ADA)
    rights("post", "/occurrences", needs=Role.ANNOTATOR, body=ADA)
    pk = post(world).json()["id"]
    assert world.client(world.second).delete(world.url(f"/occurrences/{pk}")).status_code == 403
    assert world.client(world.stranger).delete(world.url(f"/occurrences/{pk}")).status_code == 404
    assert world.client(world.reviewer).delete(world.url(f"/occurrences/{pk}")).status_code == 200
    assert world.client(world.reviewer).delete(world.url("/occurrences/999999")).status_code == 404


def test_preview_then_suggest_then_undo(world: World) -> None:
    one, two = world.document(), world.document("Then Ada Lovelace left . Ada  Lovelace slept .")
    other = world.document("Adam Lovelace and Ada Byron .")
    body = post(world, "/preview").json()
    assert (body["documents"], body["occurrences"], body["conflicts"], body["more"]) == (2, 3, 0, False)
    assert body["contexts"][0] == {
        "document": one.pk, "before": "", "text": "Ada Lovelace", "after": " met Charles Babbage in London .",
        "conflicts": [],
    }  # fmt: skip
    assert not Prediction.objects.exists()
    step = post(world)
    assert (step.status_code, step.json()["occurrences"], step.json()["documents"]) == (201, 3, 2)
    assert shown(one) == [Span(0, 2, "PER")]
    assert shown(two) == [Span(1, 3, "PER"), Span(5, 7, "PER")]
    assert shown(other) == []
    assert post(world, "/preview").json()["occurrences"] == 0  # all of it is suggested now
    path = world.url(f"/occurrences/{step.json()['id']}")
    for _ in range(2):
        assert world.client(world.annotator).delete(path).json()["undone"] is True
    assert not Prediction.objects.exists()
    assert list(Event.objects.filter(verb__startswith="occurrences").values_list("verb", flat=True)) == [
        "occurrences.suggested", "occurrences.undone",
    ]  # fmt: skip


def test_done_held_out_archived_and_given_documents_are_left_out(world: World) -> None:
    world.document(split="test")
    world.document(status="submitted")
    world.document(archived_at="2026-01-01T00:00Z")
    here = world.document()
    assert post(world, "/preview", document=here.pk).json()["occurrences"] == 0


def test_a_conflict_is_shown_and_left_alone_unless_asked(world: World) -> None:
    document = world.document()
    tags = tags_of([Span(0, 1, "LOC"), Span(6, 7, "LOC")], 8)
    predictions.store([Predicted(document.pk, tags, [0.5] * 8)], model="m1")
    body = post(world, "/preview").json()
    assert (body["conflicts"], body["contexts"][0]["conflicts"]) == (1, [{"label": "LOC", "model": "m1"}])
    assert post(world).json()["occurrences"] == 0
    assert post(world, replace=True).json()["occurrences"] == 1
    found = predictions.suggestion(document)
    assert found is not None
    assert (found.model, spans(found.tags)) == ("m1", [Span(0, 2, "PER"), Span(6, 7, "LOC")])
    saved = annotate.save(world.project, world.annotator, document.pk, tags=found.tags, revision=0, submit=True)
    assert [(each["origin"], each["model"]) for each in saved.provenance["spans"]] == [
        ("accepted", "occurrences"), ("accepted", "m1"),
    ]  # fmt: skip


def test_undoing_leaves_what_another_step_suggested(world: World) -> None:
    document = world.document()
    first = post(world).json()["id"]
    post(world, tokens=["London"], label="LOC")
    world.client(world.annotator).delete(world.url(f"/occurrences/{first}"))
    assert shown(document) == [Span(6, 7, "LOC")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"label": "ORG"}, "unknown_label"),
        ({"tokens": []}, "invalid"),
        ({"tokens": [""]}, "invalid"),
        ({"tokens": ["a"] * 51}, "invalid"),
        ({"tokens": "Ada"}, "invalid"),
    ],
)
def test_bad_input_changes_nothing(world: World, body: dict[str, Any], code: str) -> None:
    world.document()
    response = post(world, **body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert not Prediction.objects.exists()


def test_any_script_and_one_query_per_step_and_not_per_document(world: World, django_assert_max_num_queries) -> None:
    for number in range(30):
        world.document(f"今天 {number} 在北京 。")
    with django_assert_max_num_queries(16):
        assert post(world, tokens=["北", "京"], label="LOC").json()["documents"] == 30


def test_the_next_lease_shows_it(world: World) -> None:
    world.document()
    post(world)
    assert queue.lease(world.project, world.annotator) is not None
    body = world.client(world.annotator).post(world.url("/assignments"), {}, format="json").json()
    assert body["suggestion"]["model"] == "occurrences"
    assert body["suggestion"]["tags"][:2] == ["B-PER", "I-PER"]
