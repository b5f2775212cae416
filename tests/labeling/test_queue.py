"""The queue: leases, overlap, expiry, order, and two people at once."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from labeling import annotate, queue, review
from labeling.models import Assignment, Document, Event, Prediction, Role
from tests.labeling.conftest import World


def test_rights(world: World, rights) -> None:
    world.document()
    rights("post", "/assignments", needs=Role.ANNOTATOR)


def test_a_lease_brings_all_that_is_needed(world: World, django_assert_max_num_queries) -> None:
    document = world.document()
    Prediction.objects.create(document=document, model="m-1", tags=["B-PER"] + ["O"] * 7, confidences=[0.5] * 8)
    with django_assert_max_num_queries(20):
        body = world.client(world.annotator).post(world.url("/assignments")).json()
    assert body["document"]["id"] == document.pk
    assert body["document"]["tokens"][1] == {"text": "Lovelace", "start": 4, "end": 12}
    assert body["suggestion"] == {"tags": ["B-PER"] + ["O"] * 7, "confidences": [0.5] * 8, "model": "m-1"}
    assert body["annotation"] is None
    assert body["assignment"]["expires_at"] > timezone.now().isoformat()
    assert Event.objects.filter(verb="document.leased", document=document.pk).count() == 1


def test_nothing_left(world: World) -> None:
    assert world.client(world.annotator).post(world.url("/assignments")).status_code == 204


def test_bad_input_is_refused(world: World) -> None:
    response = world.client(world.annotator).post(world.url("/assignments"), {"exclude": ["x"]}, format="json")
    assert response.status_code == 400
    assert "exclude" in response.json()["error"]["message"]


def test_asking_again_gives_the_same_until_it_is_done(world: World) -> None:
    first, second = world.document(priority=2), world.document(priority=1)
    assert [queue.lease(world.project, world.annotator).document_id for _ in range(3)] == [first.pk] * 3
    assert queue.lease(world.project, world.annotator, exclude=[first.pk]).document_id == second.pk
    annotate.save(world.project, world.annotator, first.pk, tags=["O"] * 8, revision=0, submit=True)
    assert queue.lease(world.project, world.annotator).document_id == second.pk


def test_train_documents_come_by_priority(world: World) -> None:
    low, high, middle = (world.document(priority=p) for p in (0.1, 0.9, 0.5))
    served = []
    for _ in range(3):
        served.append(queue.lease(world.project, world.annotator).document_id)
        annotate.save(world.project, world.annotator, served[-1], tags=["O"] * 8, revision=0, submit=True)
    assert served == [high.pk, middle.pk, low.pk]


@pytest.mark.parametrize(("rate", "split"), [(0.0, "train"), (1.0, "test")])
def test_the_mix_of_held_out_texts(world: World, rate: float, split: str) -> None:
    world.project.held_out_rate = rate
    by_split = {name: world.document(split=name) for name in ("train", "test")}
    assert queue.lease(world.project, world.annotator).document_id == by_split[split].pk


def test_held_out_texts_come_without_suggestion(world: World) -> None:
    document = world.document(split="test")
    Prediction.objects.create(document=document, model="m", tags=["O"] * 8, confidences=[1.0] * 8)
    assert world.client(world.annotator).post(world.url("/assignments")).json()["suggestion"] is None


def test_overlap_is_filled_and_not_overfilled(world: World) -> None:
    document = world.document()
    assert queue.lease(world.project, world.annotator).document_id == document.pk
    assert queue.lease(world.project, world.second) is None
    world.project.overlap = 2
    assert queue.lease(world.project, world.second).document_id == document.pk
    assert queue.lease(world.project, world.reviewer) is None


def test_ones_own_draft_is_kept_open_when_somebody_else_has_submitted(world: World) -> None:
    world.project.overlap = 2
    document = world.document(priority=1)
    world.document(priority=2, split="test")
    queue.lease(world.project, world.annotator)
    annotate.save(world.project, world.annotator, document.pk, tags=["O"] * 8, revision=0, submit=False)
    annotate.save(world.project, world.second, document.pk, tags=["O"] * 8, revision=0, submit=True)
    assert queue.lease(world.project, world.annotator).document_id == document.pk


def test_an_expired_lease_frees_the_document_but_loses_no_work(world: World) -> None:
    document = world.document()
    queue.lease(world.project, world.annotator)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert queue.lease(world.project, world.second).document_id == document.pk
    late = annotate.save(world.project, world.annotator, document.pk, tags=["O"] * 8, revision=0, submit=False)
    assert late.revision == 1


def test_what_was_skipped_is_served_to_others_only(world: World) -> None:
    document = world.document()
    queue.lease(world.project, world.annotator)
    response = world.client(world.annotator).post(
        world.url(f"/documents/{document.pk}/skip"), {"reason": "not English"}, format="json"
    )
    assert response.status_code == 204
    assert Assignment.objects.get().skip_reason == "not English"
    assert queue.lease(world.project, world.annotator) is None
    assert queue.lease(world.project, world.second).document_id == document.pk


def test_skip_rights(world: World, rights) -> None:
    rights("post", f"/documents/{world.document().pk}/skip", needs=Role.ANNOTATOR)


def test_returned_work_comes_first(world: World) -> None:
    world.document(priority=9)
    document = world.document(priority=1)
    done = annotate.save(world.project, world.annotator, document.pk, tags=["O"] * 8, revision=0, submit=True)
    review.give_back(world.project, world.reviewer, document.pk, annotation_id=done.pk, note="look again")
    body = world.client(world.annotator).post(world.url("/assignments")).json()
    assert body["document"]["id"] == document.pk
    assert (body["annotation"]["state"], body["annotation"]["note"]) == ("returned", "look again")


def test_returned_work_that_is_skipped_stays_away_until_it_is_returned_again(world: World) -> None:
    document = world.document()
    done = annotate.save(world.project, world.annotator, document.pk, tags=["O"] * 8, revision=0, submit=True)
    review.give_back(world.project, world.reviewer, document.pk, annotation_id=done.pk)
    queue.skip(world.project, world.annotator, document.pk, reason="cannot tell")
    assert queue.lease(world.project, world.annotator) is None
    review.give_back(world.project, world.reviewer, document.pk, annotation_id=done.pk)
    assert queue.lease(world.project, world.annotator).document_id == document.pk


def test_archived_documents_are_not_served(world: World) -> None:
    world.document(archived_at=timezone.now())
    assert queue.lease(world.project, world.annotator) is None


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_get_the_same_document(world: World) -> None:
    people = [world.annotator, world.second, world.reviewer, world.manager]
    documents = [world.document(priority=1.0) for _ in range(20)]
    served: list[int] = []
    start = threading.Barrier(len(people))

    def work(user) -> None:
        start.wait()
        try:
            while (lease := queue.lease(world.project, user)) is not None:
                served.append(lease.document_id)
                annotate.save(world.project, user, lease.document_id, tags=["O"] * 8, revision=0, submit=True)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(served) == Counter(document.pk for document in documents)
    assert set(Document.objects.values_list("status", flat=True)) == {"submitted"}
