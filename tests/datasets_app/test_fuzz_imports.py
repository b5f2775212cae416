"""Whatever file comes, an import ends in records, in errors with a code and a line, or in a refusal that says why.

Files come from `hostile`. `GOLDSET_FUZZ` sets how many there are of each format; `make fuzz` takes thousands.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from datasets_app import importing, jobs, uploads
from datasets_app.codecs import READERS
from datasets_app.grids import fit
from datasets_app.import_options import checked, fitting, reading, relabeled
from datasets_app.importing_source import format_of, plain_file, survey
from datasets_app.models import Job
from datasets_app.records import Failure, Record, Refused, storable
from datasets_app.surveying import survey as told
from labeling import bio
from labeling.errors import GoldsetError
from labeling.models import Annotation, Document, Label, Project
from tests import factories
from tests.datasets_app import hostile
from tests.datasets_app.conftest import failures

MANY = int(os.environ.get("GOLDSET_FUZZ", "0"))
SLOW = {"spacy": 50}  # a process of its own for each look at a file
# Not shrunk: an example takes jobs on a database, and the files are small as they are.
QUICK = settings(
    deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, phases=[Phase.explicit, Phase.generate]
)
REMARKS = ("span_left_out", "more_annotations", "suggestions_left_out", "regions_left_out")

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "annotations": st.sampled_from(["accept", "suggest", "ignore"]),
        "labels": st.sampled_from(["create", "report"]),
        "unit": st.sampled_from(["sentence", "document"]),
        "offsets": st.sampled_from(["auto", "utf16", "code_points"]),
        "overlaps": st.sampled_from(["refuse", "longest", "first"]),
        "grid": st.sampled_from(["cut", "keep"]),
        "split": st.sampled_from(["train", "dev"]),
        "label_map": st.sampled_from([{"PER": "LOC"}, {"PER": None}, {"LOC": "x y"}]),
        "tag_names": st.sampled_from(["O,B-PER", "O,B-PER,I-PER"]),
        "text_column": st.sampled_from(["1", "2", "label", "no such"]),
    },
)


def examples(format: str, *, usual: int) -> settings:
    return settings(QUICK, max_examples=max(1, MANY // SLOW.get(format, 1)) if MANY else usual)


@pytest.mark.parametrize("format", hostile.SEEDS)
def test_a_reader_gives_records_or_says_what_is_wrong(format: str, tmp_path: Path) -> None:
    @examples(format, usual=1 if format in SLOW else 40)
    @given(hostile.files(format), st.just("auto") | st.sampled_from(sorted(READERS)), OPTIONS)
    def check(file: tuple[str, bytes], asked: str, options: dict[str, Any]) -> None:
        with TemporaryDirectory(dir=tmp_path) as folder:
            path, params = Path(folder) / "upload", checked(options)
            path.write_bytes(file[1])
            try:
                params["format"] = format_of(path, file[0], asked)
                good(path, file[0], params)
            except GoldsetError as error:
                check_words(error.code, error.message)

    check()


@pytest.mark.django_db
@pytest.mark.parametrize("format", [name for name in hostile.SEEDS if MANY or name not in SLOW])
def test_an_import_takes_exactly_the_good_or_nothing(format: str, project, manager) -> None:
    @examples(format, usual=3)
    @given(hostile.files(format), st.just("auto") | st.sampled_from(sorted(READERS)), OPTIONS)
    def check(file: tuple[str, bytes], asked: str, options: dict[str, Any]) -> None:
        name, content = file
        with undone():
            goes_through(project, manager, name, content, format=asked, **options)

    check()


def goes_through(project: Project, manager: Any, name: str, content: bytes, **options: Any) -> None:
    """A dry run, the import, the same again, and all or nothing into another project: all say the same."""
    before = state(project)
    try:
        tried = importing.start(project, manager, io.BytesIO(content), name=name, dry_run=True, **options)
    except GoldsetError as error:
        check_words(error.code, error.message)
        assert state(project) == before
        assert list(uploads.folder().iterdir()) == []
        return
    finished(tried)
    assert state(project) == before, "a dry run has written"
    whole = other_project(project, manager)
    strict = importing.start(whole, manager, io.BytesIO(content), name=name, on_error="refuse", **options)
    finished(strict)
    if tried.state == Job.State.FAILED:
        assert strict.result == tried.result
        assert state(whole) == before
        real = finished(importing.start_tried(tried, manager))
        assert (real.state, real.message, state(project)) == (Job.State.FAILED, tried.message, before)
        return
    there = good(uploads.path_of(tried), name, tried.params)
    real = finished(importing.start_tried(tried, manager))
    assert real.state == Job.State.SUCCEEDED, real.message
    assert failures(real) == failures(tried)
    for count in ("documents", "existing", "annotations", "suggestions", "errors"):
        assert real.result[count] == tried.result[count], count
    # Texts that come with one id are one document: the first of them.
    taken = list(Document.objects.filter(source=real.pk).order_by("line", "id").values_list("line", "text"))
    assert len(taken) == real.result["documents"]
    assert set(taken) <= set(there)
    refused = {line for line, code in failures(real) if code not in REMARKS}
    missing = [(line, text) for line, text in there if (line, text) not in set(taken) and line not in refused]
    assert len(missing) == real.result["existing"]
    again = finished(importing.start_tried(tried, manager))
    assert again.result["documents"] == again.result["annotations"] == again.result["suggestions"] == 0
    if refused:
        assert (strict.state, strict.result["code"]) == (Job.State.FAILED, "records_refused")
        assert state(whole) == before
    else:
        assert strict.state == Job.State.SUCCEEDED
        assert strict.result["documents"] == real.result["documents"]


def state(project: Project) -> tuple[int, int, list[str]]:
    labels = list(Label.objects.filter(project=project).order_by("name").values_list("name", flat=True))
    annotations = Annotation.objects.filter(document__project=project).count()
    return Document.objects.filter(project=project).count(), annotations, labels


def other_project(project: Project, manager: Any) -> Project:
    return factories.project(manager=manager, tokenizer=project.tokenizer)


def finished(job: Job) -> Job:
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state in (Job.State.SUCCEEDED, Job.State.FAILED)
    assert not job.message.startswith("Unexpected"), job.message
    if job.state == Job.State.FAILED:
        check_words(job.result["code"], job.message)
    assert job.errors.count() == job.error_count
    for line, code, message in job.errors.values_list("line", "code", "message"):
        assert line > 0
        check_words(code, message)
    return job


def good(path: Path, name: str, params: dict[str, Any]) -> list[tuple[int, str]]:
    """Line and text of each record that can be taken, as they are read and fitted; the others say why."""
    reader, options = READERS[params["format"]], reading(params)
    plain = plain_file(path, reader, name=name)
    found = []
    for record in relabeled(reader.read(plain, options, survey(plain, reader, options)), params.get("label_map", {})):
        kept = storable(record) if isinstance(record, Record) else record
        if isinstance(kept, Failure):
            assert kept.line > 0
            check_words(kept.code, kept.message)
        else:
            try:
                fitted = fit(kept, tokenizer="words", **fitting(params))
            except Refused as refused:
                check_words(refused.code, refused.message)
                continue
            assert 0 <= fitted.starts[0] < fitted.ends[-1] <= len(kept.text)
            assert fitted.tags is None or bio.illegal_index(fitted.tags) is None
            found.append((kept.line, kept.text))
    return found


def check_words(code: str, message: str) -> None:
    assert re.fullmatch(r"[a-z_0-9]+", code)
    assert message.encode()
    assert "\0" not in message


@contextmanager
def undone() -> Iterator[None]:
    """What is written within is rolled back, and the uploads are removed."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for path in uploads.folder().iterdir():
            path.unlink()


@pytest.mark.django_db
@settings(QUICK, max_examples=MANY or 20)
@given(hostile.MADE["jsonl"] | hostile.files("jsonl").map(lambda file: file[1]))
def test_the_look_before_there_is_a_project(content: bytes) -> None:
    try:
        found = told(io.BytesIO(content), name="a.jsonl", size=len(content))
    except GoldsetError as error:
        check_words(error.code, error.message)
    else:
        assert json.dumps(found, allow_nan=False)
        assert found["texts"] > 0
