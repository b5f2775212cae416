"""Files that come in parts: resumed where they were cut off, never mixed up, imported once they are whole."""

import fcntl
import os
import time
from io import BytesIO

import pytest

from datasets_app import jobs, uploads
from datasets_app.models import Job, Upload
from labeling.errors import Invalid, TooLarge
from labeling.models import Document
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/news/uploads"
LINES = b"".join(b"text %d\n" % number for number in range(300))


@pytest.fixture
def client(api, manager, project):
    return api(manager)


def begin(client, size: int = len(LINES), name: str = "a.txt") -> str:
    response = client.post(URL, {"name": name, "size": size}, format="json")
    assert response.status_code == 201, response.content
    assert response["Location"] == f"{URL}/{response.json()['upload']}"
    return response["Location"]


def put(client, url: str, data: bytes, offset: int | str):
    return client.put(f"{url}?offset={offset}", data, content_type="application/octet-stream")


def import_it(client, url: str, **options):
    return client.post(
        "/api/v1/projects/news/imports", {"upload": url.rpartition("/")[2], **options}, format="multipart"
    )


def test_in_parts(client, django_capture_on_commit_callbacks):
    url = begin(client)
    assert put(client, url, LINES[:1000], 0).json()["offset"] == 1000
    assert client.get(url).json() == {
        "upload": url.rpartition("/")[2], "name": "a.txt", "size": len(LINES), "offset": 1000}  # fmt: skip
    early = import_it(client, url)
    assert (early.status_code, early.json()["error"]["details"]["offset"]) == (409, 1000)
    assert put(client, url, LINES[1000:], 1000).json()["offset"] == len(LINES)
    with django_capture_on_commit_callbacks(execute=True):
        response = import_it(client, url, split="test")
    assert response.status_code == 202
    jobs.run(response.json()["job"])
    assert Document.objects.filter(split="test").count() == 300
    assert (client.get(url).status_code, import_it(client, url).status_code) == (404, 404)
    assert not (uploads.folder() / f"part-{url.rpartition('/')[2].replace('-', '')}").exists()


def test_a_part_at_another_place_is_told_where_to_go_on(client):
    url = begin(client)
    put(client, url, LINES[:100], 0)
    for offset in (0, 99, 101, 10**18):
        response = put(client, url, LINES[100:], offset)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "wrong_offset")
        assert response.json()["error"]["details"]["offset"] == 100
    for offset in ("", "-1", "x", "1e3", "9" * 30, "²"):
        assert put(client, url, b"", offset).json()["error"]["details"] == {"field": "offset"}
    assert put(client, url, b"", 100).json()["offset"] == 100
    form = client.put(f"{url}?offset=100", LINES[100:200], content_type="application/x-www-form-urlencoded")
    assert form.json()["offset"] == 200


def test_what_has_arrived_of_a_broken_part_stays(client, manager, project):
    class Broken(BytesIO):
        def read(self, size=-1):
            piece = super().read(50)
            if not piece:
                raise OSError("the connection is gone")
            return piece

    upload = uploads.begin(project, manager, name="a.txt", size=len(LINES))
    with pytest.raises(OSError, match="gone"):
        uploads.append(upload, Broken(LINES[:150]), offset=0)
    assert uploads.received(upload) == 150
    assert uploads.append(upload, BytesIO(LINES[150:]), offset=150) == len(LINES)
    assert uploads.part_of(upload).read_bytes() == LINES


def test_two_parts_at_once(client):
    url = begin(client)
    with (uploads.folder() / f"part-{Upload.objects.get().pk.hex}").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert put(client, url, LINES, 0).status_code == 409
    assert put(client, url, LINES, 0).status_code == 200


def test_more_than_was_said(client):
    url = begin(client, size=10)
    response = put(client, url, LINES, 0)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "too_long")


def test_a_wrong_option_leaves_the_upload(client, django_capture_on_commit_callbacks):
    url = begin(client)
    put(client, url, LINES, 0)
    for options in ({"annotations": "x"}, {"format": "parquet"}):
        assert import_it(client, url, **options).status_code == 400
    assert client.get(url).json()["offset"] == len(LINES)
    assert not Job.objects.exists()
    assert import_it(client, url).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"name": "a", "size": 0},
        {"name": "", "size": 3},
        {"name": "a", "size": "x"},
        {"name": "x" * 301, "size": 3},
    ],
)
def test_what_is_no_upload(client, body):
    assert client.post(URL, body, format="json").status_code == 400


def test_too_large(client, settings, project, manager):
    settings.UPLOAD_MAX_BYTES = 100
    response = client.post(URL, {"name": "a.txt", "size": 101}, format="json")
    assert (response.status_code, response.json()["error"]["details"]["limit"]) == (413, 100)
    with pytest.raises(TooLarge):
        uploads.begin(project, manager, name="a", size=101)


def test_forgotten_by_hand_and_in_time(client, project, manager):
    url = begin(client)
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    upload = uploads.begin(project, manager, name="a.txt", size=5)
    path = uploads._part(upload)
    old = time.time() - uploads.KEEP_SECONDS - 60
    os.utime(path, (old, old))
    uploads.remove_old()
    assert not path.exists()
    with pytest.raises(Invalid, match="no longer there"):
        uploads.append(upload, BytesIO(b"x"), offset=0)
    assert client.get(f"{URL}/{upload.pk}").status_code == 400


def test_who_may(api, client, project, reviewer, annotator, stranger):
    url = begin(client)
    for person, status in ((reviewer, 403), (annotator, 403), (stranger, 404)):
        assert api(person).post(URL, {"name": "a", "size": 1}, format="json").status_code == status
        assert api(person).get(url).status_code == status
        assert put(api(person), url, b"x", 0).status_code == status
        assert api(person).delete(url).status_code == status
    other = factories.project(manager=project.created_by)
    assert client.get(url.replace("news", other.slug)).status_code == 404
    assert import_it_into(client, other.slug, url).status_code == 404


def import_it_into(client, slug: str, url: str):
    data = {"upload": url.rpartition("/")[2]}
    return client.post(f"/api/v1/projects/{slug}/imports", data, format="multipart")
