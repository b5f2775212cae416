"""The REST doors: each with the right role, the wrong role, a stranger, bad input, its effect and its queries."""

from io import BytesIO

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets_app import importing, jobs, uploads, versions
from datasets_app.models import DatasetVersion, Job
from labeling.models import Document
from tests import factories

pytestmark = pytest.mark.django_db

CONLL = b"Ada\tB-PER\nmet\tO\n\nParis\tB-LOC\n\nbroken\n\n"


@pytest.fixture
def job(project, manager) -> Job:
    """An import that is over, with one error."""
    job = importing.start(project, manager, BytesIO(CONLL), name="a.conll", split="train")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.error_count == 1
    return job


@pytest.fixture
def version(project, manager, job) -> DatasetVersion:
    return versions.freeze_now(project, manager, notes="n")


def upload(client, slug="news", content=CONLL, name="a.conll", **fields):
    data = {"file": SimpleUploadedFile(name, content), **fields}
    return client.post(f"/api/v1/projects/{slug}/imports", data, format="multipart")


class TestWhoMay:
    """Each door for each role: what a member with too low a role and a stranger get."""

    @pytest.mark.parametrize(
        ("method", "path", "needs"),
        [
            ("post", "projects/news/imports", "manager"),
            ("get", "projects/news/jobs", "annotator"),
            ("get", "jobs/{job}", "annotator"),
            ("delete", "jobs/{job}", "manager"),
            ("get", "jobs/{job}/errors", "annotator"),
            ("post", "projects/news/versions", "manager"),
            ("get", "projects/news/versions", "reviewer"),
            ("get", "versions/{version}", "reviewer"),
            ("get", "versions/{version}/diff/{version}", "reviewer"),
            ("get", "versions/{version}/export", "reviewer"),
            ("get", "projects/news/export", "reviewer"),
        ],
    )
    def test_roles(self, api, job, version, manager, reviewer, annotator, stranger, method, path, needs):
        url = "/api/v1/" + path.format(job=job.pk, version=version.pk)
        people = {"annotator": annotator, "reviewer": reviewer, "manager": manager}
        allowed = False
        for role, person in people.items():
            allowed = allowed or role == needs
            response = getattr(api(person), method)(url)
            if allowed:  # without a file, an import goes no further than its body
                assert response.status_code in ((400,) if "imports" in path else (200, 202))
            else:
                assert response.status_code == 403
                assert response.json()["error"]["details"] == {"needed": needs, "role": role}
        response = getattr(api(stranger), method)(url)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
        assert getattr(api(manager), method)(url.replace(str(job.pk), "987654321")).status_code in (200, 202, 400, 404)

    @pytest.mark.parametrize(
        "path", ["jobs/987654321", "jobs/987654321/errors", "versions/987654321", "projects/no/export"]
    )
    def test_missing_looks_like_a_stranger(self, api, manager, path):
        assert api(manager).get(f"/api/v1/{path}").status_code == 404

    def test_nobody(self, client, project):
        assert client.get("/api/v1/projects/news/jobs").status_code == 401

    def test_a_job_without_project_is_its_makers(self, api, manager, stranger):
        job = Job.objects.create(kind="import", created_by=stranger)
        assert api(stranger).get(f"/api/v1/jobs/{job.pk}").status_code == 200
        assert api(manager).get(f"/api/v1/jobs/{job.pk}").status_code == 404

    def test_another_projects_version_is_no_way_in(self, api, version):
        other = factories.project()
        mine = api(other.created_by)
        assert mine.get(f"/api/v1/versions/{version.pk}/export").status_code == 404


class TestImports:
    def test_takes_a_file(self, api, project, manager):
        response = upload(api(manager), format="conll", annotations="suggest", split="test", labels="report")
        assert response.status_code == 202
        job = Job.objects.get(pk=response.json()["job"])
        assert (job.kind, job.state, job.created_by) == ("import", "queued", manager)
        assert job.params == {
            "name": "a.conll", "format": "conll", "annotations": "suggest", "split": "test",
            "unit": "sentence", "labels": "report",
        }  # fmt: skip
        assert uploads.path_of(job).read_bytes() == CONLL
        assert response["Location"] == f"/api/v1/jobs/{job.pk}"

    def test_recognizes_the_format(self, api, project, manager):
        response = upload(api(manager), content=b'{"text": "a"}\n', name="anything")
        assert Job.objects.get(pk=response.json()["job"]).params["format"] == "jsonl"

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"content": b""}, "empty_file"),
            ({"content": b"PK\x03\x04" + bytes(100)}, "broken_archive"),
            ({"content": b"\x89PNG\r\n" + bytes(100)}, "binary_file"),
            ({"overlaps": "some"}, "invalid"),
            ({"offsets": "bytes"}, "invalid"),
            ({"label_map": "{"}, "invalid"),
            ({"label_map": "[1]"}, "invalid"),
            ({"label_map": '{"A": 1}'}, "invalid"),
            ({"on_error": "stop"}, "invalid"),
            ({"dry_run": "perhaps"}, "invalid"),
            ({"content": b"some words", "name": "data"}, "unknown_format"),
            ({"format": "docx"}, "invalid"),
            ({"annotations": "perhaps"}, "invalid"),
            ({"split": "exam"}, "invalid"),
            ({"unit": "page"}, "invalid"),
            ({"labels": "drop"}, "invalid"),
        ],
    )
    def test_bad_input_changes_nothing(self, api, project, manager, fields, code):
        response = upload(api(manager), **fields)
        assert (response.status_code, response.json()["error"]["code"]) == (400, code)
        assert Job.objects.count() == 0

    def test_without_a_file(self, api, project, manager):
        response = api(manager).post("/api/v1/projects/news/imports", {}, format="multipart")
        assert (response.status_code, "file" in response.json()["error"]["message"]) == (400, True)

    def test_two_files_at_once(self, api, project, manager):
        files = [SimpleUploadedFile(f"{name}.txt", b"a text\n") for name in "ab"]
        response = api(manager).post("/api/v1/projects/news/imports", {"file": files}, format="multipart")
        assert (response.status_code, response.json()["error"]["details"]) == (400, {"field": "file"})
        assert Job.objects.count() == 0

    def test_not_multipart(self, api, project, manager):
        assert api(manager).post("/api/v1/projects/news/imports", {}, format="json").status_code == 415

    def test_too_large_is_refused_before_it_is_read(self, api, project, manager, monkeypatch):
        monkeypatch.setattr(settings, "UPLOAD_MAX_BYTES", 5)
        response = upload(api(manager))
        assert (response.status_code, response.json()["error"]["details"]) == (413, {"limit": 5})
        client = api(manager)
        response = client.post("/api/v1/projects/news/imports", {}, format="multipart", CONTENT_LENGTH="9999999999")
        assert response.status_code == 413


class TestJobs:
    def test_one(self, api, job, annotator, query_count):
        client = api(annotator)
        with query_count() as queries:
            found = client.get(f"/api/v1/jobs/{job.pk}").json()
        assert len(queries) <= 5
        assert (found["state"], found["done"], found["total"], found["error_count"]) == ("succeeded", 3, 3, 1)
        assert [(error["line"], error["code"]) for error in found["errors"]] == [(6, "wrong_columns")]
        assert (found["result"]["documents"], found["result"]["annotations"]) == (2, 2)

    def test_list_is_paged_newest_first(self, api, project, job, annotator, query_count):
        for _ in range(4):
            Job.objects.create(kind="version", project=project)
        Job.objects.create(kind="import", project=factories.project())
        client = api(annotator)
        with query_count() as queries:
            first = client.get("/api/v1/projects/news/jobs?limit=3").json()
        assert len(queries) <= 5
        rest = client.get(first["next"]).json()
        ids = [row["id"] for row in first["results"] + rest["results"]]
        assert (len(ids), ids, rest["next"]) == (5, sorted(ids, reverse=True), None)
        only = client.get("/api/v1/projects/news/jobs?kind=import").json()["results"]
        assert [row["id"] for row in only] == [job.pk]
        assert client.get("/api/v1/projects/news/jobs?kind=dance").status_code == 400

    def test_errors_as_csv(self, api, job, annotator):
        response = api(annotator).get(f"/api/v1/jobs/{job.pk}/errors")
        lines = response.getvalue().decode().splitlines()
        assert lines[0] == "line,code,message"
        assert lines[1].startswith("6,wrong_columns,")
        assert response["Content-Disposition"] == f'attachment; filename="job-{job.pk}-errors.csv"'

    def test_cancel(self, api, project, manager):
        job = importing.start(project, manager, BytesIO(CONLL), name="a.conll")
        for _ in range(2):
            response = api(manager).delete(f"/api/v1/jobs/{job.pk}")
            assert (response.status_code, response.json()["state"]) == (200, "cancelled")
        jobs.run(job.pk)
        assert Document.objects.count() == 0


class TestVersions:
    def test_freeze_list_and_read(self, api, project, job, manager, query_count):
        client = api(manager)
        response = client.post("/api/v1/projects/news/versions", {"notes": "first"}, format="json")
        assert response.status_code == 202
        jobs.run(response.json()["job"])
        made = client.get(f"/api/v1/jobs/{response.json()['job']}").json()["result"]
        with query_count() as queries:
            (row,) = client.get("/api/v1/projects/news/versions").json()["results"]
        assert len(queries) <= 5
        assert row == client.get(f"/api/v1/versions/{made['version']}").json()
        assert (row["number"], row["notes"], row["fingerprint"]) == (1, "first", made["fingerprint"])
        assert (row["project"], row["created_by"], row["counts"]["documents"]) == ("news", "mara", 2)

    def test_nothing_to_freeze(self, api, project, manager):
        response = api(manager).post("/api/v1/projects/news/versions", {}, format="json")
        assert (response.status_code, response.json()["error"]["code"]) == (409, "nothing_accepted")

    def test_notes_must_be_text(self, api, project, manager):
        response = api(manager).post("/api/v1/projects/news/versions", {"notes": ["a"]}, format="json")
        assert response.status_code == 400

    def test_diff(self, api, project, version, manager, reviewer):
        Document.objects.filter(text="Paris").update(split="test")
        other = versions.freeze_now(project, manager)
        found = api(reviewer).get(f"/api/v1/versions/{version.pk}/diff/{other.pk}").json()
        assert (found["from"], found["to"], found["documents"]["moved"]) == (1, 2, 1)


class TestExports:
    def test_project(self, api, job, reviewer, query_count):
        client = api(reviewer)
        with query_count() as queries:
            response = client.get("/api/v1/projects/news/export?format=conll&split=train")
            assert response.getvalue() == b"Ada\tB-PER\nmet\tO\n\nParis\tB-LOC\n\n"
        assert len(queries) <= 5
        assert response["Content-Disposition"] == 'attachment; filename="news-train.conll"'
        assert client.get("/api/v1/projects/news/export?split=test").getvalue() == b""

    @pytest.mark.parametrize("query", ["format=xml", "format=conll&split=exam", "format=conll&scheme=io"])
    def test_bad_options(self, api, version, reviewer, query):
        for path in ("projects/news", f"versions/{version.pk}"):
            response = api(reviewer).get(f"/api/v1/{path}/export?{query}")
            assert response.status_code == 400
            assert response.json()["error"]["details"]["field"] in ("format", "split", "scheme")

    @pytest.mark.parametrize(
        ("format", "begins", "name"),
        [
            ("conll", b"Ada\tB-PER\n", "news-v1.conll"),
            ("jsonl", b'{"id": ', "news-v1.jsonl"),
            ("parquet", b"PAR1", "news-v1.parquet"),
            ("hf", b"PK", "news-v1.zip"),
        ],
    )
    def test_version(self, api, version, reviewer, format, begins, name):
        response = api(reviewer).get(f"/api/v1/versions/{version.pk}/export?format={format}")
        assert response.streaming
        assert response.getvalue().startswith(begins)
        assert name in response["Content-Disposition"]


def test_the_schema_describes_the_doors(api, manager):
    schema = api(manager).get("/api/v1/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()
    assert "multipart/form-data" in schema["paths"]["/api/v1/projects/{slug}/imports"]["post"]["requestBody"]["content"]
    assert "errors" in schema["components"]["schemas"]["Job"]["properties"]
