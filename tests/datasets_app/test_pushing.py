"""Releasing a version to the Hub, by way of a stand-in for it."""

import json
import logging
from io import BytesIO

import datasets
import pytest

from datasets_app import importing, jobs, pushing, versions
from datasets_app.models import Job
from labeling.errors import Conflict, Invalid
from labeling.models import Event
from tests.datasets_app import hub_stub

pytestmark = pytest.mark.django_db
TOKEN = "hf_do_not_tell_anybody"
LINES = b'{"tokens": ["Ada", "left"], "tags": ["B-PER", "O"], "split": "%s"}\n'


@pytest.fixture
def stub(settings):
    settings.HUB_PUSH_TOKEN = TOKEN
    with hub_stub.serving() as found:
        yield found


@pytest.fixture
def version(project, manager):
    data = LINES % b"train" + LINES % b"test"
    jobs.run(importing.start(project, manager, BytesIO(data), name="a.jsonl").pk)
    return versions.freeze_now(project, manager)


def run(job: Job) -> Job:
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def test_its_card_and_a_parquet_file_for_each_split(stub, version, manager, tmp_path):
    job = run(pushing.push(version, manager, repo="owner/names"))
    assert job.state == "succeeded", job.message
    assert job.result["commit"] == "c" * 40
    files = stub.files["owner/names", "main"]
    assert sorted(files) == [
        "README.md", "data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet", "labels.svg"]  # fmt: skip
    assert stub.private == {"owner/names": True}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    loaded = datasets.load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 1, "test": 1}
    assert loaded["train"].features["ner_tags"].feature.names[:2] == ["O", "B-PER"]
    assert 'load_dataset("owner/names")' in files["README.md"].decode()
    assert version.fingerprint in files["README.md"].decode()


def test_a_second_release_replaces_what_the_first_one_had(stub, version, manager):
    stub.files["owner/names", "main"] = {"data/validation-00000-of-00001.parquet": b"old", "notes.txt": b"theirs"}
    assert run(pushing.push(version, manager, repo="owner/names")).state == "succeeded"
    kept = stub.files["owner/names", "main"]
    assert "data/validation-00000-of-00001.parquet" not in kept
    assert kept["notes.txt"] == b"theirs"


def test_the_token_goes_to_the_hub_and_nowhere_else(stub, version, manager, caplog):
    caplog.set_level(logging.DEBUG)
    stub.refuses = 403
    failed = run(pushing.push(version, manager, repo="owner/names"))
    assert (failed.state, failed.result["code"]) == ("failed", "hub_failed"), failed.message
    stub.refuses = 0
    done = run(pushing.push(version, manager, repo="owner/names"))
    assert {token for _, path, token in stub.requests if "/commit/" in path} == {f"Bearer {TOKEN}"}
    kept = [failed.message, json.dumps(failed.result), json.dumps(done.params), json.dumps(done.result), done.note]
    kept += [json.dumps(event.data) for event in Event.objects.all()]
    assert not any(TOKEN in each for each in [*kept, caplog.text])
    assert Event.objects.get(verb="version.pushed").data["repo"] == "owner/names"


def test_a_hub_that_is_away(version, manager, settings, monkeypatch):
    settings.HUB_PUSH_TOKEN = TOKEN
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with hub_stub.at("http://127.0.0.1:9"):
        job = run(pushing.push(version, manager, repo="owner/names"))
    assert (job.state, "does not take owner/names" in job.message) == ("failed", True)


@pytest.mark.parametrize("repo", ["", "names", "a/b/c", "../x", "a/..", "own er/x", "a/b--c", "https://x/y", "a/b\n"])
def test_what_is_no_name(version, manager, settings, repo):
    settings.HUB_PUSH_TOKEN = TOKEN
    with pytest.raises(Invalid):
        pushing.push(version, manager, repo=repo)


def test_no_token(version, manager, settings):
    settings.HUB_PUSH_TOKEN = ""
    with pytest.raises(Conflict, match="no token"):
        pushing.push(version, manager, repo="a/b")


def test_the_door_and_the_page(api, client, version, manager, reviewer, stranger, settings):
    settings.HUB_PUSH_TOKEN = TOKEN
    url = f"/api/v1/versions/{version.pk}/release"
    for person, status in ((reviewer, 403), (stranger, 404), (manager, 202)):
        assert api(person).post(url, {"repo": "a/b"}, format="json").status_code == status
    assert Job.objects.get(kind="push").params == {"version": version.pk, "repo": "a/b", "private": True}
    client.force_login(manager)
    assert url in client.get(f"/versions/{version.pk}/").content.decode()
    settings.HUB_PUSH_TOKEN = ""
    assert url not in client.get(f"/versions/{version.pk}/").content.decode()
