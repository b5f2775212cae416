"""Long work as a person sees it: a file is dropped in, the job's page moves by itself, errors are listed by line."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from datasets_app import jobs, uploads, versions
from labeling import annotate, review
from tests import factories
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_import_from_the_page(page: Page, sign_in: Callable[[User], None], worker: Worker) -> None:
    manager = factories.user()
    project = factories.project(manager=manager)
    sign_in(manager)
    page.goto(f"/projects/{project.slug}/import/")
    span = {"start": 0, "end": 3, "label": "PER"}
    lines = [json.dumps({"text": "Ada was here."} | {"spans": [span]}), "{no json", json.dumps({"text": "Nobody."})]
    file = {"name": "texts.jsonl", "mimeType": "application/jsonl", "buffer": "\n".join(lines).encode()}
    page.get_by_label("Drop a file here").set_input_files(file)
    expect(page.locator("file-drop")).to_contain_text("texts.jsonl")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/jobs/*/")
    expect(page.get_by_text("Succeeded")).to_be_visible(timeout=30_000)
    row = page.locator("table tr", has_text="JSON")
    expect(row.locator("td").first).to_have_text("2")
    page.get_by_role("link", name="To the documents").click()
    expect(page.locator("mark.entity")).to_contain_text("Ada")
    assert project.documents.count() == 2


def test_a_large_file_comes_in_parts_and_survives_a_lost_connection(
    page: Page, sign_in: Callable[[User], None], worker: Worker, complaints: list[str]
) -> None:
    manager = factories.user()
    project = factories.project(manager=manager)
    sign_in(manager)
    page.goto(f"/projects/{project.slug}/import/")
    page.evaluate("document.querySelector('form[data-uploads]').dataset.partsFrom = 10")
    parts: list[str] = []

    def second_is_lost(route: Route) -> None:
        parts.append(route.request.url.partition("?")[2])
        route.abort("connectionreset") if len(parts) == 2 else route.continue_()

    page.route("**/uploads/*?offset=*", second_is_lost)
    lines = b"".join(b"text %07d\n" % number for number in range(800_000))  # 10 MB: two parts
    file = {"name": "texts.txt", "mimeType": "text/plain", "buffer": lines}
    page.get_by_label("Drop a file here").set_input_files(file)
    page.get_by_role("button", name="Try it first").click()
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    page.wait_for_url("**/jobs/*/", timeout=60_000)
    assert parts == ["offset=0", "offset=8388608", "offset=8388608"]
    (job,) = project.jobs.all()
    assert uploads.path_of(job).read_bytes() == lines
    jobs.cancel(job, manager)
    assert "ERR_CONNECTION_RESET" in complaints.pop()


def test_try_first_then_import_without_another_upload(
    page: Page, sign_in: Callable[[User], None], worker: Worker
) -> None:
    manager = factories.user()
    project = factories.project(manager=manager)
    sign_in(manager)
    page.goto(f"/projects/{project.slug}/import/")
    line = json.dumps({"text": "Ada was here.", "spans": [{"start": 0, "end": 3, "label": "PERSON"}]})
    file = {"name": "texts.jsonl", "mimeType": "application/jsonl", "buffer": line.encode()}
    page.get_by_label("Drop a file here").set_input_files(file)
    page.get_by_text("Labels, spans and columns").click()
    page.get_by_label("Rename labels").fill('{"PERSON": "PER"}')
    page.get_by_role("button", name="Try it first").click()
    page.wait_for_url("**/jobs/*/")
    expect(page.get_by_text("nothing has been written")).to_be_visible(timeout=30_000)
    expect(page.locator("mark.entity")).to_contain_text("Ada")
    assert project.documents.count() == 0
    trial = page.url
    page.get_by_role("button", name="Import for real").click()
    page.wait_for_url(lambda url: "/jobs/" in url and url != trial)
    page.get_by_role("link", name="To the documents").click(timeout=30_000)
    expect(page.locator("mark.entity")).to_contain_text("PER")
    assert project.documents.count() == 1


def test_what_the_server_refuses_is_told_on_the_form(
    page: Page, sign_in: Callable[[User], None], complaints: list[str]
) -> None:
    manager = factories.user()
    project = factories.project(manager=manager)
    sign_in(manager)
    page.goto(f"/projects/{project.slug}/import/")
    page.get_by_label("Drop a file here").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b""})
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("empty")
    expect(page.get_by_role("button", name="Import")).to_be_enabled()
    complaints.clear()  # the browser logs the 400


def test_a_version_without_a_worker_says_that_it_waits(
    page: Page, sign_in: Callable[[User], None], worker: Worker
) -> None:
    worker.kill()
    manager = factories.user()
    project = factories.project(manager=manager)
    document = factories.document(project)
    tags = ["O"] * len(document.token_starts)
    own = annotate.save(project, manager, document.pk, tags=tags, revision=0, submit=True)
    review.accept(project, manager, document.pk, annotation_id=own.pk)
    job = versions.freeze(project, manager)
    type(job).objects.filter(pk=job.pk).update(created_at="2025-01-01T00:00Z")
    sign_in(manager)
    page.goto(f"/jobs/{job.pk}/")
    expect(page.get_by_text("No worker has taken this job yet")).to_be_visible()
    page.once("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()
    job.refresh_from_db()
    assert job.state == "cancelled"
