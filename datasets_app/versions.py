"""Frozen dataset versions: making one, and reading its rows.

A version's items are written by one INSERT … SELECT, fingerprinted in a stream and sealed with its row, all
in one transaction. Items and texts never change, so a version is read a page at a time without one.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

from django.db import connection, transaction

from datasets_app import curation, jobs, leaks, provenance, stopping, tallies
from datasets_app.fingerprint import fingerprint
from datasets_app.models import DatasetVersion, Job
from datasets_app.records import Gold
from labeling.access import Person
from labeling.errors import Conflict
from labeling.events import record
from labeling.models import Project, Split

PAGE_ROWS = 500

_ITEMS = """
INSERT INTO datasets_app_versionitem (version_id, document_id, position, key, split, tags, annotator_id)
SELECT %s, document.id, row_number() OVER (ORDER BY document.source, document.line, document.id) - 1,
       document.key, document.split, gold.tags, gold.annotator_id
  FROM labeling_document AS document JOIN labeling_annotation AS gold ON gold.document_id = document.id
 WHERE document.project_id = %s AND document.archived_at IS NULL AND gold.accepted
"""
_ROWS = """
SELECT item.position, item.key, document.text, document.token_starts, document.token_ends, item.tags, item.split,
       document.meta, document.layout
  FROM datasets_app_versionitem AS item JOIN labeling_document AS document ON document.id = item.document_id
 WHERE item.version_id = %s AND document.erased_at IS NULL
"""
_BY_KEY = f'{_ROWS} ORDER BY item.key COLLATE "C"'  # the same order whatever the database's locale
_PAGE = f"{_ROWS} AND item.position > %s{{chosen}} ORDER BY item.position LIMIT %s"
_CHOSEN = {"split": " AND item.split = %s", "annotator": " AND item.annotator_id = %s"}


def freeze(project: Project, user: Person, *, notes: str = "") -> Job:
    """Queue the making of a version; raises `Conflict` when nothing is accepted yet."""
    _require_gold(project)
    return jobs.enqueue("version", project=project, user=user, params={"notes": notes})


def _require_gold(project: Project) -> None:
    if not project.documents.filter(archived_at=None, annotations__accepted=True).exists():
        raise Conflict(
            "No annotation is accepted yet, so there is nothing to freeze; accept some first.", code="nothing_accepted"
        )


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler: freeze, and keep the new version's id with it, so that running twice makes one version."""
    assert job.project is not None
    yield jobs.Step(0, 1, note="Freezing")
    if job.cursor is None:
        with transaction.atomic():
            version = freeze_now(job.project, job.created_by, notes=job.params["notes"])
            jobs.checkpoint(job, cursor={"version": version.pk}, done=1)
    version = DatasetVersion.objects.get(pk=job.cursor["version"])
    yield jobs.Step(1, 1)
    return {"version": version.pk, "number": version.number, "fingerprint": version.fingerprint, **version.counts}


@transaction.atomic
def freeze_now(project: Project, user: Person | None, *, notes: str = "", reuse: bool = False) -> DatasetVersion:
    """Make the next version of what is accepted now; raises `Conflict` if that is nothing.

    With `reuse`, the latest version is given instead if it holds the same content: training twice on the
    same gold needs no second version.
    """
    _require_gold(project)
    with connection.cursor() as cursor:
        # One version of a project at a time: numbers stay without gaps, and the parent is the one before.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('goldset version'), %s)", [project.pk % 2**31])
    latest = DatasetVersion.objects.filter(project=project).order_by("-number").first()
    before = transaction.savepoint()
    version = _made(project, user, notes=notes, latest=latest)
    if reuse and latest is not None and latest.fingerprint == version.fingerprint:
        transaction.savepoint_rollback(before)
        return latest
    transaction.savepoint_commit(before)
    tallies.forget(project)
    data = {"version": version.pk, "number": version.number, "fingerprint": version.fingerprint}
    record(project, user, "version.frozen", data=data)
    return version


def _made(project: Project, user: Person | None, *, notes: str, latest: DatasetVersion | None) -> DatasetVersion:
    labels = list(project.labels.values("name", "color", "description"))
    with connection.cursor() as cursor:
        # Items stand before their version: the foreign key is checked at the end, and a version that can be
        # seen takes no more items (trigger).
        cursor.execute("SELECT nextval(pg_get_serial_sequence('datasets_app_datasetversion', 'id'))")
        version_id = cursor.fetchone()[0]
        cursor.execute(_ITEMS, [version_id, project.pk])
    counts = Counts()
    rows = counts.watch(_by_key(version_id))
    return DatasetVersion.objects.create(
        pk=version_id,
        project=project,
        number=latest.number + 1 if latest else 1,
        notes=notes,
        fingerprint=fingerprint([label["name"] for label in labels], rows),
        labels=labels,
        guidelines=project.guidelines,
        policy={
            "splits": {"validation": project.validation_share, "test": project.test_share},
            "tokenizer": project.tokenizer,
            "review": project.review,
            "overlap": project.overlap,
            **curation.as_json(curation.of(project)),
        },
        counts=counts.as_json(),
        report=_report(version_id, counts),
        parent=latest,
        created_by_id=user.pk if user is not None else None,
    )


def _by_key(version_id: int) -> Iterator[Gold]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_BY_KEY, [version_id])
        while rows := cursor.fetchmany(PAGE_ROWS):
            stopping.check()
            for _, *values in rows:
                yield Gold.of_row(*values)


def _report(version_id: int, counts: "Counts") -> dict[str, Any]:
    return {
        "lengths": {split: provenance.lengths(counted) for split, counted in counts.lengths.items()},
        "leaks": {**leaks.of_version(version_id), "entities": counts.surfaces.as_json()},
        "provenance": provenance.provenance(version_id),
    }


class Counts:
    """Documents, tokens and spans by split and label, lengths and surfaces, counted while the rows pass by."""

    def __init__(self) -> None:
        self.lengths = {split: Counter[int]() for split in Split.values}
        self.surfaces = leaks.Surfaces()
        self.splits = {split: Counter[str]() for split in Split.values}
        self.labels = {split: Counter[str]() for split in Split.values}

    def watch(self, rows: Iterator[Gold]) -> Iterator[Gold]:
        """The same rows, counted."""
        for gold in rows:
            spans, counted = self.surfaces.add(gold), self.splits[gold.split]
            counted["documents"] += 1
            counted["tokens"] += len(gold.tags)
            counted["spans"] += len(spans)
            self.labels[gold.split].update([span.label for span in spans])
            self.lengths[gold.split][len(gold.tags)] += 1
            yield gold

    def as_json(self) -> dict[str, Any]:
        """`{documents, tokens, spans, labels, splits: {split: {documents, tokens, spans, labels}}}`."""
        total, labels = sum(self.splits.values(), Counter()), sum(self.labels.values(), Counter())
        return {
            **self._shape(total, labels),
            "splits": {s: self._shape(self.splits[s], self.labels[s]) for s in self.splits},
        }

    @staticmethod
    def _shape(counted: Counter[str], labels: Counter[str]) -> dict[str, Any]:
        return {name: counted[name] for name in ("documents", "tokens", "spans")} | {
            "labels": dict(sorted(labels.items()))
        }


# Reading -------------------------------------------------------------------------------------------------


def items(version: DatasetVersion, split: str | None = None, annotator: Person | None = None) -> Iterator[Gold]:
    """The rows of a version, of one of its splits, or those whose gold is one person's, in the order of coming in."""
    asked: dict[str, str | int | None] = {"split": split, "annotator": annotator.pk if annotator is not None else None}
    given = {name: value for name, value in asked.items() if value is not None}
    query, after = _PAGE.format(chosen="".join(_CHOSEN[name] for name in given)), -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [version.pk, after, *given.values(), PAGE_ROWS])
            rows = cursor.fetchall()
        for _, *values in rows:
            yield Gold.of_row(*values)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1][0]


def report(version: DatasetVersion) -> dict[str, Any]:
    """Lengths, leaks and provenance as frozen with it; of a version that is older than reports, as they are now."""
    if version.report is not None:
        found: dict[str, Any] = version.report
        return found
    counts = Counts()
    for _ in counts.watch(items(version)):
        pass
    return _report(version.pk, counts)


def as_json(version: DatasetVersion) -> dict[str, Any]:
    """The REST shape of a version."""
    fields = ("id", "number", "notes", "fingerprint", "labels", "policy", "counts", "created_at")
    shown = {name: getattr(version, name) for name in fields}
    shown["guidelines"] = version.guidelines
    shown["provenance"] = (version.report or {}).get("provenance")
    shown["project"] = version.project.slug
    shown["parent"] = version.parent_id
    shown["created_by"] = version.created_by.username if version.created_by else None
    return shown
