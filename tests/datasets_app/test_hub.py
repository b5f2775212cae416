"""Data sets of the Hub, brought in through a stand-in for it."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app import hub, importing, jobs
from datasets_app.models import Job
from labeling.errors import Invalid
from labeling.models import Document
from tests.datasets_app import hub_stub


@pytest.fixture
def stub():
    with hub_stub.serving() as found:
        yield found


def table(*words: str) -> bytes:
    out = BytesIO()
    pq.write_table(pa.table({"tokens": [[word] for word in words], "ner_tags": [["B-PER"] for _ in words]}), out)
    return out.getvalue()


@pytest.mark.django_db
class TestImport:
    def bring(self, project, manager, location: str) -> Job:
        job = importing.start_from(project, manager, location)
        jobs.run(job.pk)
        job.refresh_from_db()
        return job

    def test_its_parquet_files_with_their_splits_and_without_a_token(self, stub, project, manager, monkeypatch):
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        stub.files["owner/names", hub.PARQUET] = {
            "default/train/0000.parquet": table("Ada", "Bob"),
            "default/test/0000.parquet": table("Cy"),
            "more/test/0000.parquet": table("Di"),
        }
        job = self.bring(project, manager, "owner/names")
        assert job.state == "succeeded", job.message
        assert dict(Document.objects.values_list("text", "split")) == {"Ada": "train", "Bob": "train", "Cy": "test"}
        assert Document.objects.filter(annotations__accepted=True).count() == 3
        assert {token for _, _, token in stub.requests} == {None}

    def test_a_configuration_and_a_revision(self, stub, project, manager):
        stub.files["owner/names", "v2"] = {"a/train/0.parquet": table("Ada"), "b/train/0.parquet": table("Bob")}
        assert self.bring(project, manager, "https://huggingface.co/datasets/owner/names@v2:b").state == "succeeded"
        assert Document.objects.get().text == "Bob"
        job = self.bring(project, manager, "hf://owner/names@v2")
        assert (job.state, "configurations a, b" in job.message) == ("failed", True)

    def test_its_own_files_where_the_hub_made_none(self, stub, project, manager):
        stub.files["owner/names", "main"] = {
            "README.md": b"words",
            "data/train.jsonl": b'{"text": "Ada"}\n',
            "data/dev.jsonl": b'{"text": "Bob"}\n',
        }
        assert self.bring(project, manager, "owner/names").state == "succeeded"
        assert dict(Document.objects.values_list("text", "split")) == {"Ada": "train", "Bob": "validation"}

    def test_what_is_not_there_and_what_is_too_large(self, stub, project, manager, settings):
        job = self.bring(project, manager, "owner/none")
        assert (job.state, job.result["code"]) == ("failed", "hub_failed"), job.message
        stub.files["owner/empty", "main"] = {"README.md": b"words"}
        assert "no file" in self.bring(project, manager, "owner/empty").message
        settings.UPLOAD_MAX_BYTES = 10
        stub.files["owner/large", "main"] = {"a.txt": b"x" * 11}
        assert "10 bytes" in self.bring(project, manager, "owner/large").message
        assert not Document.objects.exists()

    def test_no_hub(self, project, manager, monkeypatch):
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
        with hub_stub.at("http://127.0.0.1:9"):
            job = self.bring(project, manager, "owner/names")
        assert (job.state, job.result["code"]) == ("failed", "hub_failed")
        assert "cannot be had from the Hub" in job.message


@pytest.mark.parametrize(
    "name", ["owner/na me", "a/b/c", "owner/../x", "owner/name@", "owner/name:", "", "ö/x", "owner/name?x"]
)
def test_what_is_no_data_set(name):
    with pytest.raises(Invalid):
        hub.parsed(name)
