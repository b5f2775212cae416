"""Failed sign-ins are counted, by form and over REST together; others are not kept out."""

import uuid

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as Unreachable

from labeling import attempts
from tests import factories

ELSEWHERE = "192.0.2.2"


@pytest.fixture(autouse=True)
def address(settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """An address that no other test or run has counted."""
    settings.SIGN_IN_RATE, settings.SIGN_IN_FAILURES = "5/day", "3/day"
    monkeypatch.setitem(globals(), "ADDRESS", f"2001:db8::{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}")
    return ADDRESS


ADDRESS = ""


def form(name: str, password: str, address: str = "") -> int:
    given = {"username": name, "password": password}
    return Client().post("/sign-in/", given, REMOTE_ADDR=address or ADDRESS).status_code


def rest(name: str, password: str, address: str = "") -> int:
    given = {"username": name, "password": password}
    return Client().post("/api/v1/auth/token", given, "application/json", REMOTE_ADDR=address or ADDRESS).status_code


def test_a_name_is_guessed_only_so_often_from_one_address(db: None) -> None:
    person, other = factories.user(), factories.user()
    assert [form(person.username, "x"), rest(person.username, "x"), rest(person.username.upper(), "x")] == [
        200,
        401,
        401,
    ]
    assert form(person.username, factories.PASSWORD) == 429
    assert rest(person.username, factories.PASSWORD) == 429
    assert form(other.username, factories.PASSWORD) == 302
    assert form(person.username, factories.PASSWORD, ELSEWHERE) == 302  # the person is not kept out


def test_many_names_are_tried_only_so_often_from_one_address(db: None) -> None:
    person = factories.user()
    assert [rest(f"guess{number}", "x") for number in range(5)] == [401] * 5
    answer = Client().post("/sign-in/", {"username": person.username, "password": "x"}, REMOTE_ADDR=ADDRESS)
    assert (answer.status_code, "Too many failed attempts" in answer.content.decode()) == (429, True)
    late = Client().post(
        "/api/v1/auth/token", {"username": "x", "password": "x"}, "application/json", REMOTE_ADDR=ADDRESS
    )
    assert late.json()["error"]["code"] == "throttled"
    assert int(late.headers["Retry-After"]) == late.json()["error"]["details"]["wait"] > 0
    assert form(person.username, factories.PASSWORD, ELSEWHERE) == 302


def test_signing_in_forgets_what_failed(db: None) -> None:
    person = factories.user()
    for _ in range(2):
        assert [form(person.username, "x"), form(person.username, "x")] == [200, 200]
        assert form(person.username, factories.PASSWORD) == 302


def test_what_a_client_says_of_its_address_is_not_believed(db: None) -> None:
    given = {"username": "x", "password": "x"}
    statuses = [
        Client().post("/sign-in/", given, REMOTE_ADDR=ADDRESS, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code
        for n in range(4)
    ]
    assert statuses == [200, 200, 200, 429]


def test_people_sign_in_without_the_counting_server(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def __getattr__(self, name: str):
            raise Unreachable(f"{name}: refused")

    monkeypatch.setattr(attempts, "cache", Gone())
    person = factories.user()
    assert [form(person.username, "x"), form(person.username, factories.PASSWORD)] == [200, 302]
