"""A request that is too large is refused by its header, whoever sends it."""

import pytest
from django.test import Client

from tests import factories
from tests.config.test_errors import shape


@pytest.fixture(autouse=True)
def small_limit(settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_nobody_sends_a_large_body(client: Client, db, kind: str):
    answer = client.post("/api/v1/auth/token", b"x" * 2000, content_type=kind)
    assert answer.status_code == 413
    assert shape(answer)["code"] == "too_large"


def test_a_page_refuses_a_large_form(db):
    answer = Client(enforce_csrf_checks=True).post(
        "/sign-in/", b"x" * 2000, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 413
    assert answer["Content-Type"].startswith("text/html")


def test_an_import_has_a_limit_of_its_own(api, db, settings):
    manager = factories.user()
    project = factories.project(manager=manager)
    path = f"/api/v1/projects/{project.slug}/imports"
    answer = api(manager).post(path, b"x" * 2000, content_type="multipart/form-data; boundary=x")
    assert shape(answer)["code"] != "too_large"
    settings.UPLOAD_MAX_BYTES = -2_000_000
    answer = api(manager).post(path, b"x" * 2000, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, shape(answer)["code"]) == (413, "too_large")
