"""Projects, labels and members over REST."""

import base64
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from labeling.models import Annotation, Event, Label, Membership, Prediction, Project, Role
from tests.labeling.conftest import World


def test_a_login_becomes_a_token(db: None) -> None:
    user = User.objects.create_user("ada", password="a long pass phrase")
    client = APIClient()
    body = {"username": "ada", "password": "a long pass phrase"}
    token = client.post("/api/v1/auth/token", body, format="json").json()["token"]
    assert client.post("/api/v1/auth/token", body, format="json").json()["token"] == token
    assert Token.objects.get(user=user).key == token
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/projects").json() == {"results": [], "next": None}


def test_a_wrong_login_is_refused_in_our_shape(db: None) -> None:
    response = APIClient().post("/api/v1/auth/token", {"username": "x", "password": "y"}, format="json")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "bad_login")
    response = APIClient().get("/api/v1/projects", HTTP_AUTHORIZATION="Token nonsense")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "authentication_failed")


def test_create_and_read(world: World, django_assert_max_num_queries) -> None:
    client = world.client(world.stranger)
    given = {
        "name": "Nachrichten & 新闻",
        "labels": [{"name": "PER", "color": "#AA0000", "hotkey": "p", "description": "people"}, {"name": "ORG"}],
        "guidelines": "# Rules",
        "overlap": 2,
        "review": "disagreement",
        "splits": {"train": 0.6, "validation": 0.2, "test": 0.2},
    }
    made = client.post("/api/v1/projects", given, format="json")
    assert made.status_code == 201
    body = made.json()
    assert (body["slug"], body["overlap"], body["review"]) == ("nachrichten", 2, "disagreement")
    assert body["splits"] == {"train": 0.6, "validation": 0.2, "test": 0.2}
    assert [(label["name"], label["position"]) for label in body["labels"]] == [("PER", 1), ("ORG", 2)]
    assert (body["labels"][0]["color"], body["labels"][1]["color"][0]) == ("#aa0000", "#")
    assert Membership.objects.get(project__slug="nachrichten").role == "manager"
    with django_assert_max_num_queries(4):
        assert client.get("/api/v1/projects/nachrichten").json()["role"] == "manager"
    assert client.post("/api/v1/projects", given, format="json").json()["slug"] == "nachrichten-2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "overlap": 0}, "overlap"),
        ({"name": "x", "review": "maybe"}, "review"),
        ({"name": "x", "labels": [{"name": "has blank"}]}, "has blank"),
        ({"name": "x", "labels": [{"name": "X", "color": "red"}]}, "red"),
        ({"name": "x", "labels": [{"name": "X"}, {"name": "X"}]}, "X"),
        ({"name": "x", "labels": ["PER"]}, "labels"),
        ({"name": "x", "splits": {"validation": 0.9}}, "splits"),
        ({"name": "x", "splits": {"train": 0.5, "validation": 0.1, "test": 0.1}}, "splits"),
        ({"name": "x", "tokenizer": "none"}, "tokenizer"),
        ({"name": "a\0b"}, "name"),
    ],
)
def test_a_bad_project_is_refused_whole(world: World, body: dict[str, Any], field: str) -> None:
    response = world.client(world.stranger).post("/api/v1/projects", body, format="json")
    assert response.status_code in (400, 409)
    assert field in response.json()["error"]["message"]
    assert Project.objects.count() == 1


def test_rights(world: World, rights) -> None:
    rights("get", "", needs=Role.ANNOTATOR)
    rights("patch", "", needs=Role.MANAGER, body={"overlap": 2})
    rights("get", "/labels", needs=Role.ANNOTATOR)
    rights("post", "/labels", needs=Role.MANAGER, body={"name": "ORG"})
    rights("patch", "/labels/ORG", needs=Role.MANAGER, body={"description": "x"})
    rights("delete", "/labels/ORG", needs=Role.MANAGER)
    rights("get", "/members", needs=Role.ANNOTATOR)
    rights("post", "/members", needs=Role.MANAGER, body={"username": "annotator", "role": "annotator"})
    rights("delete", "/members", needs=Role.MANAGER, body={"username": "annotator"})


def test_the_list_is_ones_own_and_paged(world: World, django_assert_num_queries) -> None:
    client = world.client(world.manager)
    for number in range(3):
        client.post("/api/v1/projects", {"name": f"P{number}"}, format="json")
    with django_assert_num_queries(2):
        first = client.get("/api/v1/projects?limit=2").json()
    assert len(first["results"]) == 2
    second = client.get(first["next"]).json()
    names = [project["name"] for project in first["results"] + second["results"]]
    assert (names, second["next"]) == (["P0", "P1", "P2", "People and places"], None)
    assert world.client(world.stranger).get("/api/v1/projects").json()["results"] == []
    for bad in ("?limit=0", "?limit=x", "?cursor=!!", "?cursor=W10=", "?cursor=WzEsWzJdXQ=="):
        assert client.get(f"/api/v1/projects{bad}").status_code == 400


@pytest.mark.parametrize(
    "values", ['["x","y"]', '["x",null]', '["x",1e999]', '["x",NaN]', '["x","\\ud800"]', '["x"]', "{}", "[" * 2000]
)
def test_a_cursor_of_somebody_s_own_making_is_refused(world: World, values: str) -> None:
    cursor = base64.urlsafe_b64encode(values.encode()).decode()
    response = world.client(world.manager).get("/api/v1/projects", {"cursor": cursor})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_cursor")


def test_settings_change_with_an_event(world: World) -> None:
    client = world.client(world.manager)
    assert client.patch(world.url(), {"overlap": 3, "retrain_hour": 5}, format="json").json()["overlap"] == 3
    assert Event.objects.get(verb="project.changed").data == {"overlap": [1, 3], "retrain_hour": [2, 5]}
    assert client.patch(world.url(), {"retrain_hour": 24}, format="json").status_code == 400
    assert client.patch(world.url(), {"labels": []}, format="json").status_code == 400
    world.project.refresh_from_db()
    assert world.project.retrain_hour == 5


def test_labels(world: World) -> None:
    client = world.client(world.manager)
    assert client.post(world.url("/labels"), {"name": "creative-work"}, format="json").status_code == 201
    for taken in ({"name": "PER"}, {"name": "Y", "hotkey": "l"}):
        assert client.post(world.url("/labels"), taken, format="json").status_code == 409
    assert client.patch(world.url("/labels/PER"), {"name": "PERSON"}, format="json").json()["name"] == "PERSON"
    assert client.delete(world.url("/labels/PERSON")).status_code == 204
    assert client.delete(world.url("/labels/PERSON")).status_code == 404
    names = [label["name"] for label in client.get(world.url("/labels")).json()["results"]]
    assert names == ["LOC", "creative-work"]


def test_a_label_may_hold_a_slash_and_bring_its_position(world: World) -> None:
    client = world.client(world.manager)
    body = {"name": "More", "labels": [{"name": "B", "position": 7}, {"name": "A/B", "position": 2}]}
    created = client.post("/api/v1/projects", body, format="json")
    assert created.status_code == 201
    path = f"/api/v1/projects/{created.json()['slug']}/labels"
    assert [label["name"] for label in client.get(path).json()["results"]] == ["A/B", "B"]
    assert client.patch(f"{path}/A%2FB", {"description": "x"}, format="json").status_code == 200
    assert client.delete(f"{path}/A/B").status_code == 204


def test_one_share_changes_and_the_other_stays(world: World) -> None:
    client = world.client(world.manager)
    shown = client.patch(world.url(), {"splits": {"validation": 0.3}}, format="json").json()["splits"]
    assert shown == {"train": 0.6, "validation": 0.3, "test": 0.1}
    for bad in ({"train": 0.7, "test": 0.3}, {"train": 0.7}, {"validation": "nan"}, {"validation": 0.46}):
        assert client.patch(world.url(), {"splits": bad}, format="json").status_code == 400


def test_a_used_label_stays(world: World) -> None:
    document = world.document("one two")
    Annotation.objects.create(document=document, annotator=world.annotator, tags=["B-PER", "O"])
    Prediction.objects.create(document=document, model="m", tags=["B-LOC", "O"], confidences=[1, 1])
    client = world.client(world.manager)
    assert client.delete(world.url("/labels/PER")).json()["error"]["code"] == "label_in_use"
    renamed = client.patch(world.url("/labels/PER"), {"name": "X"}, format="json")
    assert (renamed.status_code, renamed.json()["error"]["code"]) == (409, "label_in_use")
    assert client.delete(world.url("/labels/LOC")).status_code == 204
    assert list(Label.objects.values_list("name", flat=True)) == ["PER"]
    assert not Prediction.objects.exists()


def test_members(world: World) -> None:
    client = world.client(world.manager)
    assert client.post(world.url("/members"), {"username": "nobody"}, format="json").status_code == 404
    body = {"username": "new", "password": "a long pass phrase"}
    assert client.post(world.url("/members"), body, format="json").status_code == 403
    admin = User.objects.create_superuser("root")
    assert world.client(admin).post(world.url("/members"), body | {"password": "123"}, format="json").status_code == 400
    assert not User.objects.filter(username="new").exists()
    assert world.client(admin).post(world.url("/members"), body, format="json").status_code == 201
    assert User.objects.get(username="new").check_password("a long pass phrase")
    for request in (
        client.delete(world.url("/members"), {"username": "manager"}, format="json"),
        client.post(world.url("/members"), {"username": "manager", "role": "annotator"}, format="json"),
    ):
        assert (request.status_code, request.json()["error"]["code"]) == (409, "last_manager")
    for _ in range(2):
        assert client.delete(world.url("/members?username=new")).status_code == 204
    assert client.delete(world.url("/members")).status_code == 400


def test_a_member_of_one_project_reaches_no_row_of_another(world: World) -> None:
    document = world.document()
    client = world.client(world.stranger)
    other = client.post("/api/v1/projects", {"name": "Mine"}, format="json").json()["slug"]
    for method, path in (
        ("get", ""),
        ("delete", ""),
        ("get", "/annotation"),
        ("post", "/skip"),
        ("post", "/restoration"),
    ):
        response = getattr(client, method)(f"/api/v1/projects/{other}/documents/{document.pk}{path}", {}, format="json")
        assert response.status_code == 404, (method, path)
    assert client.patch(f"/api/v1/projects/{other}/labels/PER", {"name": "x"}, format="json").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "field", "nearest"),
    [
        ("", {"ovrelap": 2}, "ovrelap", "overlap"),
        ("", {"splits": {"validaton": 0.1}}, "splits.validaton", "validation"),
        ("/labels", {"name": "X", "colour": "#000000"}, "colour", "color"),
        ("/members", {"username": "second", "zzz": 1}, "zzz", None),
    ],
)
def test_a_field_that_nobody_reads_is_refused(
    world: World, path: str, body: dict[str, Any], field: str, nearest: str | None
) -> None:
    client = world.client(world.manager)
    answer = (client.post if path else client.patch)(world.url(path), body, format="json")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "unknown_field")
    assert (error["details"]["field"], error["details"]["nearest"]) == (field, nearest)
    assert repr(nearest or field) in error["message"]
    labels = {"name": "New", "labels": [{"name": "A"}, {"name": "B", "hotky": "b"}]}
    listed = client.post("/api/v1/projects", labels, format="json").json()["error"]
    assert listed["details"]["field"] == "labels[1].hotky"
    assert not Project.objects.filter(name="New").exists()


def test_what_was_read_can_be_sent_back(world: World) -> None:
    client = world.client(world.manager)
    shown = client.get(world.url()).json()
    shown.pop("labels")
    answer = client.patch(world.url(), shown, format="json")
    assert answer.status_code == 200, answer.json()
