"""Saving annotations: drafts, submissions, stale revisions, bad input, and what a submission sets in motion."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from labeling import annotate, projects, queue
from labeling.models import Annotation, Assignment, Document, Event, Prediction, Role
from tests.labeling.conftest import World

TAGS = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]


def put(world: World, document: Document, **body: Any):
    return world.client(world.annotator).put(world.url(f"/documents/{document.pk}/annotation"), body, format="json")


def test_rights(world: World, rights) -> None:
    path = f"/documents/{world.document().pk}/annotation"
    rights("put", path, needs=Role.ANNOTATOR, body={"tags": ["O"] * 8, "revision": 0})
    rights("get", path, needs=Role.ANNOTATOR)


def test_draft_then_submit(world: World, django_assert_max_num_queries) -> None:
    document = world.document()
    body = put(world, document, tags=["O"] * 8, revision=0, seconds=2.5).json()
    assert (body["revision"], body["state"], body["seconds"]) == (1, "draft", 2.5)
    assert not Event.objects.filter(verb="annotation.submitted").exists()
    with django_assert_max_num_queries(22):
        body = put(world, document, tags=TAGS, revision=1, state="submitted", seconds=3).json()
    assert (body["revision"], body["state"], body["seconds"]) == (2, "submitted", 5.5)
    assert body["spans"][2] == {"start": 6, "end": 7, "label": "LOC"}
    document.refresh_from_db()
    assert document.status == "submitted"
    assert Event.objects.filter(verb="annotation.submitted", document=document.pk, actor=world.annotator).count() == 1


def test_spans_stand_for_tags(world: World) -> None:
    document = world.document()
    spans = [{"start": 0, "end": 2, "label": "PER"}, {"start": 6, "end": 7, "label": "LOC"}]
    assert put(world, document, spans=spans, revision=0).json()["tags"] == [
        "B-PER", "I-PER", "O", "O", "O", "O", "B-LOC", "O",
    ]  # fmt: skip


def test_who_goes_back_to_a_submitted_text_has_it_to_label_again(world: World) -> None:
    document = world.document()
    put(world, document, tags=TAGS, revision=0, state="submitted")
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    put(world, document, tags=["O"] * 8, revision=1)
    document.refresh_from_db()
    assert document.status == "pending"
    assert Event.objects.filter(verb="annotation.reopened", document=document.pk).count() == 1
    assert queue.lease(world.project, world.second) is None
    assert queue.lease(world.project, world.annotator).document_id == document.pk


def test_a_repeat_is_harmless_and_a_stale_save_is_refused_with_the_current_row(world: World) -> None:
    document = world.document()
    assert put(world, document, tags=TAGS, revision=0).json() == put(world, document, tags=TAGS, revision=0).json()
    response = put(world, document, tags=["O"] * 8, revision=0)
    assert response.status_code == 409
    error = response.json()["error"]
    assert error["code"] == "stale_revision"
    assert error["details"]["current"]["tags"] == TAGS
    assert Annotation.objects.get().tags == TAGS


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"tags": ["O"]}, "wrong_length"),
        ({"tags": ["I-PER", *["O"] * 7]}, "illegal_tags"),
        ({"tags": ["B-ORG", *["O"] * 7]}, "unknown_label"),
        ({"tags": [1] * 8}, "invalid"),
        ({"tags": "OOOOOOOO"}, "invalid"),
        ({"spans": [{"start": 0, "end": 99, "label": "PER"}]}, "span_out_of_range"),
        (
            {"spans": [{"start": 0, "end": 2, "label": "PER"}, {"start": 1, "end": 3, "label": "PER"}]},
            "overlapping_spans",
        ),
        ({"tags": ["O"] * 8, "spans": [{"start": 0, "end": 1, "label": "PER"}]}, "spans_contradict_tags"),
        ({}, "invalid"),
        ({"tags": ["O"] * 8, "revision": -1}, "invalid"),
        ({"tags": ["O"] * 8, "revision": "x"}, "invalid"),
        ({"tags": ["O"] * 8, "state": "accepted"}, "invalid"),
        ({"tags": ["O"] * 8, "seconds": -3}, "invalid"),
    ],
)
def test_bad_input_changes_nothing(world: World, body: dict[str, Any], code: str) -> None:
    response = put(world, world.document(), **body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[]", b'"x"', b"null", b'{"tags": [NaN]}', b'{"tags": ["B-\\ud800"]}']
)
def test_rubbish_is_a_clear_400(world: World, body: bytes) -> None:
    response = world.client(world.annotator).put(
        world.url(f"/documents/{world.document().pk}/annotation"), body, content_type="application/json"
    )
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_a_document_of_another_project_is_not_there(world: World) -> None:
    other = projects.create(world.annotator, name="Other")
    document = world.document()
    response = world.client(world.annotator).put(
        f"/api/v1/projects/{other.slug}/documents/{document.pk}/annotation", {"tags": ["O"] * 8}, format="json"
    )
    assert response.status_code == 404


def test_a_full_document_takes_no_one_else(world: World) -> None:
    document = world.document()
    queue.lease(world.project, world.second)
    response = put(world, document, tags=TAGS, revision=0)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "taken")


def test_archived_and_accepted_are_closed(world: World) -> None:
    document = world.document()
    put(world, document, tags=TAGS, revision=0, state="submitted")
    world.client(world.reviewer).post(
        world.url(f"/documents/{document.pk}/acceptance"), {"annotation": Annotation.objects.get().pk}, format="json"
    )
    assert put(world, document, tags=["O"] * 8, revision=1).json()["error"]["code"] == "accepted"
    world.client(world.manager).delete(world.url(f"/documents/{document.pk}"))
    assert put(world, document, tags=["O"] * 8, revision=1).json()["error"]["code"] == "archived"


@pytest.mark.parametrize(
    ("policy", "overlap", "second_tags", "status"),
    [
        ("always", 1, None, "submitted"),
        ("never", 1, None, "accepted"),
        ("disagreement", 1, None, "accepted"),
        ("disagreement", 2, TAGS, "accepted"),
        ("disagreement", 2, ["O"] * 8, "submitted"),
        ("never", 2, ["O"] * 8, "accepted"),
        ("always", 2, TAGS, "submitted"),
    ],
)
def test_review_policy(world: World, policy: str, overlap: int, second_tags: list[str] | None, status: str) -> None:
    world.project.review, world.project.overlap = policy, overlap
    document = world.document()
    annotate.save(world.project, world.annotator, document.pk, tags=TAGS, revision=0, submit=True)
    document.refresh_from_db()
    assert document.status == ("pending" if overlap == 2 else status)
    if second_tags:
        annotate.save(world.project, world.second, document.pk, tags=second_tags, revision=0, submit=True)
    document.refresh_from_db()
    assert document.status == status
    assert Annotation.objects.filter(accepted=True).count() == (status == "accepted")


def test_use_of_a_suggestion_is_counted(world: World) -> None:
    document = world.document()
    suggested = ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "O", "O"]
    Prediction.objects.create(document=document, model="m-1", tags=suggested, confidences=[0.9] * 8)
    put(world, document, tags=TAGS, revision=0, state="submitted")
    saved = Annotation.objects.get()
    assert saved.suggested_by == "m-1"
    assert saved.suggestion_use == {"kept": 1, "edited": 1, "rejected": 1, "drawn": 1}
