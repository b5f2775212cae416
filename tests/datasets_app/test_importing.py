"""Imports into the database: what comes in, what is refused, what happens to what is there already."""

import json
import threading
from io import BytesIO

import pytest
from django.conf import settings
from django.db import connection

from datasets_app import importing, importing_batch, jobs, uploads
from datasets_app.models import Job
from labeling import documents
from labeling.annotate import save
from labeling.errors import Invalid, TooLarge
from labeling.models import Annotation, Document, Event, Label, Prediction
from tests.datasets_app.conftest import failures, run_in_thread

CONLL = "Ada\tB-PER\nmet\tO\nBob\tB-PER\n\nIn\tO\nParis\tB-LOC\n\nAda\tB-PER\nmet\tO\nBob\tB-PER\n\n"


@pytest.fixture
def bring(project, manager):
    """`bring(content, **options)` imports a file and gives its job."""

    def run(content: str | bytes, *, name: str = "file.conll", **options) -> Job:
        data = content.encode() if isinstance(content, str) else content
        job = importing.start(project, manager, BytesIO(data), name=name, **options)
        jobs.run(job.pk)
        job.refresh_from_db()
        return job

    return run


def jsonl(*objects: dict) -> str:
    return "".join(json.dumps(value) + "\n" for value in objects)


def result(job: Job, *names: str) -> tuple:
    assert job.state == "succeeded", job.message
    return tuple(job.result[name] for name in names)


pytestmark = pytest.mark.django_db


class TestIn:
    def test_accept(self, bring, project, manager):
        job = bring(CONLL, split="test")
        assert result(job, "documents", "existing", "annotations", "errors", "scheme") == (3, 0, 3, 0, "iob2")
        assert (job.done, job.total, job.error_count) == (3, 3, 0)
        first, second, third = Document.objects.order_by("line")
        assert (first.text, first.tokens, first.split, first.status) == (
            "Ada met Bob",
            ["Ada", "met", "Bob"],
            "test",
            "accepted",
        )
        assert [document.line for document in (first, second, third)] == [1, 5, 8]
        assert {document.source for document in (first, second, third)} == {job.pk}
        assert first.group_key == third.group_key != second.group_key
        assert first.key.removesuffix("-1") == third.key.removesuffix("-2")
        annotation = first.annotations.get()
        assert (annotation.tags, annotation.accepted, annotation.state) == (["B-PER", "O", "B-PER"], True, "submitted")
        assert annotation.annotator == annotation.accepted_by == manager
        assert annotation.accepted_at is not None
        assert Prediction.objects.count() == 0

    def test_suggest(self, bring):
        job = bring(CONLL, annotations="suggest")
        assert result(job, "documents", "annotations", "suggestions") == (3, 0, 3)
        suggestion = Document.objects.get(line=5).predictions.get()
        assert (suggestion.model, suggestion.tags, suggestion.confidences) == ("import", ["O", "B-LOC"], [1.0, 1.0])
        assert set(Document.objects.values_list("status", flat=True)) == {"pending"}

    def test_ignore(self, bring):
        job = bring(CONLL.replace("B-LOC", "I-XYZ"), annotations="ignore")
        assert result(job, "documents", "annotations", "suggestions", "errors", "labels_created") == (3, 0, 0, 0, [])

    def test_events_tell_of_the_import_and_not_of_each_document(self, bring, project):
        job = bring(CONLL)
        events = Event.objects.filter(project=project).order_by("id")
        assert [event.verb for event in events] == ["job.queued", "job.succeeded"]
        assert events[1].data["result"] == job.result

    def test_texts_are_cut_by_the_project(self, bring, project):
        project.tokenizer = "characters"
        project.save()
        bring("中国 ok\n", name="a.txt")
        assert Document.objects.get().tokens == ["中", "国", "o", "k"]

    def test_text_without_labels_waits_for_a_person(self, bring):
        job = bring(jsonl({"text": "Ada met Bob"}, {"text": "So", "spans": []}), name="a.jsonl")
        assert result(job, "documents", "annotations") == (2, 1)
        assert list(Document.objects.order_by("line").values_list("status", flat=True)) == ["pending", "accepted"]

    def test_a_span_refines_the_grid(self, bring):
        bring(jsonl({"text": "Nordseeküste", "spans": [{"start": 0, "end": 7, "label": "LOC"}]}), name="a.jsonl")
        document = Document.objects.get()
        assert (document.tokens, document.annotations.get().tags) == (["Nordsee", "küste"], ["B-LOC", "O"])

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_other_unicode_encodings(self, bring, encoding):
        job = bring('{"text": "Grüße 👋"}\n'.encode(encoding), name="data")
        assert result(job, "documents", "format") == (1, "jsonl")
        assert Document.objects.get().text == "Grüße 👋"

    def test_own_splits_win_and_others_are_hashed(self, bring):
        rows = [{"text": f"text {n}"} for n in range(200)] + [{"text": "mine", "split": "dev"}]
        bring(jsonl(*rows), name="a.jsonl", split="test")
        assert Document.objects.get(text="mine").split == "validation"
        assert Document.objects.filter(split="test").count() == 200
        bring(jsonl(*({"text": f"other {n}"} for n in range(400))), name="b.jsonl")
        counts = [
            Document.objects.filter(text__startswith="other", split=s).count() for s in ("train", "validation", "test")
        ]
        assert min(counts) > 10
        assert counts[0] > 280

    def test_a_duplicate_never_sits_on_both_sides(self, bring, project):
        rows = [{"text": f"text {n}"} for n in range(60)]
        bring(jsonl(*rows), name="a.jsonl", split="test")
        project.validation_share = 0.45
        project.save()
        bring(jsonl(*({"text": row["text"].upper(), "id": f"b{n}"} for n, row in enumerate(rows))), name="b.jsonl")
        assert set(Document.objects.filter(key__startswith="b").values_list("split", flat=True)) == {"test"}

    def test_sentences_of_a_docstart_document_share_a_split(self, bring):
        sentences = [f"s{number}\tO\n\n" for number in range(96)]
        blocks = ["".join(sentences[at : at + 8]) for at in range(0, 96, 8)]
        bring("".join(f"-DOCSTART-\tO\n\n{block}" for block in blocks))
        groups = {}
        for document in Document.objects.all():
            groups.setdefault(document.group_key, set()).add(document.split)
        assert len(groups) == 12
        assert all(len(found) == 1 for found in groups.values())
        assert len(set.union(*groups.values())) > 1

    def test_the_same_sentence_in_a_train_and_a_test_file(self, bring):
        bring(CONLL, split="train")
        assert result(bring(CONLL, split="test"), "documents", "existing") == (3, 0)

    def test_hostile_strings_arrive_as_they_are(self, bring):
        text = 'tab\\t \\N {"a",\\} 👩‍👩‍👧 é \u2028 end\\.'
        bring(jsonl({"text": text, "id": "\\N\t{}", "meta": {"a\\": ['"', "\n\\n"]}}), name="a.jsonl")
        document = Document.objects.get()
        assert (document.text, document.key, document.meta) == (text, "\\N\t{}", {"a\\": ['"', "\n\\n"]})


class TestAgain:
    @pytest.mark.parametrize("annotations", ["accept", "suggest", "ignore"])
    def test_a_repeat_adds_nothing(self, bring, annotations):
        bring(CONLL, annotations=annotations)
        before = [Model.objects.count() for Model in (Document, Annotation, Prediction, Label)]
        job = bring(CONLL, annotations=annotations)
        assert result(job, "documents", "existing", "annotations", "suggestions", "errors") == (0, 3, 0, 0, 0)
        assert [Model.objects.count() for Model in (Document, Annotation, Prediction, Label)] == before

    def test_labels_that_come_later_go_to_texts_that_nobody_has_begun(self, bring, project, annotator):
        bring(CONLL, annotations="ignore")
        begun = Document.objects.get(line=5)
        save(project, annotator, begun.pk, tags=["O", "O"], revision=0, submit=False)
        job = bring(CONLL, annotations="accept")
        assert result(job, "documents", "existing", "annotations") == (0, 3, 2)
        begun.refresh_from_db()
        assert begun.status == "pending"
        assert begun.annotations.get().annotator == annotator
        assert Document.objects.filter(status="accepted").count() == 2

    def test_an_archived_text_stays_archived(self, bring, project, manager):
        bring(CONLL, annotations="ignore")
        documents.archive(project, manager, Document.objects.get(line=5).pk)
        assert result(bring(CONLL), "existing", "annotations") == (3, 2)
        assert Document.objects.get(line=5).archived_at is not None

    def test_an_id_that_another_text_has_is_an_error(self, bring):
        bring(jsonl({"id": "1", "text": "one"}), name="a.jsonl")
        job = bring(
            jsonl({"id": "1", "text": "other"}, {"id": "2", "text": "two"}, {"id": "2", "text": "x"}), name="b.jsonl"
        )
        assert result(job, "documents", "existing", "errors") == (1, 0, 2)
        assert failures(job) == [(1, "id_taken"), (3, "id_taken")]
        assert Document.objects.get(key="1").text == "one"


def test_the_planner_learns_that_the_project_grows(bring, project, monkeypatch):
    """Without it, each text is looked up by reading all texts of a project that is taken for empty."""
    monkeypatch.setattr(importing_batch, "ANALYZE_FROM", 4)
    bring("\n".join(f"text number {number}" for number in range(8)), name="a.txt")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT most_common_vals::text FROM pg_stats"
            " WHERE tablename = 'labeling_document' AND attname = 'project_id'"
        )
        assert f"{{{project.pk}}}" in [row[0] for row in cursor.fetchall()]


class TestBadInput:
    def test_bad_lines_are_listed_and_good_ones_go_in(self, bring):
        bad = {"text": "a b", "spans": [{"start": 0, "end": 2, "label": "X"}]}
        job = bring(jsonl({"text": "good"}, bad, {"text": "  "}, {"text": "fine"}) + "nonsense\n", name="a.jsonl")
        assert result(job, "documents", "errors") == (2, 3)
        assert failures(job) == [(2, "span_in_blanks"), (3, "no_tokens"), (5, "bad_json")]
        assert job.error_count == 3

    def test_unknown_labels_are_created(self, bring, project):
        job = bring("a\tB-ORG\n\nb\tB-creative-work\n")
        assert job.result["labels_created"] == ["ORG", "creative-work"]
        assert list(project.labels.values_list("name", "position")) == [
            ("PER", 1),
            ("LOC", 2),
            ("ORG", 3),
            ("creative-work", 4),
        ]
        assert Event.objects.filter(verb="label.added").count() == 2

    def test_unknown_labels_are_reported(self, bring, project):
        job = bring("a\tB-ORG\n\nb\tB-PER\n", labels="report")
        assert result(job, "documents", "errors", "labels_created") == (1, 1, [])
        assert failures(job) == [(1, "unknown_label")]
        assert "'ORG'" in job.errors.get().message
        assert project.labels.count() == 2

    def test_what_cannot_be_a_label_is_an_error(self, bring, project):
        rows = [
            {"text": "a", "spans": [{"start": 0, "end": 1, "label": label}]}
            for label in ("a b", "x" * 101, " OK", "OK")
        ]
        job = bring(jsonl(*rows), name="a.jsonl")
        assert result(job, "documents", "errors", "labels_created") == (1, 3, ["OK"])
        assert failures(job) == [(line, "unknown_label") for line in (1, 2, 3)]

    def test_what_no_database_stores_is_an_error_of_its_line_in_any_format(self, bring):
        job = bring("one\nt\0wo\nthree\n", name="a.txt")
        assert (result(job, "documents", "errors"), failures(job)) == ((2, 1), [(2, "nul")])

    def test_bad_split_and_long_id(self, bring):
        job = bring(jsonl({"text": "a", "split": "exam"}, {"text": "b", "id": "x" * 201}), name="a.jsonl")
        assert failures(job) == [(1, "bad_split"), (2, "id_too_long")]

    @pytest.mark.parametrize(
        ("content", "code"),
        [("ok\n" * 30_000 + "\udcff", "bad_encoding"), ("# only a comment\n", "no_texts")],
    )
    def test_a_file_that_cannot_be_read_changes_nothing(self, bring, content, code):
        job = bring(content.encode("utf-8", "surrogateescape"), format="conll")
        assert (job.state, job.result["code"]) == ("failed", code)
        assert Document.objects.count() == 0

    @pytest.mark.parametrize(
        "options",
        [{"annotations": "maybe"}, {"split": "exam"}, {"unit": "word"}, {"labels": "drop"}, {"format": "docx"}],
    )
    def test_an_unknown_option_is_refused_and_leaves_no_file(self, bring, options):
        with pytest.raises(Invalid, match="use one of"):
            bring(CONLL, **options)
        assert Job.objects.count() == 0
        assert not any(path.name.startswith("incoming") for path in uploads.folder().iterdir())

    def test_a_file_over_the_limit(self, bring, monkeypatch):
        monkeypatch.setattr(settings, "UPLOAD_MAX_BYTES", 10)
        with pytest.raises(TooLarge, match="10 bytes"):
            bring(CONLL)
        assert not any(path.name.startswith("incoming") for path in uploads.folder().iterdir())

    def test_a_file_that_is_gone(self, project, manager):
        job = importing.start(project, manager, BytesIO(b"a\tO\n"), name="../../x.conll")
        path = uploads.path_of(job)
        assert path.parent == uploads.folder()
        path.unlink()
        jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.result["code"]) == ("failed", "upload_gone")


class TestResuming:
    def test_from_every_cursor_the_rows_are_the_same(self, bring, project, manager, monkeypatch):
        monkeypatch.setattr(importing, "BATCH_RECORDS", 2)
        content = "".join(f"{word}\tB-PER\n\n" for word in ["a", "b", "a", "c", "a", "b", "d"]) + "bad\n\nb\tB-PER\n\n"
        job = importing.start(project, manager, BytesIO(content.encode()), name="a.conll")
        for done in (2, 4, 6, 8):
            self.die_at(job, done)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert result(job, "documents", "existing", "annotations", "errors") == (8, 0, 8, 1)
        assert failures(job) == [(15, "wrong_columns")]
        numbers = [document.key.rpartition("-")[2] for document in Document.objects.order_by("line")]
        assert numbers == ["1", "1", "2", "1", "3", "2", "1", "3"]

    def die_at(self, job: Job, done: int) -> None:
        """Run until so many records are kept, then stop as if the worker had died."""
        claimed = jobs._claim(job.pk)
        steps = importing.run(claimed)
        while not claimed.cursor or claimed.cursor["done"] < done:
            next(steps)
        steps.close()
        Job.objects.filter(pk=job.pk).update(heartbeat=jobs._ago(60))


class TestUploads:
    def test_old_files_go_and_those_in_use_stay(self, project, manager):
        done, waiting = (importing.start(project, manager, BytesIO(b"a\tO\n"), name=f"{n}.conll") for n in "ab")
        jobs.run(done.pk)
        assert uploads.remove_old() == 0
        uploads.remove_old(keep_seconds=-1)
        assert uploads.path_of(waiting).exists()
        with pytest.raises(Invalid):
            uploads.path_of(done)


@pytest.mark.django_db(transaction=True)
def test_two_workers_import_the_same_file_at_once(project, manager, monkeypatch):
    monkeypatch.setattr(jobs, "_send", lambda job_id, kind: None)
    monkeypatch.setattr(importing, "BATCH_RECORDS", 20)
    content = "".join(f"word{number % 150}\tB-NEW\n\n" for number in range(300)).encode()
    pair = [importing.start(project, manager, BytesIO(content), name="a.conll") for _ in range(2)]
    runners = [threading.Thread(target=run_in_thread, args=[job.pk]) for job in pair]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    for job in pair:
        job.refresh_from_db()
        assert job.state == "succeeded", job.message
    assert Document.objects.count() == Annotation.objects.count() == 300
    assert sum(job.result["documents"] for job in pair) == sum(job.result["existing"] for job in pair) == 300
    assert Label.objects.filter(name="NEW").count() == 1
