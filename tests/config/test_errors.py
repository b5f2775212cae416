"""One shape for every error under /api/, a page elsewhere, and nothing about the inside of the server."""

import errno

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from psycopg.errors import DeadlockDetected

from config import errors
from labeling.errors import Conflict, Invalid
from tests import factories


def shape(answer) -> dict:
    """The error, after checking that it has the shape and nothing else."""
    assert answer["Content-Type"].startswith("application/json")
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "details"]
    assert isinstance(body["error"]["details"], dict)
    assert body["error"]["message"]
    return body["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/v1/projects", 401),
        ("get", "/api/v1/no-such-thing", 404),
        ("get", "/api/v1/projects/no-such-project", 401),
        ("post", "/api/v1/auth/token", 400),
    ],
)
def test_requests_of_nobody(client: Client, db, method, path, status):
    answer = getattr(client, method)(path)
    assert answer.status_code == status
    shape(answer)


def test_requests_of_somebody(api, db):
    person = factories.user()
    for method, path, body, status in [
        ("get", "/api/v1/projects/no-such-project", None, 404),
        ("delete", "/api/v1/projects", None, 405),
        ("post", "/api/v1/projects", {}, 400),
        ("post", "/api/v1/projects", {"name": ["a", "list"]}, 400),
    ]:
        answer = getattr(api(person), method)(path, body, format="json")
        assert answer.status_code == status, (method, path)
        shape(answer)


@pytest.mark.parametrize(
    "content",
    [b"{", b"\xff\xfe", b"[1, 2", b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b"[" * 5000, b'{"a":' * 5000],
)
def test_broken_json_is_a_400(api, db, content):
    answer = api(factories.user()).post("/api/v1/projects", content, content_type="application/json")
    assert answer.status_code == 400
    shape(answer)


def test_a_body_of_another_kind_is_a_415(api, db):
    answer = api(factories.user()).post("/api/v1/projects", b"<xml/>", content_type="application/xml")
    assert answer.status_code == 415
    shape(answer)


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Conflict("Somebody was quicker.", code="stale"), 409, "stale"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (RequestDataTooBig(), 413, "too_large"),
        (ValidationError({"name": ["is too long"]}), 400, "invalid"),
        (OperationalError("host db.internal refused"), 503, "database_unavailable"),
        (DataError("value too long"), 400, "invalid"),
        (IntegrityError("duplicate key in db.internal"), 409, "conflict"),
        (_caused(OperationalError("deadlock in db.internal"), DeadlockDetected()), 409, "conflict"),
        (SuspiciousOperation("db.internal"), 400, "invalid"),
        (OSError(errno.ENOSPC, "No space left on db.internal"), 503, "disk_full"),
        ("\ud800".encode, 400, "invalid"),
    ],
)
def test_known_trouble_has_its_status(raised, status, code):
    if callable(raised):
        with pytest.raises(UnicodeEncodeError) as caught:
            raised("utf-8")
        raised = caught.value
    known = errors.as_goldset_error(raised)
    assert (known.status, known.code) == (status, code)
    assert "db.internal" not in known.message


def test_the_unexpected_is_not_taken_for_known():
    assert errors.as_goldset_error(RuntimeError("a secret")) is None


def test_a_page_gets_a_page_and_an_api_call_gets_json(client, db):
    page = client.get("/no-such-page")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    request = RequestFactory().get("/api/v1/anything")
    answer = errors.respond(request, Invalid("Line 3: no tab.", details={"line": 3}))
    assert answer.status_code == 400
    assert b'"line": 3' in answer.content


def test_who_follows_a_link_to_a_file_sees_a_page(client, db):
    """A browser says that somebody goes there; a script that asks for the same gets JSON."""
    going = {"sec-fetch-mode": "navigate"}
    signed_out = client.get("/api/v1/jobs/1/errors", headers=going)
    assert (signed_out.status_code, signed_out["Location"]) == (302, "/sign-in/?next=/api/v1/jobs/1/errors")
    client.force_login(factories.user())
    lost = client.get("/api/v1/jobs/1/errors", headers=going)
    assert (lost.status_code, lost["Content-Type"].partition(";")[0]) == (404, "text/html")
    assert client.get("/api/v1/projects?limit=x", headers=going).status_code == 400
    assert client.put("/api/v1/projects", headers=going).status_code in (403, 405)
    shape(client.get("/api/v1/jobs/1/errors"))
    form_alone = client.get("/sign-out/")
    assert (form_alone.status_code, "form on another page" in form_alone.content.decode()) == (405, True)


def test_a_part_of_a_page_sends_who_is_signed_out_to_sign_in(client, db):
    """Not with the sign-in page in place of the part."""
    asked = {"hx-request": "true", "hx-current-url": "http://testserver/projects/news/progress/?a=b"}
    answer = client.get("/projects/news/progress/pace/", headers=asked)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["HX-Redirect"] == "/sign-in/?next=/projects/news/progress/%3Fa%3Db"
    assert client.get("/projects/news/progress/pace/").status_code == 302


def test_a_server_error_tells_nothing(client, db, monkeypatch):
    from config import health

    def fall():
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(health, "missing", fall)
    client.raise_request_exception = False
    answer = client.get("/readyz")
    assert answer.status_code == 500
    assert b"hunter2" not in answer.content


@pytest.mark.parametrize(
    ("details", "complaint"),
    [
        ({"name": ["is required"]}, "name: is required"),
        ({"labels": [{}, {"color": ["no color"]}]}, "labels[1].color: no color"),
        (["just wrong"], "just wrong"),
    ],
)
def test_the_first_complaint_says_where(details, complaint):
    assert errors._first_complaint(details) == complaint


@pytest.mark.parametrize("path", ["/api/v1/schema/", "/api/v1/docs/"])
def test_errors_of_the_schema_are_json_too(client, api, db, path):
    assert shape(client.get(path))["code"] == "not_authenticated"
    assert shape(api(factories.user()).post(path))["code"] == "method_not_allowed"
    assert api(factories.user()).options(path).status_code in (200, 405)


def test_a_request_that_django_refuses_has_our_shape(client, db):
    for host in ("evil.example", "a b", "[::1"):
        answer = client.get("/api/v1/projects", headers={"host": host})
        assert answer.status_code == 400
        shape(answer)
        assert client.get("/sign-in/", headers={"host": host}).status_code == 400
    answer = client.post("/api/v1/auth/token", {f"field{number}": "x" for number in range(2000)})
    assert answer.status_code == 400
    shape(answer)


def test_pages_and_messages_are_in_one_language(api, db):
    person = factories.user()
    answer = api(person).post("/api/v1/projects", {}, format="json", headers={"accept-language": "de"})
    assert "required" in shape(answer)["message"]


def test_nobody_evades_the_sign_in_limit_by_a_header():
    from rest_framework.throttling import ScopedRateThrottle

    request = RequestFactory().get("/", headers={"x-forwarded-for": "1.2.3.4"})
    assert ScopedRateThrottle().get_ident(request) == "127.0.0.1"


def test_a_page_that_is_not_there_while_the_database_is_away(client, db, monkeypatch):
    client.force_login(factories.user())
    monkeypatch.setattr("django.contrib.auth.middleware.get_user", _database_away)
    answer = client.get("/no-such-page")
    assert answer.status_code == 503
    assert b"does not answer" in answer.content


def _database_away(request):
    raise OperationalError("connection refused")
