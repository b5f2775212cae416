"""Files into documents: a job that streams a file and writes it in batches, each one transaction.

`start` takes an upload and queues the job; `run` is its handler. A batch's rows, errors and the cursor
are kept together, so a worker that is killed leaves whole batches and the next goes on after the last.
`import_options` says how an import is done, `importing_source` makes the file ready, formats are read under
`codecs`, and `importing_batch` writes.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction

from datasets_app import import_options, jobs, locations, uploads
from datasets_app.codecs import Reader, reader_for
from datasets_app.importing_batch import Batches
from datasets_app.importing_check import Check, checked_records
from datasets_app.importing_source import format_of, plain_file, survey
from datasets_app.models import Job, TextKey, Upload
from datasets_app.reading_ahead import read_ahead
from datasets_app.records import Failure, ReadOptions, Record, Survey, storable
from labeling.access import Person
from labeling.errors import Conflict, Invalid
from labeling.models import Annotation, Document, Project

BATCH_RECORDS = 2000
BATCH_CHARACTERS = 4_000_000


def start(project: Project, user: Person, file: BinaryIO, *, name: str, **options: Any) -> Job:
    """Keep the file and queue its import; raises `Invalid` for a wrong option or a file that cannot be read.

    `annotations`: existing labels become accepted annotations (`accept`), suggestions (`suggest`) or are not
    read (`ignore`). `split` is for records that name none. `unit`: what of a CoNLL file is one document.
    `labels`: unknown ones are added to the project (`create`) or their records are errors (`report`). The other
    options stand in `import_options`.
    """
    params = import_options.checked(options)
    path = uploads.receive(file)
    try:
        params |= {"name": name, "format": format_of(path, name, params["format"])}
        with transaction.atomic():
            job = jobs.enqueue("import", project=project, user=user, params=params)
            uploads.keep(path, job_id=job.pk, name=name)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return job


def start_uploaded(project: Project, user: Person, upload: Upload, **options: Any) -> Job:
    """Import a file that has come in parts; as `start`. Raises `Conflict` while something of it is missing."""
    params = import_options.checked(options)
    path = uploads.part_of(upload)
    params |= {"name": upload.name, "format": format_of(path, upload.name, params["format"])}
    with transaction.atomic():
        job = jobs.enqueue("import", project=project, user=user, params=params)
        uploads.take(upload, job)
        transaction.on_commit(lambda: uploads.discard(upload))
    return job


def start_from(project: Project, user: Person, location: str, **options: Any) -> Job:
    """Import what the server fetches itself, from where `locations` permits it; raises `Invalid`."""
    params = import_options.checked(options)
    place = locations.checked(location)
    if params["format"] != "auto":
        reader_for(params["format"])
    params |= {"name": locations.name_of(place), "location": place}
    return jobs.enqueue("import", project=project, user=user, params=params)


def start_tried(tried: Job, user: Person, **options: Any) -> Job:
    """Import for real what a dry run has looked through: the same file, with its options unless others are given."""
    params = {name: value for name, value in tried.params.items() if name in import_options.DEFAULTS}
    params = import_options.checked({**params, "dry_run": False, **options})
    params["name"] = tried.params["name"]
    assert tried.project is not None
    with transaction.atomic():
        job = jobs.enqueue("import", project=tried.project, user=user, params=params)
        uploads.share(tried, job)
    return job


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """Import the job's file; gives its counts, the labels that it added and the tag scheme that it found."""
    if "location" in job.params:
        yield from _fetched(job)
    reader, options = reader_for(job.params["format"]), import_options.reading(job.params)
    yield jobs.Step(job.done, job.total, note="Looking through the file")
    path, found = _looked_through(job, reader, options)
    strict = job.params.get("on_error") == "refuse"
    if job.params.get("dry_run") or (strict and not job.cursor.get("checked") and not job.cursor["done"]):
        check = Check(job, found)
        yield from _look(check, _batched(_storable(checked_records(check, reader.read(path, options, found)))))
        if job.params.get("dry_run"):
            return check.result()
        _require_good(check)
    batches, done = Batches(job, found), 0
    lists = _batched(_records(job, reader.read(path, options, found)))
    with closing(read_ahead(batches.prepared(lists))) as ahead:
        for done, batch, digests in ahead:
            if done > batches.done:
                batches.write(batch, done=done)
            else:
                batches.skip(digests)
            if strict and batches.counts["errors"]:
                _take_back(job)
            yield jobs.Step(done, found.records, note=f"{batches.counts['documents']:,} new documents")
    yield jobs.Step(done, done)  # the survey's count is a forecast: it does not know the columns yet
    return batches.result()


def _look(check: Check, batches: Iterator[list[Record | Failure]]) -> Iterator[jobs.Step]:
    done = 0
    with closing(read_ahead(map(check.preparing.batch, batches))) as ahead:
        for batch in ahead:
            done += len(batch)
            check.look(batch)
            yield jobs.Step(done, check.survey.records, note=f"Checking: {check.counts['documents']:,} new documents")
    yield jobs.Step(done, done)


def _fetched(job: Job) -> Generator[jobs.Step, None, None]:
    """Have the file fetched, unless an attempt before this one has it, and tell its format."""
    path, coming = uploads.place_for(job), uploads.place_for(job, ".coming")
    if not path.exists():
        for received in locations.fetch(job.params["location"], coming):
            yield jobs.Step(0, None, note=f"Fetching: {received / 1e6:,.1f} MB")
        coming.rename(path)
    job.params["format"] = format_of(path, job.params["name"], job.params["format"])
    with transaction.atomic():
        jobs.checkpoint(job, cursor=job.cursor)
        job.save(update_fields=["params"])


def _require_good(check: Check) -> None:
    """Raise `Invalid` if any record is bad, else remember that none is."""
    if check.bad:
        raise Invalid(
            f"{check.bad:,} of the file's records cannot be taken; nothing has been imported, as on_error=refuse asks."
            " The errors are listed.",
            code="records_refused",
            details={"errors": check.bad},
        )
    with transaction.atomic():
        jobs.checkpoint(check.job, cursor={**check.job.cursor, "checked": True})


def _take_back(job: Job) -> None:
    """Remove what an all-or-nothing import has written, since the project has changed after it was checked."""
    with transaction.atomic():
        jobs.checkpoint(job, cursor=job.cursor)
        others = Annotation.objects.exclude(annotator=job.created_by).values("document")
        written = Document.objects.filter(source=job.pk).exclude(pk__in=others)
        # Else they would hold keys by which later texts could be found.
        TextKey.objects.filter(project=job.project, document_id__in=written.values("pk")).delete()
        written.delete()
    raise Conflict(
        "While the file was written, others changed the project such that some of its records can no longer be taken."
        " The errors are listed; what was written has been taken back. Import it again."
    )


def _looked_through(job: Job, reader: Reader, options: ReadOptions) -> tuple[Path, Survey]:
    """The file as the reader takes it and what a first pass says of it; after a crash, the cursor says it."""
    path = plain_file(uploads.path_of(job), reader, name=job.params["name"])
    found = survey(path, reader, options, known=job.cursor and job.cursor["survey"])
    if not job.cursor:
        with transaction.atomic():
            jobs.checkpoint(job, cursor={"survey": asdict(found), "done": 0, "counts": {}})
    return path, found


def _storable(records: Iterator[Record | Failure]) -> Iterator[Record | Failure]:
    for record in records:
        yield storable(record) if isinstance(record, Record) else record


def _records(job: Job, records: Iterator[Record | Failure]) -> Iterator[Record | Failure]:
    return _storable(import_options.relabeled(records, job.params.get("label_map", {})))


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
