"""Accept, correct, take back, return."""

from labeling import annotate, predictions, queue
from labeling.models import Annotation, Document, Event, Role
from labeling.predictions import Predicted
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
    rights("get", f"/documents/{document.pk}/comparison", needs=Role.REVIEWER)
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


def test_versions_are_compared(world: World, django_assert_max_num_queries) -> None:
    world.project.overlap = 2
    world.project.save()
    document, first = submitted(world)
    other = ["O", *["O"] * 5, "B-LOC", "O"]
    second = annotate.save(world.project, world.second, document.pk, tags=other, revision=0, submit=True)
    predictions.store([Predicted(document.pk, TAGS, [0.5] * 8)], model="m1")
    later = world.document()
    later.status = "submitted"
    later.save()
    with django_assert_max_num_queries(8):
        found = world.client(world.reviewer).get(world.url(f"/documents/{document.pk}/comparison")).json()
    assert [each["id"] for each in found["annotations"]] == [first.pk, second.pk]
    assert found["agreed"] == [{"start": 6, "end": 7, "label": "LOC"}]
    span = {"start": 0, "end": 2, "label": "PER"}
    assert found["differences"][0] == {"start": 0, "end": 2, "readings": [[span], [], [span]]}
    assert (found["suggestion"]["model"], found["next"]) == ("m1", later.pk)


def test_no_model_speaks_in_the_review_of_held_out_texts(world: World) -> None:
    document = world.document(split="test")
    annotate.save(world.project, world.annotator, document.pk, tags=TAGS, revision=0, submit=True)
    predictions.store([Predicted(document.pk, ["O"] * 8, [0.5] * 8)], model="m1")
    found = world.client(world.reviewer).get(world.url(f"/documents/{document.pk}/comparison")).json()
    assert (found["suggestion"], found["differences"]) == (None, [])


def test_a_decision_about_what_is_no_longer_there_is_refused(world: World) -> None:
    document, annotation = submitted(world)
    seen = {"status": "submitted", "annotations": {str(annotation.pk): annotation.revision}}
    for body in ({"annotation": annotation.pk}, {"tags": TAGS}):
        stale = accept(world, document, **body, seen={"status": "submitted", "annotations": {str(annotation.pk): 9}})
        assert (stale.status_code, stale.json()["error"]["code"]) == (409, "changed_meanwhile")
    for _ in range(2):  # a decision that comes twice is one
        assert accept(world, document, annotation=annotation.pk, seen=seen).status_code == 200
    late = world.client(world.manager).post(
        world.url(f"/documents/{document.pk}/acceptance"), {"tags": ["O"] * 8, "seen": seen}, format="json"
    )
    assert late.json()["error"]["code"] == "changed_meanwhile"
    assert Annotation.objects.get(accepted=True) == annotation


def test_a_correction_that_comes_twice_is_one(world: World) -> None:
    document, annotation = submitted(world)
    seen = {"status": "submitted", "annotations": {str(annotation.pk): annotation.revision}}
    for _ in range(2):
        assert accept(world, document, tags=["O"] * 8, seen=seen).status_code == 200
    gold = Annotation.objects.get(accepted=True)
    assert gold.provenance["rejected"][0] == {"start": 0, "end": 2, "label": "PER", "by": ["annotator"]}
    assert Event.objects.filter(verb="annotation.accepted").count() == 1
