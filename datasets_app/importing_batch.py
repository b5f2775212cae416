"""One batch of an import as one transaction: COPY into a temporary table, then INSERT … SELECT.

Owns keys and what happens to texts that the project already has; `importing` feeds it, and `grouping` says into
which group and split a text comes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from datasets_app import copying, curation, grouping, import_options, jobs, tallies
from datasets_app.grids import Fitted
from datasets_app.grouping import Incoming, Placed
from datasets_app.importing_prepared import Prepared, Preparing
from datasets_app.models import Job
from datasets_app.records import Failure, Record, Survey, shown
from labeling import projects
from labeling.errors import Conflict, Invalid
from labeling.models import Document

COUNTS = ("documents", "existing", "duplicates", "annotations", "suggestions", "errors")
ANALYZE_FROM = 2000  # documents; below that a wrong plan costs little
MODEL = "import"  # the name under which imported suggestions stand

_TABLES = """
DROP TABLE IF EXISTS import_rows, import_seen;
CREATE TEMPORARY TABLE import_rows (
  line bigint, key text, text text, token_starts integer[], token_ends integer[], pairs smallint[], split text,
  group_key text, meta jsonb, layout jsonb, tags text[]);
CREATE TEMPORARY TABLE import_seen (digest text PRIMARY KEY, times bigint)
"""
_NUMBER = """
WITH given AS (
  SELECT digest, place, row_number() OVER same AS nth, count(*) OVER (PARTITION BY digest) AS times
    FROM unnest(%s::text[]) WITH ORDINALITY AS given(digest, place)
  WINDOW same AS (PARTITION BY digest ORDER BY place)),
counted AS (
  INSERT INTO import_seen AS seen SELECT DISTINCT digest, times FROM given
  ON CONFLICT (digest) DO UPDATE SET times = seen.times + excluded.times RETURNING digest, times)
SELECT counted.times - given.times + given.nth FROM given JOIN counted USING (digest) ORDER BY place
"""
_DOCUMENTS = """
INSERT INTO labeling_document
  (project_id, key, text, token_starts, token_ends, pairs, split, group_key, status, meta, layout, source, line)
SELECT %(project)s, key, text, token_starts, token_ends, pairs, split, group_key,
       CASE WHEN %(accept)s AND tags IS NOT NULL THEN 'accepted' ELSE 'pending' END, meta, layout, %(job)s, line
  FROM import_rows ORDER BY line
ON CONFLICT (project_id, key) DO NOTHING RETURNING key, id
"""
# OFFSET 0 looks each row up by the unique index. As a plain join it is planned with the statistics of a table
# that is just being filled, which say that reading the whole project for every batch costs nothing.
_KNOWN = """
  FROM import_rows AS row CROSS JOIN LATERAL (
    SELECT * FROM labeling_document WHERE project_id = %(project)s AND key = row.key OFFSET 0) AS document
"""
_TAKEN = f"SELECT row.line, row.key {_KNOWN} WHERE document.text <> row.text ORDER BY row.line"
# A text that was here before takes labels only if nobody has begun to label it.
_LABELED = f"""
{_KNOWN} WHERE row.tags IS NOT NULL AND document.archived_at IS NULL AND document.text = row.text
   AND document.token_starts = row.token_starts AND document.token_ends = row.token_ends
"""
_ACCEPT = f"""
INSERT INTO labeling_annotation
  (document_id, annotator_id, tags, state, accepted, revision, seconds, note, suggested_by, suggestion_use,
   created_at, updated_at, submitted_at, accepted_at, accepted_by_id)
SELECT document.id, %(user)s, row.tags, 'submitted', true, 1, 0, '', '', '{{}}', now(), now(), now(), now(), %(user)s
{_LABELED} AND NOT EXISTS (SELECT FROM labeling_annotation AS other WHERE other.document_id = document.id OFFSET 0)
 ORDER BY row.line ON CONFLICT DO NOTHING
"""
_MARK = f"""
UPDATE labeling_document SET status = 'accepted' WHERE id = ANY(ARRAY(
  SELECT document.id {_KNOWN} WHERE document.status <> 'accepted'
     AND EXISTS (
       SELECT FROM labeling_annotation AS gold WHERE gold.document_id = document.id AND gold.accepted OFFSET 0)))
"""
_SUGGEST = f"""
INSERT INTO labeling_prediction (document_id, model, tags, confidences)
SELECT document.id, '{MODEL}', row.tags, array_fill(1.0, ARRAY[cardinality(row.tags)])
{_LABELED} ORDER BY row.line ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Ready:
    """A record that is taken, with its key."""

    prepared: Prepared
    key: str

    @property
    def record(self) -> Record:
        """As the file gives it."""
        return self.prepared.record

    @property
    def fitted(self) -> Fitted:
        """Its grid and tags."""
        return self.prepared.fitted


class Batches:
    """Writes the batches of one import, and counts what became of them."""

    def __init__(self, job: Job, survey: Survey) -> None:
        assert job.project is not None
        self.job, self.project, self.survey = job, job.project, survey
        self.curation = curation.of(job.project)
        self.preparing = Preparing(
            tokenizer=job.project.tokenizer, fitting=import_options.fitting(job.params), split=job.params["split"]
        )
        self.done: int = job.cursor["done"]
        counts = job.cursor["counts"]
        self.labels_created: list[str] = list(counts.get("labels_created", ()))
        self.counts = {name: counts.get(name, 0) for name in COUNTS}
        self.labels = set(self.project.labels.values_list("name", flat=True))
        self.values = {
            "project": self.project.pk,
            "job": job.pk,
            "user": job.created_by_id,
            "accept": job.params["annotations"] == "accept",
        }
        self.analyzed = ANALYZE_FROM // 2  # how many rows of this import the planner knows
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)

    def prepared(
        self, batches: Iterable[Sequence[Record | Failure]]
    ) -> Iterator[tuple[int, list[Prepared | Failure], list[str]]]:
        """How many records have passed, and the batch for `write`, or for `skip` if it is written already."""
        done = 0
        for records in batches:
            done += len(records)
            if done <= self.done:
                yield done, [], self.preparing.digests(records)
            else:
                yield done, self.preparing.batch(records), []

    def skip(self, digests: Sequence[str]) -> None:
        """Pass over a batch that is written already; what its texts are is remembered for later numbers."""
        with transaction.atomic():
            self._numbered(digests)

    def write(self, batch: Sequence[Prepared | Failure], *, done: int) -> None:
        """Write a batch with its errors and the job's cursor, or nothing of it."""
        with transaction.atomic():
            jobs.checkpoint(self.job, cursor=self.job.cursor)  # the claim, and its lock, before the first row
            _without_waiting()
            failures = [record for record in batch if isinstance(record, Failure)]
            ready = list(self._ready([record for record in batch if isinstance(record, Prepared)], failures))
            failures += self._insert(ready, self._placed(ready))
            self.counts["errors"] += jobs.note_failures(self.job, failures)
            counts = self.counts | {"labels_created": self.labels_created}
            cursor = {"survey": asdict(self.survey), "done": done, "counts": counts}
            jobs.checkpoint(self.job, cursor=cursor, done=done)
        self._keep_statistics()

    def _keep_statistics(self) -> None:
        """Count again each time that the rows have doubled: while the planner takes a project for empty, it finds
        one of its texts by reading all of them, whatever index there is for it."""
        if self.counts["documents"] < 2 * self.analyzed:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL default_statistics_target = 10")  # a sample of 3,000 rows says enough
            cursor.execute("ANALYZE (SKIP_LOCKED) labeling_document (project_id)")
        self.analyzed = max(self.counts["documents"], ANALYZE_FROM)

    def result(self) -> dict[str, Any]:
        """What the job reports."""
        return {
            **self.counts,
            "labels_created": self.labels_created,
            "scheme": self.survey.scheme,
            "format": self.job.params["format"],
        }

    def _ready(self, records: Sequence[Prepared], failures: list[Failure]) -> Iterator[Ready]:
        fitting = [Ready(*pair) for pair in zip(records, self._keys(records), strict=True) if not pair[0].refused]
        failures += [record.refused for record in records if record.refused]
        refused_labels = self._take_labels(records)
        for ready in fitting:
            if refused_labels and (unknown := sorted(ready.prepared.labels & refused_labels.keys())):
                failures.append(Failure(ready.record.line, "unknown_label", refused_labels[unknown[0]]))
            else:
                failures += _remarks(ready)
                yield ready

    # Keys and splits

    def _keys(self, records: Sequence[Prepared]) -> list[str]:
        """A key for each: its own id, or its content's hash with its occurrence number within the file."""
        numbered = iter(self._numbered([each.digest for each in records if each.digest]))
        return [next(numbered) if each.digest else each.record.key or "" for each in records]

    def _numbered(self, digests: Sequence[str]) -> list[str]:
        if not digests:
            return []
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, [copying.array(digests)])
            return [f"{digest}-{number}" for digest, (number,) in zip(digests, cursor.fetchall(), strict=True)]

    def _placed(self, rows: Sequence[Ready]) -> list[Placed]:
        grouping.lock(self.project)
        texts = [Incoming(each.record, each.prepared.likeness, each.prepared.split, each.key) for each in rows]
        labels = self._labels_of_new(rows) if self.curation.stratify else ()
        return grouping.place(self.project, self.curation, texts, labels)

    def _labels_of_new(self, rows: Sequence[Ready]) -> list[grouping.Labels]:
        """The spans by label of those texts that are not there yet."""
        keys = [ready.key for ready in rows]
        known = set(Document.objects.filter(project=self.project, key__in=keys).values_list("key", flat=True))
        return [None if ready.key in known else _counted(ready) for ready in rows]

    # Labels

    def _take_labels(self, records: Iterable[Prepared]) -> dict[str, str]:
        """Add the labels that are new, if so asked; those that stay unknown, each with the reason."""
        used = frozenset[str]().union(*(each.labels for each in records))
        return {name: why for name in sorted(used - self.labels) if (why := self._take_label(name))}

    def _take_label(self, name: str) -> str | None:
        if self.job.params["labels"] != "create":
            return f"The project has no label {shown(name)}; add it, or import with labels=create."
        try:
            projects.add_labels(self.project, self.job.created_by, [{"name": name}])
            self.labels_created.append(name)
        except Conflict:  # somebody else has just added it
            pass
        except Invalid as error:
            return error.message
        except ValidationError as error:
            return f"{shown(name)} cannot be a label: {' '.join(error.messages)}"
        self.labels.add(name)
        return None

    # Rows

    def _insert(self, rows: Sequence[Ready], placed: Sequence[Placed]) -> list[Failure]:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE import_rows")
            with cursor.copy("COPY import_rows FROM STDIN") as copy:
                copy.write("".join(map(_row, rows, placed)))
            cursor.execute(_DOCUMENTS, self.values)
            fresh = dict(cursor.fetchall())
            taken = []
            if len(fresh) < len(rows):
                cursor.execute(_TAKEN, self.values)
                taken = [id_taken(line, key) for line, key in cursor.fetchall()]
            self.counts["documents"] += len(fresh)
            self.counts["existing"] += len(rows) - len(fresh) - len(taken)
            self._annotate(cursor, marks=len(fresh) < len(rows))
        self._group(rows, placed, fresh)
        return taken

    def _annotate(self, cursor: Any, *, marks: bool) -> None:
        if self.values["accept"]:
            cursor.execute(_ACCEPT, self.values)
            self.counts["annotations"] += cursor.rowcount
            if marks:
                cursor.execute(_MARK, self.values)
        elif self.job.params["annotations"] == "suggest":
            cursor.execute(_SUGGEST, self.values)
            self.counts["suggestions"] += cursor.rowcount

    def _group(self, rows: Sequence[Ready], placed: Sequence[Placed], fresh: dict[str, int]) -> None:
        """Note which of the new documents are duplicates; the project's policy says what becomes of them."""
        # Two records of one batch may have one id: only the first of them has become a document.
        new = [fresh.pop(ready.key, None) for ready in rows]
        duplicates = grouping.remember(self.project, placed, new)
        self.counts["duplicates"] += len(duplicates)
        if self.curation.stratify:
            pairs = zip(rows, placed, new, strict=True)
            arrived = [(each.split, _counted(ready)) for ready, each, document in pairs if document]
            tallies.carry(self.project, [(split, labels) for split, labels in arrived if labels is not None])
        curation.apply(self.curation, duplicates)


def _without_waiting() -> None:
    """Do not wait for the disk when this transaction ends. A crash right after it takes rows and cursor back together,
    so the import goes on where the rows end; all is on disk before the job is said to have succeeded."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _remarks(ready: Ready) -> Iterator[Failure]:
    """What is left out of a record that is taken."""
    for code, message in ready.record.remarks:
        yield Failure(ready.record.line, code, message, taken=True)
    if ready.fitted.dropped:
        yield Failure(ready.record.line, "span_left_out", " ".join(ready.fitted.dropped), taken=True)


def _counted(ready: Ready) -> grouping.Labels:
    tags = ready.fitted.tags
    return None if tags is None else Counter(tag[2:] for tag in tags if tag.startswith("B-"))


def _row(ready: Ready, placed: Placed) -> str:
    prepared = ready.prepared
    key, group = copying.text(ready.key), placed.group
    return (
        f"{prepared.record.line}\t{key}\t{prepared.body}\t{prepared.pairs}\t{placed.split}\t{group}\t{prepared.tail}\n"
    )


def id_taken(line: int, key: str) -> Failure:
    """The failure of a record whose id belongs to another text."""
    message = f"The id {shown(key)} belongs to another text already; that one stays, this one is not taken in."
    return Failure(line, "id_taken", message)
