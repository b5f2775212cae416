"""Files into documents: a job that streams a file and writes it in batches, each one transaction.

`start` takes an upload and queues the job; `run` is its handler. A batch's rows, errors and the cursor
are kept together, so a worker that is killed leaves whole batches and the next goes on after the last.
Batches are written by `importing_batch`; formats are read under `codecs`.
"""

from collections.abc import Generator, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction

from datasets_app import jobs, uploads
from datasets_app.codecs import Reader, reader_for, recognize
from datasets_app.codecs.lines import check_head, prepare
from datasets_app.importing_batch import Batches
from datasets_app.models import Job
from datasets_app.records import SPLITS, Failure, ReadOptions, Record, Survey
from labeling.access import Person
from labeling.errors import Invalid
from labeling.models import Project

BATCH_RECORDS = 2000
BATCH_CHARACTERS = 4_000_000
HEAD_BYTES = 65_536
CHOICES = {
    "annotations": ("accept", "suggest", "ignore"),
    "labels": ("create", "report"),
    "unit": ("sentence", "document"),
}


def start(
    project: Project,
    user: Person,
    file: BinaryIO,
    *,
    name: str,
    format: str = "auto",
    annotations: str = "accept",
    split: str | None = None,
    unit: str = "sentence",
    labels: str = "create",
) -> Job:
    """Keep the file and queue its import; raises `Invalid` for a wrong option or a file that cannot be text.

    `annotations`: existing labels become accepted annotations (`accept`), suggestions (`suggest`) or are not
    read (`ignore`). `split` is for records that name none. `unit`: what of a CoNLL file is one document.
    `labels`: unknown ones are added to the project (`create`) or their records are errors (`report`).
    """
    params: dict[str, Any] = {"name": name, "annotations": annotations, "unit": unit, "labels": labels}
    for field, allowed in CHOICES.items():
        _one_of(field, params[field], allowed)
    if split:
        _one_of("split", split, tuple(SPLITS))
    params["split"] = SPLITS.get(split or "")
    path = uploads.receive(file)
    try:
        params["format"] = _format(path, name, format)
        with transaction.atomic():
            job = jobs.enqueue("import", project=project, user=user, params=params)
            uploads.keep(path, job_id=job.pk, name=name)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return job


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        listed = ", ".join(allowed)
        raise Invalid(
            f"{field} is {value!r}; use one of: {listed}.", details={"field": field, "allowed": list(allowed)}
        )


def _format(path: Path, name: str, format: str) -> str:
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    check_head(head)
    if format == "auto":
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.decode("utf-16", "ignore").encode()
        return recognize(name, head)
    reader_for(format)
    return format


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """Import the job's file; gives its counts, the labels that it added and the tag scheme that it found."""
    params = job.params
    reader = reader_for(params["format"])
    options = ReadOptions(unit=params["unit"], tags=params["annotations"] != "ignore")
    yield jobs.Step(job.done, job.total, note="Looking through the file")
    path, survey = _survey(job, reader, options)
    batches = Batches(job, survey)
    done = 0
    for batch in _batched(reader.read(path, options, survey)):
        done += len(batch)
        if done > batches.done:
            batches.write(batch, done=done)
        else:
            batches.skip(batch)
        yield jobs.Step(done, survey.records, note=f"{batches.counts['documents']:,} new documents")
    yield jobs.Step(done, done)  # the survey's count is a forecast: it does not know the columns yet
    return batches.result()


def _survey(job: Job, reader: Reader, options: ReadOptions) -> tuple[Path, Survey]:
    """The file in UTF-8 and what a first pass says of it; after a crash the survey is taken from the cursor."""
    path = prepare(uploads.path_of(job))
    if job.cursor:
        return path, Survey(**job.cursor["survey"])
    survey = reader.survey(path, options)
    if not survey.records:
        raise Invalid("The file holds no texts; nothing has been imported.", code="no_texts")
    with transaction.atomic():
        jobs.checkpoint(job, cursor={"survey": asdict(survey), "done": 0, "counts": {}})
    return path, survey


def _batched(records: Iterator[Record | Failure]) -> Iterator[list[Record | Failure]]:
    """Lists of records, bounded in number and in characters; the same each time that a file is read."""
    while batch := list(islice(records, 1)):
        size = _size(batch[0])
        while len(batch) < BATCH_RECORDS and size < BATCH_CHARACTERS and (more := next(records, None)):
            batch.append(more)
            size += _size(more)
        yield batch


def _size(record: Record | Failure) -> int:
    return len(record.text) if isinstance(record, Record) else 0
