"""Accept, correct, take back, return."""

from labeling import annotate, queue
from labeling.models import Annotation, Document, Event, Role
from tests.labeling.conftest import World

TAGS = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]


def submitted(world: World) -> tuple[Document, Annotation]:
    document = world.document()
    return document, annotate.save(world.project, world.annotator, document.pk, tags=TAGS, revision=0, submit=True)


def accept(world: World, document: Document, **body):
    return world.client(world.reviewer).post(world.url(f"/documents/{document.pk}/acceptance"), body, format="json")


def test_rights(world: World, rights) -> None:
    document, annotation = submitted(world)
    path = f"/documents/{document.pk}/acceptance"
    rights("post", path, needs=Role.REVIEWER, body={"annotation": annotation.pk})
    rights("delete", path, needs=Role.REVIEWER)
    rights("post", f"/documents/{document.pk}/return", needs=Role.REVIEWER, body={"annotation": annotation.pk})


def test_accept_is_repeatable(world: World, django_assert_max_num_queries) -> None:
    document, annotation = submitted(world)
    with django_assert_max_num_queries(18):
        body = accept(world, document, annotation=annotation.pk).json()
    assert (body["accepted"], body["annotator"]) == (True, "annotator")
    assert accept(world, document, annotation=annotation.pk).status_code == 200
    document.refresh_from_db()
    assert document.status == "accepted"
    assert Event.objects.filter(verb="annotation.accepted").count() == 1


def test_correct_keeps_the_annotators_row(world: World) -> None:
    document, annotation = submitted(world)
    body = accept(world, document, tags=["B-PER", "I-PER", *["O"] * 6]).json()
    assert (body["annotator"], body["accepted"]) == ("reviewer", True)
    annotation.refresh_from_db()
    assert (annotation.tags, annotation.accepted) == (TAGS, False)
    counted = Event.objects.get(verb="annotation.accepted").data["against"][str(world.annotator.pk)]
    assert counted == {"kept": 1, "edited": 0, "rejected": 2, "drawn": 0}


def test_each_correction_is_an_event_and_a_repeated_one_is_not(world: World) -> None:
    document, _ = submitted(world)
    for tags in (["O"] * 8, TAGS, TAGS):
        assert accept(world, document, tags=tags).json()["tags"] == tags
    assert Event.objects.filter(verb="annotation.accepted").count() == 2
    assert Annotation.objects.get(accepted=True).tags == TAGS


def test_another_acceptance_replaces_the_first(world: World) -> None:
    document, annotation = submitted(world)
    accept(world, document, tags=["O"] * 8)
    accept(world, document, annotation=annotation.pk)
    assert list(Annotation.objects.filter(accepted=True)) == [annotation]


def test_take_back(world: World) -> None:
    document, annotation = submitted(world)
    accept(world, document, annotation=annotation.pk)
    for _ in range(2):
        assert world.client(world.reviewer).delete(world.url(f"/documents/{document.pk}/acceptance")).status_code == 204
    document.refresh_from_db()
    assert document.status == "submitted"
    assert not Annotation.objects.filter(accepted=True).exists()


def test_return_gives_it_back_to_its_author(world: World) -> None:
    document, annotation = submitted(world)
    body = (
        world.client(world.reviewer)
        .post(
            world.url(f"/documents/{document.pk}/return"), {"annotation": annotation.pk, "note": "edges"}, format="json"
        )
        .json()
    )
    assert (body["state"], body["note"]) == ("returned", "edges")
    assert queue.lease(world.project, world.second) is None
    assert queue.lease(world.project, world.annotator).document_id == document.pk
    again = annotate.save(world.project, world.annotator, document.pk, tags=TAGS, revision=2, submit=True)
    assert again.state == "submitted"


def test_bad_input(world: World) -> None:
    document, annotation = submitted(world)
    assert accept(world, document).status_code == 400
    assert accept(world, document, annotation=annotation.pk, tags=TAGS).status_code == 400
    assert accept(world, document, annotation=10**9).status_code == 404
    assert accept(world, document, annotation=10**30).status_code in (400, 404)
    assert accept(world, document, tags=["O"]).json()["error"]["code"] == "wrong_length"
    other = world.document()
    assert accept(world, other, annotation=annotation.pk).status_code == 404
    draft = annotate.save(world.project, world.second, other.pk, tags=["O"] * 8, revision=0, submit=False)
    assert accept(world, other, annotation=draft.pk).json()["error"]["code"] == "not_submitted"
    assert not Annotation.objects.filter(accepted=True).exists()
