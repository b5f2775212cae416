"""Many documents at once: previewed, done in one change, undone in one step; from the page and over REST."""

import re
from typing import Any

import pytest
from django.test import Client

from datasets_app import bulk, jobs, undoing
from datasets_app.models import Change
from labeling import annotate, documents, queue, review
from labeling.errors import Conflict
from labeling.models import Annotation, Assignment, Document, Event, Role
from tests.labeling.conftest import World

TAGS = ["B-PER", *["O"] * 7]


def post(world: World, path: str = "", *, user: Any = None, **body: Any) -> Any:
    return world.client(user or world.manager).post(world.url(f"/bulk{path}"), body, format="json")


@pytest.fixture
def ids(world: World) -> list[int]:
    """Accepted, to review, to label, archived."""
    made = [world.document() for _ in range(4)]
    for each in made[:2]:
        annotate.save(world.project, world.annotator, each.pk, tags=TAGS, revision=0, submit=True)
    gold = made[0].annotations.get()
    review.accept(world.project, world.reviewer, made[0].pk, annotation_id=gold.pk)
    documents.archive(world.project, world.manager, made[3].pk)
    return [each.pk for each in made]


def statuses(ids: list[int]) -> list[str]:
    rows = {each.pk: each for each in Document.objects.filter(pk__in=ids)}
    return ["archived" if rows[pk].archived_at else rows[pk].status for pk in ids]


BEFORE = ["accepted", "submitted", "pending", "archived"]


def test_rights(world: World, ids: list[int], rights: Any) -> None:
    for path in ("/bulk/preview", "/bulk"):
        rights("post", path, needs=Role.MANAGER, body={"act": "archive", "documents": ids})


@pytest.mark.parametrize(
    ("act", "after", "left_out"),
    [
        ("archive", ["archived"] * 4, {"archived": 1}),
        ("restore", ["accepted", "submitted", "pending", "pending"], {"not_archived": 3}),
        (
            "review",
            ["submitted", "submitted", "pending", "archived"],
            {"archived": 1, "to_review": 1, "nobody_submitted": 1},
        ),
        ("assign", BEFORE, {"archived": 1, "not_pending": 2}),
    ],
)
def test_each_act_tells_does_and_is_undone(
    world: World, ids: list[int], act: str, after: list[str], left_out: dict[str, int]
) -> None:
    order = {"act": act, "documents": ids, "person": "second"}
    told = post(world, "/preview", **order).json()
    assert (told["matching"], told["left_out"]) == (4, left_out)
    assert told["documents"] == len(told["sample"]) == 4 - sum(left_out.values())
    assert statuses(ids) == BEFORE
    accepted = Annotation.objects.get(accepted=True)
    change = post(world, **order, expected=told["documents"]).json()
    assert change["data"]["documents"] == told["documents"]
    assert statuses(ids) == after
    event = Event.objects.get(verb=bulk.ACTS[act].kind)
    assert (event.actor, event.data["change"]) == (world.manager, change["id"])
    assert world.client(world.manager).post(f"/api/v1/changes/{change['id']}/undo").status_code == 200
    assert statuses(ids) == BEFORE
    again = Annotation.objects.get(accepted=True)
    assert (again.pk, again.accepted_at, again.accepted_by) == (accepted.pk, accepted.accepted_at, world.reviewer)
    assert not Assignment.objects.filter(annotator=world.second).exists()


def test_filters_stand_for_all_that_they_match(world: World, ids: list[int]) -> None:
    told = post(world, "/preview", act="archive", filters={"status": "submitted"}).json()
    assert (told["documents"], told["by_status"]) == (1, {"submitted": 1})
    assert post(world, act="archive", filters={"label": "PER"}).json()["data"]["documents"] == 2
    assert statuses(ids) == ["archived", "archived", "pending", "archived"]
    assert post(world, act="restore", filters={"archived": True}).json()["data"]["documents"] == 3


def test_what_is_assigned_comes_next_and_stays_when_begun(world: World, ids: list[int]) -> None:
    other = world.document(priority=0.9)
    change = post(world, act="assign", documents=[ids[2], other.pk], person="second").json()
    assert queue.lease(world.project, world.annotator) is None  # one person a document, and they are the other's
    assert queue.lease(world.project, world.second).document_id == other.pk
    annotate.save(world.project, world.second, other.pk, tags=TAGS, revision=0, submit=False)
    undoing.undo(Change.objects.get(pk=change["id"]), world.manager)
    assert list(Assignment.objects.filter(annotator=world.second).values_list("document", flat=True)) == [other.pk]
    told = post(world, "/preview", act="assign", documents=[other.pk], person="annotator").json()
    assert (told["left_out"], told["at_work"]) == ({"taken": 1}, 1)


def test_a_decision_since_is_not_undone(world: World, ids: list[int]) -> None:
    change = Change.objects.get(pk=post(world, act="review", documents=ids[:1]).json()["id"])
    gold = Annotation.objects.get(document=ids[0])
    review.accept(world.project, world.reviewer, ids[0], annotation_id=gold.pk)
    with pytest.raises(Conflict, match="were decided on since"):
        undoing.undo(change, world.manager)


def test_what_changed_since_the_preview_is_told(world: World, ids: list[int]) -> None:
    told = post(world, "/preview", act="archive", filters={}).json()
    world.document()
    late = post(world, act="archive", filters={}, expected=told["documents"])
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert statuses(ids) == BEFORE


def test_many_are_a_job_all_or_nothing(world: World, ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    answer = post(world, act="archive", filters={}, expected=3)
    assert answer.status_code == 202
    jobs.run(answer.json()["job"])
    shown = world.client(world.manager).get(f"/api/v1/jobs/{answer.json()['job']}").json()
    assert (shown["state"], shown["result"]["documents"]) == ("succeeded", 3)
    undoing.undo(Change.objects.get(pk=shown["result"]["change"]), world.manager)
    assert statuses(ids) == BEFORE
    late = post(world, act="archive", filters={}, expected=4).json()["job"]
    jobs.run(late)
    assert "would be touched by now" in world.client(world.manager).get(f"/api/v1/jobs/{late}").json()["message"]
    assert statuses(ids) == BEFORE


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"act": "burn", "documents": [1]}, "act is 'burn'"),
        ({"act": "archive"}, "either documents"),
        ({"act": "archive", "documents": [1], "filters": {}}, "either documents"),
        ({"act": "assign", "documents": [1]}, "to whom"),
        ({"act": "assign", "documents": [1], "person": "stranger"}, "not a member"),
        ({"act": "archive", "filters": {"status": "x"}}, "status is 'x'"),
        ({"act": "archive", "filters": {"below": "7"}}, "below"),
        ({"act": "archive", "documents": ["x"]}, "documents"),
    ],
)
def test_bad_orders_are_explained(world: World, body: dict[str, Any], told: str) -> None:
    for path in ("", "/preview"):
        answer = post(world, path, **body)
        assert answer.status_code == 400
        assert told in answer.json()["error"]["message"]


def test_other_projects_are_out_of_reach(world: World, ids: list[int]) -> None:
    foreign = post(world, "/preview", act="archive", documents=[10**9, *ids]).json()
    assert foreign["matching"] == 4


def test_from_the_page(world: World, ids: list[int], client: Client) -> None:
    client.force_login(world.manager)
    base = f"/projects/{world.project.slug}/documents/"
    assert client.get(f"{base}?status=pending").status_code == 200
    shown = client.post(f"{base}bulk/?status=pending", {"act": "archive", "scope": "all"}).content.decode()
    assert "It touches 1 document" in shown
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown))
    done = client.post(f"{base}bulk/?status=pending", fields, follow=True)
    assert "It can be undone here" in done.content.decode()
    assert statuses(ids)[2] == "archived"
    none = client.post(f"{base}bulk/", {"act": "archive", "scope": "selected"}, follow=True)
    assert "Tick at least one" in none.content.decode()
    client.force_login(world.reviewer)
    assert client.post(f"{base}bulk/", {"act": "archive", "scope": "all"}).status_code == 403
    assert "bulk-act" not in client.get(base).content.decode()
