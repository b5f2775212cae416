"""An import gone through without writing any of it: what would come in, how it would look, what is wrong.

`Check` judges each batch by the same rules as `Batches` writes it. A dry run is told its result; an import that
is to be all or nothing goes through this first.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from datasets_app import import_options, jobs
from datasets_app.importing_batch import Batches, Ready, id_taken
from datasets_app.importing_prepared import Prepared
from datasets_app.models import Job
from datasets_app.records import Failure, Record, Survey
from datasets_app.surveying import labels_of
from labeling import bio
from labeling.models import Document

FIRST = 20
SHOWN_MAX = 2000  # code points of a text that is shown
_TABLE = """
DROP TABLE IF EXISTS import_ids;
CREATE TEMPORARY TABLE import_ids (key text PRIMARY KEY, digest text)
"""


class Check(Batches):
    """Counts what an import would do, and keeps its first documents."""

    def __init__(self, job: Job, survey: Survey) -> None:
        super().__init__(job, survey)
        self.bad = 0
        self.first: list[dict[str, Any]] = []
        self.found = Counter[str]()  # spans of each label, by the file's own names
        self.known = frozenset(self.labels)
        with connection.cursor() as cursor:
            cursor.execute(_TABLE)

    def tallied(self, records: Iterable[Record | Failure]) -> Iterator[Record | Failure]:
        """The records as they pass, their labels counted."""
        for record in records:
            if isinstance(record, Record):
                self.found.update(labels_of(record))
            yield record

    def look(self, batch: Sequence[Prepared | Failure]) -> None:
        """Judge a batch; its errors are noted in the job, and nothing is written in the project."""
        with transaction.atomic():
            jobs.checkpoint(self.job, cursor=self.job.cursor)
            failures = [record for record in batch if isinstance(record, Failure)]
            ready = list(self._ready([record for record in batch if isinstance(record, Prepared)], failures))
            failures += self._compare(ready)
            jobs.note_failures(self.job, failures)
            if len(self.first) < FIRST:
                self._show(ready[: FIRST - len(self.first)])
        self.bad += len({(failure.line, failure.code) for failure in failures if not failure.taken})
        self.counts["errors"] += len({(failure.line, failure.code) for failure in failures})

    def result(self) -> dict[str, Any]:
        """What a dry run reports."""
        names: Mapping[str, str | None] = self.job.params.get("label_map", {})
        labels = [
            {"name": name, "becomes": (new := names.get(name, name)), "spans": spans, "known": new in self.known}
            for name, spans in sorted(self.found.items())
        ]
        kept = {name: value for name, value in super().result().items() if name != "duplicates"}
        return {"dry_run": True, **kept, "labels": labels, "first": self.first}

    def _take_label(self, name: str) -> str | None:
        if self.job.params["labels"] != "create":
            return super()._take_label(name)
        with transaction.atomic():
            why = super()._take_label(name)
            transaction.set_rollback(True)
        return why

    def _compare(self, rows: Sequence[Ready]) -> list[Failure]:
        """Count what is new and what is there already; an id that belongs to another text is an error."""
        keys = [ready.key for ready in rows]
        known = self._seen(keys)
        refused, fresh = [], dict[str, str]()
        for ready in rows:
            digest = _digest(ready.record.text)
            before = known.get(ready.key) or fresh.get(ready.key)
            if before is None:
                fresh[ready.key] = digest
                self.counts["documents"] += 1
                self._count_labeled(ready)
            elif before == digest:
                self.counts["existing"] += 1
            else:
                refused.append(id_taken(ready.record.line, ready.key))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO import_ids SELECT * FROM unnest(%s::text[], %s::text[])",
                [list(fresh), list(fresh.values())],
            )
        return refused

    def _seen(self, keys: Sequence[str]) -> dict[str, str]:
        rows = Document.objects.filter(project=self.project, key__in=keys).values_list("key", "text")
        found = {key: _digest(text) for key, text in rows}
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, digest FROM import_ids WHERE key = ANY(%s)", [list(keys)])
            return {**dict(cursor.fetchall()), **found}

    def _count_labeled(self, ready: Ready) -> None:
        name = {"accept": "annotations", "suggest": "suggestions"}.get(self.job.params["annotations"])
        if name and ready.fitted.tags is not None:
            self.counts[name] += 1

    def _show(self, rows: Sequence[Ready]) -> None:
        for ready, placed in zip(rows, self._placed(rows), strict=True):
            self.first.append(_shown(ready, placed.split))


def checked_records(check: Check, records: Iterable[Record | Failure]) -> Iterator[Record | Failure]:
    """The records of a dry run: labels counted as the file has them, then renamed as asked."""
    return import_options.relabeled(check.tallied(records), check.job.params.get("label_map", {}))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _shown(ready: Ready, split: str) -> dict[str, Any]:
    """A document as it would look: its text up to a limit, with the spans that lie within."""
    fitted, text = ready.fitted, ready.record.text
    ranges = [
        (fitted.starts[span.start], fitted.ends[span.end - 1], span.label) for span in bio.spans(fitted.tags or ())
    ]
    return {
        "line": ready.record.line,
        "key": ready.key,
        "split": split,
        "tokens": len(fitted.starts),
        "labeled": fitted.tags is not None,
        "text": text[:SHOWN_MAX],
        "cut": len(text) > SHOWN_MAX,
        "spans": [{"start": start, "end": end, "label": label} for start, end, label in ranges if end <= SHOWN_MAX],
    }
