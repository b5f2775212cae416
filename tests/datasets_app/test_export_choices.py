"""What of a project goes out: accepted, by one person, or everything that people and models said."""

import json
from io import BytesIO

import pytest

from datasets_app import export, importing, jobs, versions
from labeling import annotate, predictions, review
from labeling.annotate import Aside
from labeling.errors import Invalid
from labeling.models import Document
from labeling.predictions import Predicted
from tests import factories

pytestmark = pytest.mark.django_db
TEXT = "Ada 👋 met Bob"
URL = "/api/v1/projects/news/export"


def content(download: export.Download) -> bytes:
    return b"".join(download.chunks)


@pytest.fixture
def said(project, manager, annotator, reviewer):
    """One text that two people and a model labeled, one with a draft, one that nobody has looked at."""
    project.overlap = 2
    project.save()
    lines = "".join(
        json.dumps({"id": f"t{n}", "text": TEXT, "split": "train", "meta": {"n": n}}) + "\n" for n in range(3)
    )
    jobs.run(importing.start(project, manager, BytesIO(lines.encode()), name="mail.jsonl").pk)
    both, draft, _ = Document.objects.order_by("line")
    count = len(both.token_starts)
    guess = ["B-LOC", *["O"] * (count - 2), "B-PER"]
    predictions.store([Predicted(both.pk, guess, [0.5, *[0.9] * (count - 1)])], model="bert-1")
    tags = ["B-PER", *["O"] * (count - 2), "B-PER"]
    annotate.save(project, annotator, both.pk, tags=tags, revision=0, submit=True, aside=Aside(comment="sure?"))
    annotate.save(project, reviewer, both.pk, tags=["O"] * count, revision=0, submit=True)
    annotate.save(project, annotator, draft.pk, tags=tags, revision=0, submit=False)
    review.accept(project, manager, both.pk, annotation_id=both.annotations.get(annotator=annotator).pk)
    return both


def everything(project, format: str, **options) -> list:
    data = content(export.project_now(project, format=format, annotations="everything", **options)).decode()
    return json.loads(data) if format == "label_studio" else [json.loads(line) for line in data.splitlines()]


class TestOfAVersion:
    def test_whose_annotation_the_gold_is(self, project, said, reviewer, annotator, manager, api):
        other = Document.objects.order_by("line").last()
        review.correct(project, reviewer, other.pk, tags=["O"] * len(other.token_starts))
        version = versions.freeze_now(project, manager)
        url = f"/api/v1/versions/{version.pk}/export"
        for name in (*export.WRITERS, "parquet"):
            answer = api(reviewer).get(url, {"format": name, "annotator": annotator.username})
            assert f"news-v1-{annotator.username}" in answer["Content-Disposition"]
            assert b"".join(answer.streaming_content)
        data = content(export.frozen(version, format="jsonl", annotator=annotator.username))
        assert [json.loads(line)["id"] for line in data.splitlines()] == ["t0"]
        assert content(export.frozen(version, format="jsonl", annotator=annotator.username, split="test")) == b""

    def test_what_it_does_not_hold_is_said(self, project, said, manager, api):
        version = versions.freeze_now(project, manager)
        for options, field in (
            ({"annotations": "everything"}, "annotations"),
            ({"annotator": "nobody"}, "annotator"),
            ({"format": "hf", "annotator": "mara"}, "annotator"),
        ):
            answer = api(manager).get(f"/api/v1/versions/{version.pk}/export", {"format": "jsonl", **options})
            assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, field)


class TestByPerson:
    def test_what_they_submitted_whether_or_not_it_is_accepted(self, project, said, reviewer, annotator):
        for person, tag in ((annotator, "B-PER"), (reviewer, "O")):
            data = content(export.project_now(project, format="conll", annotator=person.username)).decode()
            assert data.split("\n")[0] == f"Ada\t{tag}"
            assert data.count("\n\n") == 1  # not the draft

    def test_every_format_and_the_name_of_the_file(self, project, said, annotator, client, reviewer):
        client.force_login(reviewer)
        for name in export.WRITERS:
            response = client.get(URL, {"format": name, "annotator": annotator.username})
            assert f"news-{annotator.username}" in response["Content-Disposition"]
            assert b"".join(response.streaming_content)

    @pytest.mark.parametrize("name", ["nobody", "manager", "x" * 300])
    def test_who_has_annotated_nothing(self, project, said, manager, client, reviewer, name):
        client.force_login(reviewer)
        response = client.get(URL, {"annotator": manager.username if name == "manager" else name})
        assert response.status_code == 400
        assert response.json()["error"]["details"]["field"] == "annotator"


class TestEverything:
    def test_our_own_lines(self, project, said, annotator, reviewer, manager):
        both, draft, open_one = everything(project, "jsonl")
        assert (both["status"], draft["status"], open_one["status"]) == ("accepted", "pending", "pending")
        assert both["came_in"] | {"at": 0} == {"job": both["came_in"]["job"], "file": "mail.jsonl", "line": 1, "at": 0}
        assert both["spans"] == [{"start": 0, "end": 3, "label": "PER"}, {"start": 10, "end": 13, "label": "PER"}]
        assert "tags" not in draft
        gold, other = both["annotations"]
        assert (gold["annotator"], gold["state"], gold["accepted_by"]) == (
            annotator.username, "submitted", manager.username)  # fmt: skip
        assert (gold["comment"], gold["suggested_by"]) == ("sure?", "bert-1")
        first, second = gold["spans"]
        assert (first["origin"], first["text"], first["from"]["label"]) == ("edited", "Ada", "LOC")
        assert (second["origin"], second["model"], second["confidence"]) == ("accepted", "bert-1", 0.9)
        assert (other["annotator"], other["accepted"], other["spans"]) == (reviewer.username, False, [])
        assert [row["model"] for row in both["suggestions"]] == ["bert-1"]
        assert [span["confidence"] for span in both["suggestions"][0]["spans"]] == [0.5, 0.9]
        assert [row["state"] for row in draft["annotations"]] == ["draft"]
        assert open_one["annotations"] == open_one["suggestions"] == []

    def test_label_studio(self, project, said, annotator):
        both, draft, open_one = everything(project, "label_studio")
        gold = both["annotations"][0]
        assert (gold["annotator"], gold["ground_truth"], len(both["annotations"])) == (annotator.username, True, 2)
        assert gold["result"][1]["value"] == {"start": 11, "end": 14, "text": "Bob", "labels": ["PER"]}  # UTF-16
        assert gold["result"][1]["score"] == 0.9
        assert (both["predictions"][0]["model_version"], both["predictions"][0]["score"]) == ("bert-1", 0.5)
        assert (draft["annotations"], len(draft["drafts"]), open_one["annotations"]) == ([], 1, [])

    def test_prodigy(self, project, said, annotator, reviewer):
        rows = everything(project, "prodigy")
        found = [(row["id"], row.get("_annotator_id"), row["answer"]) for row in rows]
        assert found == [
            ("t0", annotator.username, "accept"),
            ("t0", reviewer.username, "ignore"),
            ("t1", annotator.username, "ignore"),
            ("t2", None, "ignore"),
        ]
        assert rows[0]["spans"][1]["model"] == "bert-1"

    @pytest.mark.parametrize("format", export.carriers())
    def test_comes_in_again_as_its_gold(self, project, said, format):
        data = content(export.project_now(project, format=format, annotations="everything"))
        other = factories.project()
        job = importing.start(other, other.created_by, BytesIO(data), name="all.json")
        jobs.run(job.pk)
        rows = Document.objects.filter(project=other)
        assert list(rows.order_by("line", "key").values_list("key", "text", "split")) == [
            (f"t{n}", TEXT, "train") for n in range(3)
        ]
        gold = rows.get(key="t0").annotations.get(accepted=True)
        assert (gold.tags[0], gold.tags[-1], set(gold.tags[1:-1])) == ("B-PER", "B-PER", {"O"})
        assert not rows.filter(status="accepted").exclude(key="t0").exists()
        assert [row.meta["n"] for row in rows.order_by("key")] == [0, 1, 2]

    def test_one_split_pages_archived_and_erased_texts(self, project, said, monkeypatch):
        monkeypatch.setattr(export.export_rows, "WHOLE_ROWS", 1)
        Document.objects.filter(key="t1").update(split="test")
        Document.objects.filter(key="t2").update(archived_at="2026-01-01T00:00Z")
        assert [row["id"] for row in everything(project, "jsonl", split="test")] == ["t1"]
        rows = everything(project, "jsonl")
        assert [(row["id"], row.get("archived", False)) for row in rows] == [("t0", False), ("t1", False), ("t2", True)]

    def test_a_span_that_nothing_is_known_about(self, project, said):
        said.annotations.filter(accepted=True).update(provenance={})
        assert everything(project, "jsonl")[0]["annotations"][0]["spans"][0] == {
            "start": 0, "end": 3, "label": "PER", "text": "Ada"}  # fmt: skip

    @pytest.mark.parametrize(
        "options",
        [{"format": "conll"}, {"format": "hf"}, {"annotations": "some"}, {"format": "jsonl", "annotator": "x"}],
    )
    def test_what_cannot_be(self, project, options):
        with pytest.raises(Invalid):
            export.project_now(project, **{"format": "jsonl", "annotations": "everything"} | options)


def test_the_page(project, said, client, reviewer, annotator):
    client.force_login(reviewer)
    page = client.get("/projects/news/export/").content.decode()
    assert f'<option value="{annotator.username}">' in page
    assert 'name="annotations" value="everything"' in page


def test_a_choice_that_a_format_cannot_carry_is_told_in_the_form(project, said, client, reviewer):
    client.force_login(reviewer)
    page = f"/projects/{project.slug}/export/"
    refused = client.get(page, {"format": "prodigy", "scheme": "iob1", "split": "test"})
    body = refused.content.decode()
    assert (refused.status_code, "cannot carry the tag scheme iob1; choose iob2" in body) == (400, True)
    assert '<option value="prodigy" selected' in body
    given = client.get(page, {"format": "jsonl", "scheme": "iob2", "annotator": "", "split": ""})
    assert given.headers["Content-Disposition"] == f'attachment; filename="{project.slug}.jsonl"'
    assert b"".join(given.streaming_content) == content(export.project_now(project, format="jsonl"))
