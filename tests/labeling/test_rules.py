"""Rules that the database keeps, whoever writes: each test tries to write an illegal row."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from labeling.models import Annotation, Assignment, Document, Event, Label, Membership, Prediction
from tests.labeling.conftest import World


def refused(name: str, write: Any) -> None:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    assert caught.value.__cause__.diag.constraint_name.endswith(name)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [([], []), ([0, 2], [1]), ([0], [99]), ([2], [2]), ([0, 1], [2, 3]), ([-1], [1]), ([3], [1])],
)
def test_a_grid_lies_within_its_text(world: World, starts: list[int], ends: list[int]) -> None:
    refused("document_grid_fits", lambda: world.document("abc", token_starts=starts, token_ends=ends))


def test_a_key_stands_once_in_a_project(world: World) -> None:
    world.document(key="one")
    refused("document_key_once", lambda: world.document(key="one"))


@pytest.mark.parametrize("field", ["text", "token_starts", "project_id"])
def test_text_and_grid_never_change(world: World, field: str) -> None:
    document = world.document("ab cd")
    value: Any = {"text": "xy zz", "token_starts": [1, 3], "project_id": 0}[field]
    refused("labeling_document_frozen", lambda: Document.objects.filter(pk=document.pk).update(**{field: value}))


@pytest.mark.parametrize("tags", [["I-PER"], ["B-PER", "I-LOC"], ["B-"], ["O", "x"], ["", "O"]])
def test_annotations_and_predictions_are_bio(world: World, tags: list[str]) -> None:
    document = world.document("one two")
    tags = ([*tags, "O"])[:2]
    for write in writers(world, document, tags):
        refused("is_bio", write)


def test_one_tag_per_token(world: World) -> None:
    document = world.document("one two")
    for write in writers(world, document, ["O"]):
        refused("_length", write)


def test_only_labels_of_the_project(world: World) -> None:
    document = world.document("one two")
    for write in writers(world, document, ["B-ORG", "O"]):
        refused("_label_known", write)


def writers(world: World, document: Document, tags: list[str]) -> list[Any]:
    return [
        lambda: Annotation.objects.create(document=document, annotator=world.annotator, tags=tags),
        lambda: Prediction.objects.create(document=document, model="m", tags=tags, confidences=[1.0] * len(tags)),
    ]


def test_an_update_is_checked_like_an_insert(world: World) -> None:
    document = world.document("one two")
    annotation = Annotation.objects.create(document=document, annotator=world.annotator, tags=["O", "O"])
    rows = Annotation.objects.filter(pk=annotation.pk)
    refused("_length", lambda: rows.update(tags=["O"]))
    refused("_label_known", lambda: rows.update(tags=["B-ORG", "O"]))


def test_a_confidence_per_token(world: World) -> None:
    document = world.document("one two")
    refused(
        "prediction_confidence_per_token",
        lambda: Prediction.objects.create(document=document, model="m", tags=["O", "O"], confidences=[1.0]),
    )


def test_one_annotation_per_person_and_one_accepted(world: World) -> None:
    document = world.document("one two")
    values: dict[str, Any] = {
        "document": document, "tags": ["O", "O"], "state": "submitted", "accepted": True, "accepted_at": timezone.now(),
    }  # fmt: skip
    Annotation.objects.create(annotator=world.annotator, **values)
    refused("annotation_once", lambda: Annotation.objects.create(annotator=world.annotator, **values))
    refused("annotation_accepted_once", lambda: Annotation.objects.create(annotator=world.second, **values))


def test_only_what_is_submitted_is_accepted(world: World) -> None:
    document = world.document("one two")
    refused(
        "annotation_accepted_is_submitted",
        lambda: Annotation.objects.create(
            document=document, annotator=world.annotator, tags=["O", "O"], accepted=True, accepted_at=timezone.now()
        ),
    )


def test_one_lease_per_person_and_one_prediction_per_model(world: World) -> None:
    document = world.document()
    lease = {"document": document, "annotator": world.annotator, "expires_at": timezone.now()}
    Assignment.objects.create(**lease)
    refused("assignment_once", lambda: Assignment.objects.create(**lease))
    guess: dict[str, Any] = {"document": document, "model": "m", "tags": ["O"] * 8, "confidences": [1.0] * 8}
    Prediction.objects.create(**guess)
    refused("prediction_once", lambda: Prediction.objects.create(**guess))


def test_membership_and_labels_are_unique(world: World) -> None:
    refused(
        "membership_once",
        lambda: Membership.objects.create(project=world.project, user=world.annotator, role="manager"),
    )
    values = {"project": world.project, "color": "#112233", "position": 9}
    refused("label_name_once", lambda: Label.objects.create(name="PER", **values))
    refused("label_hotkey_once", lambda: Label.objects.create(name="X", hotkey="l", **values))
    refused("label_name_no_blanks", lambda: Label.objects.create(name="a b", **values))


def test_a_label_in_use_is_neither_deleted_nor_renamed(world: World) -> None:
    document = world.document("one two")
    Annotation.objects.create(document=document, annotator=world.annotator, tags=["B-PER", "O"])
    label = Label.objects.filter(project=world.project, name="PER")
    refused("label_kept_while_used", label.delete)
    refused("label_kept_while_used", lambda: label.update(name="PERSON"))
    label.update(color="#000000")
    Label.objects.filter(project=world.project, name="LOC").delete()


def test_events_never_change(world: World) -> None:
    event = Event.objects.create(project=world.project, verb="test.done")
    refused("labeling_event_frozen", lambda: Event.objects.filter(pk=event.pk).update(verb="x"))
    refused("labeling_event_frozen", lambda: Event.objects.filter(pk=event.pk).delete())


def test_every_index_of_ours_is_used_by_its_reader(world: World) -> None:
    """The queue's query is answered from its partial index even when sequential scans are possible."""
    for _ in range(3):
        world.document()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM labeling_document WHERE project_id = %s AND split = 'train' AND status = 'pending'"
            " AND archived_at IS NULL ORDER BY priority DESC, id LIMIT 1",
            [world.project.pk],
        )
        assert "document_queue" in "\n".join(row[0] for row in cursor.fetchall())
