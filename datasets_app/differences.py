"""What changed between two versions, or from a version to now, span by span.

A span in the same place with another label is *relabeled*; one with the same label that overlaps where it was is
*moved*; others are *added* or *removed*. Labels that were renamed or merged between the two are compared by their
later name. The cause of a text's changes is the change of many texts (a fix of the consistency board, a restored
version, …) that gave it the labels it has, or else that the text came, went, or was labeled otherwise by a person.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from datasets_app import label_map
from datasets_app.models import DatasetVersion, VersionItem
from labeling import bio
from labeling.errors import Conflict
from labeling.models import Document

EXAMPLES = 100
VERSIONS_SHOWN = 20  # of those that hold one document
KINDS = ("added", "removed", "relabeled", "moved")

_FROZEN = """
SELECT document_id, key, tags, split, annotator_id, position FROM datasets_app_versionitem WHERE version_id = %s
"""
_NOW = """
SELECT document.id AS document_id, document.key, gold.tags, document.split, gold.annotator_id,
       document.id AS position
  FROM labeling_document AS document JOIN labeling_annotation AS gold ON gold.document_id = document.id
 WHERE document.project_id = %s AND document.archived_at IS NULL AND gold.accepted
"""
_COMPARED = """
SELECT old.document_id, new.document_id, coalesce(new.key, old.key), old.tags, new.tags, old.split, new.split,
       coalesce(new.annotator_id, old.annotator_id), cause.kind
  FROM ({old}) AS old FULL JOIN ({new}) AS new USING (document_id)
  LEFT JOIN LATERAL (
    SELECT change.kind FROM datasets_app_changeddocument AS changed
      JOIN datasets_app_change AS change ON change.id = changed.change_id
     WHERE changed.document_id = new.document_id AND old.tags <> new.tags
       AND change.created_at > %s AND change.created_at <= %s AND change.undone_at IS NULL
       AND EXISTS (SELECT FROM jsonb_array_elements(changed.after->'annotations') AS said
                    WHERE (said->>'accepted')::boolean AND said->'tags' = to_jsonb(new.tags))
     ORDER BY change.id DESC LIMIT 1) AS cause ON true
 WHERE old.document_id IS NULL OR new.document_id IS NULL OR old.tags <> new.tags OR old.split <> new.split
 ORDER BY coalesce(new.position, old.position), coalesce(new.document_id, old.document_id)
"""


@dataclass(frozen=True, slots=True)
class SpanChange:
    """One span that changed: `before` is None for an added one, `after` for a removed one."""

    kind: str
    before: bio.Span | None
    after: bio.Span | None

    @property
    def label(self) -> str:
        """The later label, or that of the removed span."""
        return (self.after or self.before or bio.Span(0, 1, "")).label


def compare_tags(before: Sequence[str], after: Sequence[str]) -> list[SpanChange]:
    """The spans of one text that changed."""
    was = {(span.start, span.end): span for span in bio.spans(before)}
    now = {(span.start, span.end): span for span in bio.spans(after)}
    found = [
        SpanChange("relabeled", was[place], now[place])
        for place in was.keys() & now.keys()
        if was[place].label != now[place].label
    ]
    gone = [was[place] for place in sorted(was.keys() - now.keys())]
    for span in (now[place] for place in sorted(now.keys() - was.keys())):
        partner = next((old for old in gone if _is_moved(old, span)), None)
        if partner is not None:
            gone.remove(partner)
        found.append(SpanChange("moved" if partner else "added", partner, span))
    found += [SpanChange("removed", span, None) for span in gone]
    return sorted(found, key=lambda change: (change.after or change.before or bio.Span(0, 0, "")).start)


def _is_moved(old: bio.Span, new: bio.Span) -> bool:
    return old.label == new.label and old.start < new.end and new.start < old.end


def diff(old: DatasetVersion, new: DatasetVersion | None) -> dict[str, Any]:
    """What changed from `old` to `new`, or to what is accepted now; raises `Conflict` across projects."""
    if new is not None and old.project_id != new.project_id:
        raise Conflict("The two versions belong to different projects and cannot be compared.", code="other_project")
    names = _names(old, new)
    tally = Tally()
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        side, of = (_NOW, old.project_id) if new is None else (_FROZEN, new.pk)
        until = new.created_at if new is not None else timezone.now()
        cursor.execute(_COMPARED.format(old=_FROZEN, new=side), [old.pk, of, old.created_at, until])
        for row in cursor:
            tally.add(_translated(row, names))
    return {
        "from": old.number,
        "to": new.number if new is not None else None,
        "label_map": names,
        **tally.as_json(),
        "labels": _label_changes(old, new),
    }


def of_document(document: Document) -> list[dict[str, Any]]:
    """The latest versions that hold a document, newest first, each with what has changed in it since:
    `{version, number, created_at, split, spans: {added, removed, relabeled, moved}, same}`."""
    gold = document.annotations.filter(accepted=True).first()
    items = (
        VersionItem.objects.filter(document=document).select_related("version__project").order_by("-version__number")
    )
    return [_since(item, gold.tags if gold else []) for item in items[:VERSIONS_SHOWN]]


def _since(item: VersionItem, now: Sequence[str]) -> dict[str, Any]:
    version = item.version
    before = bio.renamed(item.tags, _names(version, None))
    return {
        "version": version.pk,
        "number": version.number,
        "created_at": version.created_at,
        "split": item.split,
        "spans": _kinds(Counter(change.kind for change in compare_tags(before, now))),
        "same": list(before) == list(now),
    }


def _names(old: DatasetVersion, new: DatasetVersion | None) -> dict[str, str | None]:
    """What happened to labels between the two; backwards, labels are compared as they stand."""
    if new is not None and new.created_at < old.created_at:
        return {}
    return label_map.since(old.project, old.created_at, new.created_at if new is not None else None)


def _translated(row: Sequence[Any], names: label_map.Names) -> list[Any]:
    values = list(row)
    if values[3] is not None:
        values[3] = bio.renamed(values[3], names)
    return values


class Tally:
    """Counts changes by label, person and cause, and keeps the first as examples."""

    def __init__(self) -> None:
        self.documents: Counter[str] = Counter(added=0, removed=0, changed=0, moved=0)
        self.labels: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self.relabeled: Counter[tuple[str, str]] = Counter()
        self.people: dict[int | None, Counter[str]] = defaultdict(Counter)
        self.causes: dict[str, Counter[str]] = {cause: Counter() for cause in ("added", "removed", "changed")}
        self.examples: list[tuple[int, str, str, list[SpanChange]]] = []

    def add(self, row: Sequence[Any]) -> None:
        """Count one document."""
        before_id, after_id, key, before, after, old_split, new_split, person, change_kind = row
        cause = "added" if before_id is None else "removed" if after_id is None else "changed"
        spans = compare_tags(before or [], after or [])
        parted = cause == "changed" and old_split != new_split
        if cause == "changed" and before == after and not parted:
            return  # only a label's name is another
        self.documents[cause] += before != after
        self.documents["moved"] += parted
        for change in spans:
            self._count(change, person, change_kind or cause)
        if len(self.examples) < EXAMPLES:
            self.examples.append((after_id or before_id, key, cause, spans))

    def _count(self, change: SpanChange, person: int | None, cause: str) -> None:
        self.labels[change.kind][change.label] += 1
        self.people[person][change.kind] += 1
        self.causes.setdefault(cause, Counter())[change.kind] += 1
        if change.kind == "relabeled" and change.before and change.after:
            self.relabeled[change.before.label, change.after.label] += 1

    def as_json(self) -> dict[str, Any]:
        """The counts and examples of `diff`."""
        spans: dict[str, Any] = {
            kind: dict(sorted(self.labels[kind].items())) for kind in ("added", "removed", "moved")
        }
        pairs = sorted(self.relabeled.items())
        spans["relabeled"] = [{"from": one, "to": other, "count": count} for (one, other), count in pairs]
        return {
            "documents": dict(self.documents),
            "spans": spans,
            "people": list(_by_person(self.people)),
            "causes": {cause: _kinds(counted) for cause, counted in self.causes.items()},
            "examples": _examples(self.examples),
        }


def _kinds(counted: Mapping[str, int]) -> dict[str, int]:
    return {kind: counted.get(kind, 0) for kind in KINDS}


def _by_person(people: Mapping[int | None, Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    names = dict(get_user_model().objects.filter(pk__in=[pk for pk in people if pk]).values_list("pk", "username"))
    for pk in sorted(people, key=lambda pk: names.get(pk or 0, "")):
        yield {"person": names.get(pk or 0), **_kinds(people[pk])}


def _examples(found: Sequence[tuple[int, str, str, list[SpanChange]]]) -> list[dict[str, Any]]:
    documents = Document.objects.in_bulk([document for document, *_ in found])
    return [
        {
            "document": pk,
            "key": key,
            "change": cause,
            "spans": [_shown(documents[pk], change) for change in spans],
        }
        for pk, key, cause, spans in found
    ]


def _shown(document: Document, change: SpanChange) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "before": _side(document, change.before),
        "after": _side(document, change.after),
    }


def _side(document: Document, span: bio.Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    text = document.text[document.token_starts[span.start] : document.token_ends[span.end - 1]]
    return {"start": span.start, "end": span.end, "label": span.label, "text": text}


def _label_changes(old: DatasetVersion, new: DatasetVersion | None) -> dict[str, list[str]]:
    before = [label["name"] for label in old.labels]
    after = list(old.project.labels.values_list("name", flat=True))
    if new is not None:
        after = [label["name"] for label in new.labels]
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
    }
