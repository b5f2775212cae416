"""Exports: bytes as they came in, and Hugging Face data sets that `datasets` itself reads."""

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from datasets_app import export, importing, jobs, versions
from datasets_app.codecs import WRITERS, arrow
from labeling import review
from labeling.errors import Invalid
from labeling.models import Document
from tests import factories
from tests.datasets_app.test_codecs_conll import CONLL_2003

pytestmark = pytest.mark.django_db


def bring(project, content: str | bytes, **options) -> None:
    data = content.encode() if isinstance(content, str) else content
    job = importing.start(project, project.created_by, BytesIO(data), **{"name": "a.conll"} | options)
    jobs.run(job.pk)


def content(download: export.Download) -> bytes:
    return b"".join(download.chunks)


class TestProjectNow:
    @pytest.mark.parametrize("unit", ["sentence", "document"])
    def test_original_gives_back_the_bytes_of_each_file(self, project, unit):
        other = "# a comment\r\n字\tB-LOC\r\n\r\n"
        bring(project, CONLL_2003, split="train", unit=unit)
        bring(project, other, split="test")
        assert (
            content(export.project_now(project, format="conll", split="train", scheme="original")).decode()
            == CONLL_2003
        )
        assert content(export.project_now(project, format="conll", split="test", scheme="original")).decode() == other

    def test_all_splits_in_the_order_in_which_they_came_in(self, project, monkeypatch):
        monkeypatch.setattr(export.export_rows, "PAGE_ROWS", 1)
        for number, split in enumerate(("test", "train", "test")):
            bring(project, f"a{number}\tO\n\nb{number}\tB-PER\n\n", split=split)
        expected = "".join(f"a{number}\tO\n\nb{number}\tB-PER\n\n" for number in range(3))
        assert content(export.project_now(project, format="conll")).decode() == expected

    @pytest.mark.parametrize(
        ("scheme", "tags"), [("iob1", "I-PER B-PER"), ("bioes", "S-PER S-PER"), ("bilou", "U-PER U-PER")]
    )
    def test_schemes(self, project, scheme, tags):
        bring(project, "a\tB-PER\nb\tB-PER\n\n")
        lines = content(export.project_now(project, format="conll", scheme=scheme)).decode().split()
        assert " ".join(lines[1::2]) == tags

    def test_only_what_is_accepted(self, project, manager):
        bring(project, "a\tB-PER\n\nb\tO\n\n")
        factories.document(project, "waits")
        review.take_back(project, manager, Document.objects.get(text="a").pk)
        assert content(export.project_now(project, format="conll")) == b"b\tO\n\n"

    def test_jsonl_comes_in_again_as_the_same_rows(self, project):
        row = {
            "id": "x/1",
            "text": "Ada  met\u2028 Bob.",
            "spans": [{"start": 0, "end": 3, "label": "PER"}],
            "meta": {"n": 1},
        }
        bring(project, json.dumps(row), name="a.jsonl", split="test")
        bring(project, "中\tB-LOC\n国\tI-LOC\n\u3000\tO\n \tO\n\n")
        out = content(export.project_now(project, format="jsonl"))
        other = factories.project()
        bring(other, out, name="a.jsonl")
        fields = ("key", "text", "token_starts", "token_ends", "split", "meta", "status", "annotations__tags")
        before, after = (
            list(Document.objects.filter(project=p).order_by("id").values_list(*fields)) for p in (project, other)
        )
        assert before == after
        assert content(export.project_now(other, format="jsonl")) == out

    @pytest.mark.parametrize(
        "options",
        [{"format": "hf"}, {"format": "xml"}, {"format": "conll", "split": "exam"}, {"format": "conll", "scheme": "io"},
         {"format": "jsonl", "scheme": "original"}],
    )  # fmt: skip
    def test_unknown_options(self, project, options):
        with pytest.raises(Invalid, match=r"use one of|one of the formats that can"):
            export.project_now(project, **options)


@pytest.fixture
def version(project, manager):
    bring(project, "Ada\tB-PER\nmet\tO\nBob\tB-PER\nLee\tI-PER\n\n|\tO\n\n", split="train")
    bring(project, "In\tO\n上\tB-LOC\n海\tI-LOC\n\n", split="test")
    project.guidelines = "Label every *name*."
    project.save()
    return versions.freeze_now(project, manager, notes="For the paper.")


READ = """
import json, sys, datasets
folder, parquet = sys.argv[1:]
disk, loaded = datasets.load_from_disk(folder), datasets.load_dataset(folder)
rows = {split: disk[split].to_list() for split in disk}
table = datasets.load_dataset("parquet", data_files={"whole": parquet})["whole"]
print(json.dumps({
    "features": [repr(disk["train"].features), repr(loaded["train"].features)],
    "table": [repr(table.features), table["split"][:]],
    "rows": rows,
    "same": all(loaded[split].to_list() == rows[split] for split in loaded),
    "loaded": list(loaded),
}))
"""


class TestVersion:
    def test_hugging_face_reads_it_as_the_contract_says(self, version, tmp_path):
        with zipfile.ZipFile(BytesIO(content(export.frozen(version, format="hf")))) as archive:
            assert archive.testzip() is None
            archive.extractall(tmp_path / "data")
        (tmp_path / "all.parquet").write_bytes(content(export.frozen(version, format="parquet")))
        environment = {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"]}
        command = [sys.executable, "-c", READ, str(tmp_path / "data"), str(tmp_path / "all.parquet")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        names = "['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']"
        features = (
            "{'id': Value('string'), 'tokens': List(Value('string')), 'ner_tags': List(ClassLabel(names="
            + names
            + "))}"
        )
        assert found["features"] == [features, features]
        assert found["rows"].keys() == {"train", "validation", "test"}
        assert [row["tokens"] for row in found["rows"]["train"]] == [["Ada", "met", "Bob", "Lee"], ["|"]]
        assert [row["ner_tags"] for row in found["rows"]["train"]] == [[1, 0, 1, 2], [0]]
        assert found["rows"]["test"][0]["id"] == Document.objects.get(split="test").key
        assert found["rows"]["validation"] == []
        assert found["same"]
        assert found["loaded"] == ["train", "test"]  # a split without rows is one that load_dataset cannot load
        assert found["table"][1] == ["train", "train", "test"]

    def test_the_card_tells_everything(self, version):
        archive = zipfile.ZipFile(BytesIO(content(export.frozen(version, format="hf"))))
        card = archive.read("README.md").decode()
        for told in (
            version.fingerprint,
            "| train | 2 | 5 | 2 | PER 2 |",
            "10% validation",
            "For the paper.",
            "*name*",
        ):
            assert told in card
        assert card.startswith("---\n")

    def test_the_same_bytes_each_time(self, version):
        for format in ("hf", "parquet", "jsonl", "conll"):
            one, other = (content(export.frozen(version, format=format)) for _ in range(2))
            assert one == other

    def test_long_texts_make_small_batches_of_the_same_rows(self, version, monkeypatch):
        def rows(groups: int) -> list[dict]:
            table = pq.ParquetFile(BytesIO(content(export.frozen(version, format="parquet"))))
            assert table.num_row_groups == groups
            return table.read().to_pylist()

        whole = rows(1)
        monkeypatch.setattr(arrow, "TOKENS_MAX", 4)
        assert rows(2) == whole
        assert len(whole) == 3

    def test_one_split(self, version):
        table = pq.read_table(BytesIO(content(export.frozen(version, format="parquet", split="test"))))
        assert table.column_names == ["id", "tokens", "ner_tags"]
        assert table.num_rows == 1
        assert (
            content(export.frozen(version, format="conll", split="test")).decode() == "In\tO\n上\tB-LOC\n海\tI-LOC\n\n"
        )

    def test_later_work_does_not_show(self, version, project, manager):
        before = content(export.frozen(version, format="jsonl"))
        review.correct(project, manager, Document.objects.get(text="|").pk, tags=["B-PER"])
        assert content(export.frozen(version, format="jsonl")) == before

    def test_unknown_format(self, version):
        with pytest.raises(Invalid, match=r"conll, jsonl, .*parquet, hf"):
            export.frozen(version, format="docx")


class TestEveryWriter:
    def test_of_a_project_and_of_a_version_over_rest(self, version, reviewer, client):
        client.force_login(reviewer)
        for name, writer in WRITERS.items():
            for address in (f"/api/v1/projects/{version.project.slug}/export", f"/api/v1/versions/{version.pk}/export"):
                response = client.get(address, {"format": name})
                assert response.status_code == 200, name
                assert response["Content-Disposition"].endswith(f'.{writer.ending}"')
                assert b"".join(response.streaming_content)

    def test_the_page_offers_them(self, version, reviewer, client):
        client.force_login(reviewer)
        page = client.get(f"/projects/{version.project.slug}/export/").content.decode()
        assert [name for name in WRITERS if f'<option value="{name}">' not in page] == []
