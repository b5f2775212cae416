"""Bringing back the gold of a frozen version: for one document, or for all, as a new change that can be undone."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from datasets_app import changes, gold, jobs, label_map
from datasets_app.models import Change, DatasetVersion, Job
from labeling import bio
from labeling.access import Person, document_for
from labeling.errors import Conflict, NotFound
from labeling.models import Project

_DIFFERENT = """
SELECT item.document_id, item.tags, gold.tags FROM datasets_app_versionitem AS item
  JOIN labeling_document AS document ON document.id = item.document_id AND document.archived_at IS NULL
  LEFT JOIN labeling_annotation AS gold ON gold.document_id = item.document_id AND gold.accepted
 WHERE item.version_id = %s AND (gold.tags IS NULL OR gold.tags <> item.tags) ORDER BY item.position
"""


def restore_document(version: DatasetVersion, user: Person, document_id: int) -> Change:
    """Make a document's gold what it is in the version. Raises `NotFound` if the version does not hold it."""
    project = version.project
    document = document_for(project, document_id)
    item = version.items.filter(document=document).first()
    if item is None:
        raise NotFound(f"Version {version.number} does not hold document {document_id}.")
    if document.archived_at is not None:
        raise Conflict("The document is archived; restore it before deciding about it.", code="archived")
    data = {"version": version.pk, "number": version.number, "document": document_id}
    with changes.recording(project, user, "version.restored", data) as change:
        gold.write(change, user, [(document_id, _Today(version).tags(item.tags))])
    return change


def start(version: DatasetVersion, user: Person) -> Job:
    """Queue the restoring of a whole version."""
    return jobs.enqueue("restore", project=version.project, user=user, params={"version": version.pk})


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler: all documents of the version that have another gold now, in one transaction.

    What was accepted since in documents that the version does not hold stays.
    """
    version = DatasetVersion.objects.select_related("project").get(pk=job.params["version"])
    yield jobs.Step(0, 1, note=f"Restoring version {version.number}")
    if job.cursor is None:
        with transaction.atomic():
            data = {"version": version.pk, "number": version.number}
            with changes.recording(version.project, job.created_by, "version.restored", data) as change:
                assert job.created_by is not None
                gold.write(change, job.created_by, _rows(version))
            jobs.checkpoint(job, cursor={"change": change.pk, "documents": change.data["documents"]}, done=1)
    yield jobs.Step(1, 1)
    return dict(job.cursor)


def _rows(version: DatasetVersion) -> Iterator[tuple[int, Sequence[str]]]:
    today = _Today(version)
    with connection.chunked_cursor() as cursor:
        cursor.execute(_DIFFERENT, [version.pk])
        for document, tags, now in cursor:
            if (restored := today.tags(tags)) != now:
                yield document, restored


class _Today:
    """A version's tags in the labels that the project has today."""

    def __init__(self, version: DatasetVersion) -> None:
        self.project: Project = version.project
        self.names = label_map.since(version.project, version.created_at)
        self.labels = set(version.project.labels.values_list("name", flat=True))

    def tags(self, tags: Sequence[str]) -> list[str]:
        """Raises `Conflict` for a label that the project has no more, and nobody said what became of it."""
        today = bio.renamed(tags, self.names)
        if missing := sorted({bio.label_of(tag) for tag in today} - {"", *self.labels}):
            raise Conflict(
                f"The version uses the label {missing[0]!r}, which the project does not have any more; add it first.",
                code="label_gone",
                details={"labels": missing},
            )
        return today
