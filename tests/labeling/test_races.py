"""Two people at once: whoever comes second is told so, and no rule is broken in between."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from labeling import annotate, projects, review
from labeling.errors import Conflict, GoldsetError
from labeling.models import Annotation, Label, Membership, Prediction, Project, Role
from tests.labeling.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    """What each verb gave or raised, all begun at the same moment."""
    start, outcomes = threading.Barrier(len(verbs)), dict[int, Any]()

    def work(number: int) -> None:
        start.wait()
        try:
            outcomes[number] = verbs[number]()
        except Exception as error:
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(verbs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[number] for number in range(len(verbs))]


def test_two_managers_who_remove_each_other(world: World) -> None:
    for _ in range(5):
        projects.set_member(world.project, world.manager, username="second", role=Role.MANAGER)
        outcomes = at_once(
            lambda: projects.remove_member(world.project, world.manager, username="second"),
            lambda: projects.remove_member(world.project, world.second, username="manager"),
        )
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert [getattr(error, "code", error) for error in refused] == ["last_manager"]
        (left,) = Membership.objects.filter(project=world.project, role=Role.MANAGER)
        projects.set_member(world.project, left.user, username="manager", role=Role.MANAGER)


def test_projects_of_one_name_get_a_slug_each(world: World) -> None:
    made = at_once(*[lambda: projects.create(world.manager, name="Same name")] * 6)
    assert all(isinstance(project, Project) for project in made)
    assert len({project.slug for project in made}) == 6


def test_a_label_is_not_deleted_under_a_save(world: World) -> None:
    """The save is open when the label is to go: the deleter waits for it, and is then refused."""
    document = world.document("one two")
    saved, deleting = threading.Event(), threading.Event()

    def save() -> None:
        with transaction.atomic():
            annotate.save(world.project, world.annotator, document.pk, tags=["B-PER", "O"], revision=0, submit=True)
            saved.set()
            deleting.wait()
            wait_for_a_waiting_lock()

    def delete() -> None:
        saved.wait()
        deleting.set()
        projects.delete_label(Label.objects.get(name="PER"), world.manager)

    _, refused = at_once(save, delete)
    assert isinstance(refused, Conflict)
    assert refused.code == "label_in_use"
    assert Label.objects.filter(name="PER").exists()
    assert Annotation.objects.get().tags == ["B-PER", "O"]


def wait_for_a_waiting_lock() -> None:
    """Until the other one stands at a lock of ours."""
    with connection.cursor() as cursor:
        for _ in range(6000):  # a minute: machines can be busy
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_sleep(0.01) IS NOT NULL")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for a lock")


def test_a_save_does_not_use_a_label_that_goes(world: World) -> None:
    document = world.document("one two")
    Prediction.objects.create(document=document, model="m", tags=["B-PER", "O"], confidences=[1, 1])
    deleted, saving = threading.Event(), threading.Event()

    def delete() -> None:
        with transaction.atomic():
            projects.delete_label(Label.objects.get(name="PER"), world.manager)
            deleted.set()
            saving.wait()
            wait_for_a_waiting_lock()

    def save() -> None:
        deleted.wait()
        saving.set()
        Annotation.objects.create(document=document, annotator=world.annotator, tags=["B-PER", "O"])

    gone, refused = at_once(delete, save)
    assert gone is None
    assert refused.__cause__.diag.constraint_name == "labeling_annotation_label_known"
    assert not Annotation.objects.exists()
    assert not Prediction.objects.exists()


def test_accepting_and_returning_at_once_leaves_one_of_both(world: World) -> None:
    for _ in range(8):
        document = world.document("one two")
        saved = annotate.save(world.project, world.annotator, document.pk, tags=["B-PER", "O"], revision=0, submit=True)
        outcomes = at_once(
            lambda: review.accept(world.project, world.reviewer, document.pk, annotation_id=saved.pk),  # noqa: B023
            lambda: review.give_back(world.project, world.manager, document.pk, annotation_id=saved.pk),  # noqa: B023
        )
        document.refresh_from_db()
        saved.refresh_from_db()
        assert all(isinstance(outcome, (Annotation, GoldsetError)) for outcome in outcomes)
        assert (document.status, saved.state, saved.accepted) == ("pending", "returned", False)
