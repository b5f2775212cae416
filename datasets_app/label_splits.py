"""Splitting a label by a rule: spans whose surface is in a list, or matches an expression, get another label.

It reaches every annotation, accepted or not, what their provenance tells, and suggestions. A preview tells beforehand
which surfaces it takes. It is one transaction, one event and one undo, done by a job.
"""

import json
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection, transaction

from datasets_app import changes, copying, jobs, label_traces, splits, tallies
from datasets_app.models import Change, Job
from labeling import bio, projects
from labeling.access import Person, label_for
from labeling.errors import Conflict, Invalid
from labeling.expressions import BadExpression, compiled
from labeling.models import Label, Prediction, Project

KIND = "label.split"
SURFACES_MAX = 10_000
SHOWN = 50  # surfaces in a preview
AT_ONCE = 1000
_SECONDS = 0.1  # for an expression and one surface

_ANNOTATIONS = """
SELECT annotation.id, annotation.document_id, document.text, document.token_starts, document.token_ends,
       annotation.tags, annotation.provenance
  FROM labeling_annotation AS annotation JOIN labeling_document AS document ON document.id = annotation.document_id
 WHERE document.project_id = %(project)s AND annotation.id > %(after)s
   AND (annotation.tags @> ARRAY[%(tag)s] OR annotation.document_id = ANY(%(told)s))
 ORDER BY annotation.id LIMIT %(limit)s
"""
_PREDICTIONS = """
SELECT given.id, given.document_id, document.text, document.token_starts, document.token_ends, given.tags, NULL
  FROM labeling_prediction AS given JOIN labeling_document AS document ON document.id = given.document_id
 WHERE document.project_id = %(project)s AND given.id > %(after)s AND %(tag)s = ANY(given.tags)
 ORDER BY given.id LIMIT %(limit)s
"""
_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS new_tags (id bigint, tags text[], provenance jsonb) ON COMMIT DELETE ROWS
"""
_WRITE_ANNOTATIONS = """
UPDATE labeling_annotation AS annotation
   SET tags = given.tags, provenance = given.provenance, revision = annotation.revision + 1, updated_at = now()
  FROM new_tags AS given WHERE given.id = annotation.id
"""
_WRITE_PREDICTIONS = """
UPDATE labeling_prediction AS one SET tags = given.tags FROM new_tags AS given WHERE given.id = one.id
"""


class Rule:
    """Which surfaces are taken: those of a list, whatever their case and blanks, or what an expression matches."""

    def __init__(self, *, surfaces: Sequence[str] = (), pattern: str = "") -> None:
        """Raises `Invalid` unless exactly one of the two is given."""
        listed = [surface for surface in surfaces if surface.strip()]
        if bool(listed) == bool(pattern):
            raise Invalid("Give `surfaces` or a `pattern`, one of the two.", details={"field": "surfaces"})
        if len(listed) > SURFACES_MAX:
            raise Invalid(f"At most {SURFACES_MAX:,} surfaces at once.", details={"field": "surfaces"})
        self.listed = frozenset(splits.normal(surface) for surface in listed)
        self.known: dict[str, bool] = {}
        try:
            self.expression = compiled(pattern) if pattern else None
        except BadExpression as error:
            raise Invalid(
                f"The pattern cannot be used: {error}.", code="bad_pattern", details={"field": "pattern"}
            ) from error

    def takes(self, surface: str) -> bool:
        """Whether a span with this surface is taken; an expression must match all of it."""
        if surface not in self.known:
            self.known[surface] = self._takes(surface)
        return self.known[surface]

    def _takes(self, surface: str) -> bool:
        if self.expression is None:
            return splits.normal(surface) in self.listed
        try:
            return self.expression.fullmatch(surface, timeout=_SECONDS) is not None
        except TimeoutError:
            raise Invalid(
                f"The pattern takes too long for {surface!r:.100}; make it simpler.",
                code="bad_pattern",
                details={"field": "pattern"},
            ) from None


@dataclass(frozen=True, slots=True)
class Row:
    """An annotation or a suggestion with the label, on its text."""

    id: int
    document: int
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    tags: Sequence[str]
    provenance: str | None  # as JSON

    @property
    def traces(self) -> Any:
        """What is told of where its spans come from; None of a suggestion."""
        return self.provenance and json.loads(self.provenance)

    def surface(self, start: int, end: int) -> str:
        """What tokens `[start, end)` cover."""
        return self.text[self.starts[start] : self.ends[end - 1]]


def _rows(query: str, project: Project, name: str, told: Sequence[int] = ()) -> Iterator[Row]:
    values: dict[str, Any] = {
        "project": project.pk,
        "tag": f"B-{name}",
        "told": list(told),
        "limit": AT_ONCE,
        "after": 0,
    }
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            rows = [Row(*row) for row in cursor.fetchall()]
        yield from rows
        if len(rows) < AT_ONCE:
            return
        values["after"] = rows[-1].id


# Looking -------------------------------------------------------------------------------------------------


def preview(project: Project, name: str, rule: Rule) -> dict[str, Any]:
    """What a split would take: `{spans, of, annotations, documents, taken: [{surface, spans}], left: [the same]}`."""
    label_for(project, name)
    taken, left = Counter[str](), Counter[str]()
    annotations, documents = 0, set[int]()
    for row in _rows(_ANNOTATIONS, project, name):
        found = [row.surface(span.start, span.end) for span in bio.spans(row.tags) if span.label == name]
        hits = [surface for surface in found if rule.takes(surface)]
        taken.update(hits)
        left.update(surface for surface in found if not rule.takes(surface))
        annotations += bool(hits)
        documents.update([row.document] if hits else ())
    return {
        "spans": taken.total(),
        "of": taken.total() + left.total(),
        "annotations": annotations,
        "documents": len(documents),
        "taken": _common(taken),
        "left": _common(left),
    }


def _common(counted: Counter[str]) -> list[dict[str, Any]]:
    return [{"surface": surface, "spans": spans} for surface, spans in counted.most_common(SHOWN)]


# Doing ---------------------------------------------------------------------------------------------------


def start(project: Project, user: Person, name: str, *, to: str, surfaces: Sequence[str], pattern: str) -> Job:
    """Queue a split; `to` is a label that is there, or becomes one. Raises `Invalid` for what cannot be."""
    Rule(surfaces=surfaces, pattern=pattern)
    label_for(project, name)
    _require_target(project, name, to)
    params = {"label": name, "to": to, "surfaces": list(surfaces), "pattern": pattern}
    return jobs.enqueue("split_label", project=project, user=user, params=params)


def _require_target(project: Project, name: str, to: str) -> None:
    if to == name or not to:
        raise Invalid("Give the other label in `to`.", details={"field": "to"})
    if project.labels.filter(name=to, retired=True).exists():
        raise Conflict(f"The label {to!r} is retired; let it be used again first.", code="retired")


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler: all in one transaction with the job's cursor."""
    assert job.project is not None
    assert job.created_by is not None
    yield jobs.Step(0, 1, note=f"Splitting {job.params['label']}")
    if job.cursor is None:
        with transaction.atomic():
            change = split(job.project, job.created_by, **job.params)
            jobs.checkpoint(job, cursor={"change": change.pk, **_told(change)}, done=1)
    yield jobs.Step(1, 1)
    return dict(job.cursor)


def _told(change: Change) -> dict[str, int]:
    return {name: change.data[name] for name in ("spans", "documents", "suggestions")}


def split(project: Project, user: Person, *, label: str, to: str, surfaces: Sequence[str], pattern: str) -> Change:
    """Give the spans that the rule takes the label `to`, which is made if it is not there."""
    rule = Rule(surfaces=surfaces, pattern=pattern)
    data: dict[str, Any] = {"label": label, "to": to, "surfaces": list(surfaces)[:SHOWN], "pattern": pattern}
    with changes.recording(project, user, KIND, data) as change:
        _lock(project, label)
        _require_target(project, label, to)
        change.data["made"] = not project.labels.filter(name=to).exists()
        if change.data["made"]:
            projects.add_labels(project, user, [{"name": to}])
        splitting = _Splitting(change, label, to, rule)
        change.data["spans"] = splitting.annotations()
        change.data["suggestions"] = splitting.predictions()
        tallies.forget(project)
    return change


def _lock(project: Project, name: str) -> None:
    """Whoever is saving spans of this label comes first."""
    label_for(project, name)
    Label.objects.select_for_update(of=("self",)).get(project=project, name=name)


class _Splitting:
    """Goes through annotations and suggestions a page at a time and writes those that change."""

    def __init__(self, change: Change, name: str, to: str, rule: Rule) -> None:
        self.change, self.project = change, change.project
        self.name, self.to, self.rule = name, to, rule
        self.noted = set[int]()  # documents whose state before is kept

    def annotations(self) -> int:
        """The number of spans that have become the other label's."""
        told, spans = label_traces.documents(self.project, self.name), 0
        changed = ((row, *self._changed(row)) for row in _rows(_ANNOTATIONS, self.project, self.name, told))
        changed = (
            (row, tags, traces, hits) for row, tags, traces, hits in changed if (tags, traces) != (row.tags, row.traces)
        )
        while page := list(islice(changed, AT_ONCE)):
            changes.note_before(self.change, sorted({row.document for row, *_ in page} - self.noted))
            self.noted.update(row.document for row, *_ in page)
            self._write(_WRITE_ANNOTATIONS, [(row.id, tags, traces) for row, tags, traces, _ in page])
            spans += sum(hits for *_, hits in page)
        return spans

    def predictions(self) -> int:
        """The number of suggestions that have changed."""
        count = 0
        rows = ((row, self._changed(row)[0]) for row in _rows(_PREDICTIONS, self.project, self.name))
        changed = ((row, tags) for row, tags in rows if tags != row.tags)
        while page := list(islice(changed, AT_ONCE)):
            changes.note_suggestions(self.change, [row.id for row, _ in page])
            self._write(_WRITE_PREDICTIONS, [(row.id, tags, None) for row, tags in page])
            count += len(page)
        return count

    def _changed(self, row: Row) -> tuple[list[str], Any, int]:
        """Its tags and provenance with the other label, and how many of its spans have it."""
        found, hits = [], 0
        for span in bio.spans(row.tags):
            hit = span.label == self.name and self.rule.takes(row.surface(span.start, span.end))
            found.append(bio.Span(span.start, span.end, self.to) if hit else span)
            hits += hit
        return bio.tags_of(found, len(row.tags)), row.traces and self._traced(row, row.traces), hits

    def _traced(self, row: Row, told: dict[str, Any]) -> dict[str, Any]:
        named = {name: [self._renamed(row, one) for one in told.get(name, ())] for name in ("spans", "rejected")}
        return {**told, **named}

    def _renamed(self, row: Row, one: dict[str, Any]) -> dict[str, Any]:
        hit = one["label"] == self.name and self.rule.takes(row.surface(one["start"], one["end"]))
        renamed = {**one, "label": self.to} if hit else one
        return {**renamed, "from": self._renamed(row, one["from"])} if one.get("from") else renamed

    def _write(self, statement: str, rows: Sequence[tuple[int, Sequence[str], Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_TABLE)
            with cursor.copy("COPY new_tags FROM STDIN") as copy:
                copy.write("".join(map(_line, rows)))
            cursor.execute(statement)
            cursor.execute("TRUNCATE new_tags")


def _line(row: tuple[int, Sequence[str], Any]) -> str:
    number, tags, traces = row
    told = copying.text(json.dumps({} if traces is None else traces, ensure_ascii=False))
    return f"{number}\t{copying.strings(tags)}\t{told}\n"


# Undoing -------------------------------------------------------------------------------------------------


def undo(change: Change) -> None:
    """Put texts and suggestions back; a label that the split has made goes, unless something has it."""
    changes.put_back(change)
    tallies.forget(change.project)
    if not change.data["made"]:
        return
    to = change.data["to"]
    used = change.project.documents.filter(annotations__tags__contains=[f"B-{to}"]).exists()
    if (
        not used
        and not Prediction.objects.filter(document__project=change.project, tags__contains=[f"B-{to}"]).exists()
    ):
        change.project.labels.filter(name=to).delete()
