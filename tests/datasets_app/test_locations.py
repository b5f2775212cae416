"""Files that the server fetches itself: only from where the operator permits it, and whole."""

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from unittest.mock import Mock

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from datasets_app import importing, jobs, locations
from datasets_app.models import Job
from labeling.errors import Invalid, TooLarge, Unavailable
from labeling.models import Document, Event

NOT_PERMITTED = [
    *("https://data.example.org/secret/a", "https://data.example.org/texts2/a", "http://data.example.org/texts/a"),
    *("https://data.example.org.evil.org/texts/a", "https://evil@data.example.org/texts/a", "https://", "", "\0"),
    *("https://data.example.org:8443/texts/a", "https://data.example.org/texts/%2e%2e/secret", "file:///etc/passwd"),
    *("https://data.example.org/texts/..\\secret", "https://data.example.org\\@evil.org/texts/", "ftp://x/texts/a"),
    *("simplecache::s3://bucket/texts/a", "zip://a::https://data.example.org/texts/a", "memory://a", "gopher://x/"),
    *("s3://bucket2/a", "s3://bucket/texts/../x", "s3://bucket/other/a", "gs://bucket/texts/a", "texts.txt"),
    *("../../etc/passwd", "hf://owner/name", "owner/name", "/etc/passwd", "//etc/passwd"),
]
LINES = b"Ada met Bob\nin Paris\n"


class Server(BaseHTTPRequestHandler):
    """Answers with a file, a redirect, less than it promised, or an error."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/texts/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/texts/to"))
            self.end_headers()
            return
        if path == "/texts/loop":
            self.send_response(302)
            self.send_header("Location", "/texts/loop")
            self.end_headers()
            return
        self.send_response(200 if path in ("/texts/a.txt", "/texts/short.txt", "/secret/a.txt") else 404)
        if path == "/texts/a.txt":
            self.send_header("Content-Length", str(len(LINES)))
        elif path == "/texts/short.txt":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(LINES)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def permit(settings):
    """Permit these places."""

    def run(*places: str, private: bool = True) -> None:
        settings.IMPORT_FROM, settings.PRIVATE_LOCATIONS = list(places), private

    return run


def fetched(location: str, tmp_path: Path) -> bytes:
    target = tmp_path / "target"
    *_, last = locations.fetch(location, target)
    assert last == target.stat().st_size
    return target.read_bytes()


class TestPaths:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, permit) -> Path:
        folder = tmp_path / "texts"
        folder.mkdir()
        (folder / "a.txt").write_bytes(LINES)
        (tmp_path / "secret.txt").write_bytes(b"secret")
        (tmp_path / "texts2").mkdir()
        (tmp_path / "texts2" / "b.txt").write_bytes(b"secret")
        permit(f"{folder}/")
        return folder

    def test_a_file_in_a_permitted_folder(self, folder, tmp_path):
        assert fetched(f"{folder}/a.txt", tmp_path) == LINES
        (folder / "link.txt").symlink_to(folder / "a.txt")
        assert fetched(f"{folder}/link.txt", tmp_path) == LINES

    def test_nothing_else_and_one_answer_for_all_of_it(self, folder, tmp_path, settings):
        (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
        (folder / "dir").mkdir()
        os.mkfifo(folder / "pipe")
        settings.DATA_DIR = folder / "data"
        (folder / "data").mkdir()
        (folder / "data" / "key").write_text("secret")
        for path in (
            "../secret.txt",
            "../texts2/b.txt",
            "out.txt",
            "dir",
            "pipe",
            "missing",
            "data/key",
            "",
            "a.txt/x",
        ):
            with pytest.raises(Invalid, match="that may be imported from here"):
                locations.checked(f"{folder}/{path}")

    def test_what_was_swapped_after_it_was_asked_for(self, folder, tmp_path):
        location = locations.checked(f"{folder}/a.txt")
        (folder / "a.txt").unlink()
        (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
        with pytest.raises(Invalid):
            fetched(location, tmp_path)

    def test_too_large(self, folder, tmp_path, settings):
        settings.UPLOAD_MAX_BYTES = 10
        with pytest.raises(TooLarge):
            fetched(f"{folder}/a.txt", tmp_path)


class TestWeb:
    def test_a_file(self, web, permit, tmp_path):
        permit(f"{web}/texts/")
        assert fetched(f"{web}/texts/a.txt?key=s3cret", tmp_path) == LINES
        assert locations.name_of(f"{web}/texts/a%20b.txt?key=x") == "a b.txt"

    def test_redirects_lead_only_to_what_is_permitted(self, web, permit, tmp_path):
        permit(f"{web}/texts/")
        assert fetched(f"{web}/texts/to/texts/a.txt", tmp_path) == LINES
        for path in ("to/secret/a.txt", "to//evil.example.org/texts/", "to/texts/../secret/a.txt"):
            with pytest.raises(Invalid, match="not permitted"):
                fetched(f"{web}/texts/{path}", tmp_path)
        with pytest.raises(Unavailable, match="answers 302"):
            fetched(f"{web}/texts/loop", tmp_path)

    @pytest.mark.parametrize(("path", "told"), [("none", "answers 404"), ("short.txt", "21 of 1,000 bytes")])
    def test_what_does_not_come(self, web, permit, tmp_path, path, told):
        permit(f"{web}/texts/")
        with pytest.raises(Unavailable, match=told) as caught:
            fetched(f"{web}/texts/{path}?key=s3cret", tmp_path)
        assert "s3cret" not in str(caught.value.message)

    def test_nobody_there(self, permit, tmp_path):
        permit("http://127.0.0.1:9/")
        with pytest.raises(Unavailable):
            fetched("http://127.0.0.1:9/a", tmp_path)

    def test_private_addresses(self, web, permit, tmp_path):
        permit(f"{web}/texts/", private=False)
        with pytest.raises(Invalid, match="a private address"):
            fetched(f"{web}/texts/a.txt", tmp_path)

    def test_too_large(self, web, permit, tmp_path, settings):
        permit(f"{web}/texts/", f"{web}/secret/")
        settings.UPLOAD_MAX_BYTES = 10
        for path in ("texts/a.txt", "secret/a.txt"):  # with and without a length told before
            with pytest.raises(TooLarge):
                fetched(f"{web}/{path}", tmp_path)

    @pytest.mark.parametrize("location", NOT_PERMITTED)
    def test_what_is_not_permitted(self, permit, location):
        permit("https://data.example.org/texts/", "s3://bucket/texts")
        with pytest.raises(Invalid) as caught:
            locations.checked(location)
        assert caught.value.details["field"] == "location"

    @pytest.mark.parametrize(
        "location", ["https://DATA.example.org/texts/a?x=/../y", "s3://bucket/texts/a", "s3://bucket/texts"]
    )
    def test_what_is(self, permit, location):
        permit("https://data.example.org/texts/", "s3://bucket/texts")
        assert locations.checked(location) == location


class Store(MemoryFileSystem):
    """A store that stands for S3."""

    protocol = ("s3",)
    store: dict = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3://").lstrip("/")


def test_a_store(permit, tmp_path, monkeypatch):
    fsspec.register_implementation("s3", Store, clobber=True)
    Store().pipe("/bucket/a.txt", LINES)
    permit("s3://bucket/")
    assert fetched("s3://bucket/a.txt", tmp_path) == LINES
    with pytest.raises(Unavailable):
        fetched("s3://bucket/none.txt", tmp_path)
    monkeypatch.setattr(Store, "_open", Mock(side_effect=LookupError("Unable to locate credentials")))
    with pytest.raises(Unavailable, match="Unable to locate credentials"):
        fetched("s3://bucket/a.txt", tmp_path)


def test_a_store_that_is_not_installed(permit, tmp_path):
    permit("gs://bucket/")
    with pytest.raises(Unavailable, match="cannot read gs://"):
        fetched("gs://bucket/a.txt", tmp_path)


# As a job ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestJob:
    URL = "/api/v1/projects/news/imports"

    @pytest.fixture
    def place(self, web, permit) -> str:
        permit(f"{web}/texts/")
        return f"{web}/texts/a.txt"

    def test_imported(self, api, project, manager, place):
        response = api(manager).post(self.URL, {"location": place, "split": "test"}, format="multipart")
        assert response.status_code == 202, response.content
        jobs.run(response.json()["job"])
        job = Job.objects.get()
        assert (job.state, job.params["format"], job.result["documents"]) == ("succeeded", "txt", 2), job.message
        assert set(Document.objects.values_list("split", flat=True)) == {"test"}
        assert place not in json.dumps(list(Event.objects.values_list("data", flat=True)))

    def test_a_dry_run_and_then_its_file(self, project, manager, place):
        tried = importing.start_from(project, manager, place, dry_run=True)
        jobs.run(tried.pk)
        tried.refresh_from_db()
        assert not Document.objects.exists()
        job = importing.start_tried(tried, manager)
        jobs.run(job.pk)
        assert Document.objects.count() == 2

    def test_one_that_does_not_come_fails_with_the_reason(self, project, manager, web, permit):
        permit(f"{web}/texts/")
        job = importing.start_from(project, manager, f"{web}/texts/none.txt")
        jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, "answers 404" in job.message) == ("failed", True)

    def test_an_attempt_after_a_crash_fetches_again(self, project, manager, place):
        job = importing.start_from(project, manager, place)
        claimed = jobs._claim(job.pk)
        steps = importing.run(claimed)
        next(steps)
        steps.close()
        Job.objects.filter(pk=job.pk).update(state="queued", claimed_by="")
        jobs.run(job.pk)
        assert Document.objects.count() == 2

    def test_off(self, api, project, manager, settings):
        settings.IMPORT_FROM = []
        response = api(manager).post(self.URL, {"location": "/etc/passwd"}, format="multipart")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "locations_off")

    def test_only_managers_and_only_one_source(self, api, project, reviewer, stranger, manager, place):
        assert api(reviewer).post(self.URL, {"location": place}, format="multipart").status_code == 403
        assert api(stranger).post(self.URL, {"location": place}, format="multipart").status_code == 404
        both = api(manager).post(self.URL, {"location": place, "job": 1}, format="multipart")
        assert both.status_code == 400
        assert api(manager).post(self.URL, {"location": ""}, format="multipart").status_code == 400
        wrong = api(manager).post(self.URL, {"location": place, "format": "docx"}, format="multipart")
        assert wrong.json()["error"]["details"]["field"] == "format"

    def test_the_page_names_what_is_permitted(self, client, manager, project, permit):
        client.force_login(manager)
        permit("s3://bucket/")
        assert "s3://bucket/" in client.get("/projects/news/import/").content.decode()
        permit()
        assert 'name="location"' not in client.get("/projects/news/import/").content.decode()
