"""Imports one can trust: trials that write nothing, all or nothing, labels renamed, spans that overlap."""

import json
from io import BytesIO

import pytest
from rest_framework.test import APIClient

from datasets_app import importing, jobs, uploads
from datasets_app.models import Job, TextKey
from labeling.errors import Invalid
from labeling.models import Annotation, Document, Label, Prediction
from tests import factories
from tests.datasets_app.conftest import failures

pytestmark = pytest.mark.django_db
ADA = {
    "text": "Ada met Bob.",
    "spans": [{"start": 0, "end": 3, "label": "PERSON"}, {"start": 8, "end": 11, "label": "HERO"}],
}


def jsonl(*objects: dict) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in objects).encode()


def ran(job: Job) -> Job:
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.fixture
def bring(project, manager):
    def run(content: bytes, *, name: str = "file.jsonl", **options) -> Job:
        return ran(importing.start(project, manager, BytesIO(content), name=name, **options))

    return run


class TestTrial:
    def test_it_tells_all_and_writes_nothing(self, bring, project):
        bring(jsonl({"text": "here already", "id": "h"}))
        content = jsonl(
            ADA | {"split": "test"}, {"id": "h", "text": "here already"}, {"id": "h", "text": "other"},
            {"id": "n", "text": "new"}, {"id": "n", "text": "again"}, {"text": ""},
        )  # fmt: skip
        job = bring(content, dry_run=True, label_map={"PERSON": "PER"})
        assert job.state == "succeeded", job.message
        assert (Document.objects.count(), Annotation.objects.count(), Label.objects.filter(name="HERO").count()) == (
            1,
            0,
            0,
        )
        result = job.result
        assert (result["documents"], result["existing"], result["annotations"], result["errors"]) == (2, 1, 1, 3)
        assert failures(job) == [(3, "id_taken"), (5, "id_taken"), (6, "no_tokens")]
        assert result["labels"] == [
            {"name": "HERO", "becomes": "HERO", "spans": 1, "known": False},
            {"name": "PERSON", "becomes": "PER", "spans": 1, "known": True},
        ]
        assert result["labels_created"] == ["HERO"]
        first = result["first"][0]
        assert (first["text"], first["split"], first["tokens"], first["labeled"]) == (ADA["text"], "test", 4, True)
        assert [span["label"] for span in first["spans"]] == ["PER", "HERO"]

    def test_the_first_twenty_are_shown_and_long_texts_cut(self, bring):
        long = {
            "text": "x " * 3000,
            "spans": [{"start": 0, "end": 1, "label": "PER"}, {"start": 5000, "end": 5001, "label": "PER"}],
        }
        first = bring(jsonl(long, *({"text": f"text {n}"} for n in range(30))), dry_run=True).result["first"]
        assert len(first) == 20
        assert (len(first[0]["text"]), first[0]["cut"], len(first[0]["spans"])) == (2000, True, 1)

    def test_then_it_is_imported_without_another_upload(self, bring, manager):
        tried = bring(jsonl(ADA), dry_run=True, label_map={"PERSON": "PER"}, annotations="suggest")
        uploads.path_of(tried)
        job = ran(importing.start_tried(tried, manager))
        assert (job.state, job.result["documents"], job.result["suggestions"]) == ("succeeded", 1, 1)
        assert Prediction.objects.get().tags == ["B-PER", "O", "B-HERO", "O"]
        uploads.path_of(tried).unlink()
        assert uploads.path_of(job).exists()
        with pytest.raises(Invalid) as caught:
            importing.start_tried(tried, manager)
        assert caught.value.code == "upload_gone"

    def test_a_killed_trial_starts_anew_and_counts_once(self, project, manager, monkeypatch):
        monkeypatch.setattr(importing, "BATCH_RECORDS", 1)
        job = importing.start(
            project, manager, BytesIO(jsonl({"text": ""}, ADA, {"text": ""})), name="a.jsonl", dry_run=True
        )
        Job.objects.filter(pk=job.pk).update(state="running", claimed_by="w")
        job.refresh_from_db()
        steps = importing.run(job)
        for _ in range(3):
            next(steps)
        steps.close()
        Job.objects.filter(pk=job.pk).update(state="queued", claimed_by="")
        job = ran(job)
        assert (job.result["errors"], job.error_count, job.result["documents"]) == (2, 2, 1)


class TestAllOrNothing:
    def test_one_bad_record_and_nothing_goes_in(self, bring):
        job = bring(jsonl(ADA, {"text": ""}), on_error="refuse")
        assert (job.state, job.result["code"], job.result["errors"]) == ("failed", "records_refused", 1)
        assert failures(job) == [(2, "no_tokens")]
        assert (Document.objects.count(), Label.objects.filter(name="HERO").count()) == (0, 0)

    def test_what_is_merely_left_out_is_no_error(self, bring):
        overlapping = {
            "text": "Ada Bob",
            "spans": [{"start": 0, "end": 3, "label": "PER"}, {"start": 0, "end": 7, "label": "PER"}],
        }
        job = bring(jsonl(ADA, overlapping), on_error="refuse", overlaps="longest")
        assert (job.state, job.result["documents"], failures(job)) == ("succeeded", 2, [(2, "span_left_out")])

    def test_what_others_do_meanwhile_takes_it_all_back(self, project, manager, monkeypatch):
        monkeypatch.setattr(importing, "BATCH_RECORDS", 1)
        good = importing._require_good

        def overtaken(check):
            good(check)
            ran(importing.start(project, manager, BytesIO(jsonl({"id": "2", "text": "theirs"})), name="b.jsonl"))

        monkeypatch.setattr(importing, "_require_good", overtaken)
        content = jsonl({"id": "1", "text": "one"}, {"id": "2", "text": "two"}, {"id": "3", "text": "three"})
        job = ran(importing.start(project, manager, BytesIO(content), name="a.jsonl", on_error="refuse"))
        assert (job.state, job.result["code"]) == ("failed", "conflict")
        assert list(Document.objects.values_list("key", "text")) == [("2", "theirs")]
        theirs = Document.objects.get().pk
        assert set(TextKey.objects.values_list("document_id", flat=True)) == {theirs}  # the others are found anew


class TestLabels:
    def test_renamed_and_left_out(self, bring):
        bring(jsonl(ADA), label_map={"PERSON": "PER", "HERO": None})
        assert Annotation.objects.get().tags == ["B-PER", "O", "O", "O"]
        bring(
            b"Ada\tB-PERSON\nLee\tI-PERSON\nmet\tB-HERO\n", name="a.conll", label_map='{"PERSON": "PER", "HERO": null}'
        )
        assert Annotation.objects.latest("id").tags == ["B-PER", "I-PER", "O"]

    def test_two_labels_may_become_one(self, bring):
        bring(jsonl(ADA), label_map={"PERSON": "PER", "HERO": "PER"})
        assert Annotation.objects.get().tags == ["B-PER", "O", "B-PER", "O"]


class TestDoors:
    URL = "/api/v1/projects/news/imports"

    @pytest.fixture
    def api(self):
        def client(user) -> APIClient:
            client = APIClient()
            client.force_authenticate(user)
            return client

        return client

    def upload(self, client, **fields):
        file = BytesIO(jsonl(ADA))
        file.name = "a.jsonl"
        return client.post(self.URL, {"file": file, **fields})

    def test_a_trial_and_then_the_import(self, api, project, manager):
        answer = self.upload(api(manager), dry_run="true", label_map='{"PERSON": "PER"}')
        tried = ran(Job.objects.get(pk=answer.json()["job"]))
        shown = api(manager).get(f"/api/v1/jobs/{tried.pk}").json()
        assert (shown["result"]["dry_run"], shown["rate"], shown["seconds_left"]) == (True, None, None)
        answer = api(manager).post(self.URL, {"job": tried.pk})
        assert answer.status_code == 202
        job = ran(Job.objects.get(pk=answer.json()["job"]))
        assert (job.result["documents"], job.params["label_map"]) == (1, {"PERSON": "PER"})

    def test_only_a_trial_of_this_project_can_be_imported(self, api, project, manager, bring, stranger):
        other = factories.project(manager=manager)
        foreign = importing.start(other, manager, BytesIO(jsonl(ADA)), name="a.jsonl", dry_run=True)
        done = bring(jsonl(ADA))
        for job in (foreign, done):
            assert api(manager).post(self.URL, {"job": job.pk}).status_code == 400
        assert api(manager).post(self.URL, {}).status_code == 400
        assert api(manager).post(self.URL, {"job": 987654321}).status_code == 404
        theirs = factories.project(manager=stranger)
        hidden = importing.start(theirs, stranger, BytesIO(jsonl(ADA)), name="a.jsonl", dry_run=True)
        assert api(manager).post(self.URL, {"job": hidden.pk}).status_code == 404

    def test_the_page_of_a_trial_shows_texts_and_offers_the_import(self, client, project, manager, bring, annotator):
        tried = bring(jsonl(ADA | {"text": "Ada met Bob. <b>"}, {"text": ""}), dry_run=True)
        client.force_login(manager)
        page = client.get(f"/jobs/{tried.pk}/").content.decode()
        assert "nothing has been written" in page
        assert "&lt;b&gt;" in page
        assert f'name="job" value="{tried.pk}"' in page
        assert "no_tokens" in page
        client.force_login(annotator)
        assert 'name="job"' not in client.get(f"/jobs/{tried.pk}/").content.decode()

    def test_the_import_page_offers_every_format(self, client, project, manager):
        from datasets_app.codecs import READERS

        client.force_login(manager)
        page = client.get("/projects/news/import/").content.decode()
        assert [name for name in READERS if f'<option value="{name}">' not in page] == []
        assert [name for name in ("dry_run", "on_error", "label_map", "overlaps") if f'name="{name}"' not in page] == []

    def test_how_fast_and_how_long_yet(self, project, manager):
        from datetime import timedelta

        from django.utils import timezone

        from datasets_app.job_report import pace

        job = Job(state="running", done=1000, total=3000, started_at=timezone.now() - timedelta(seconds=10))
        told = pace(job)
        assert (round(told["rate"]), round(told["seconds_left"])) == (100, 20)
        assert pace(Job(state="queued")) == {"rate": None, "seconds_left": None}


def test_a_label_that_cannot_be_is_told_in_a_trial(bring, project):
    bad = {"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "two words"}]}
    job = bring(jsonl(bad), dry_run=True)
    assert failures(job) == [(1, "unknown_label")]
