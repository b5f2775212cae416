"""Finding documents, showing one, and putting one aside."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, Prefetch, Q, QuerySet, SmallIntegerField, Value
from django.utils import timezone

from labeling import bio
from labeling.access import Person, document_for, documents_in
from labeling.errors import Conflict, Invalid, one_of
from labeling.events import record
from labeling.models import CHANGED, Annotation, Document, Project, Split

# The orders of a list, each ending in the unique id; `_PLACED` says what has a place in one, if not all. With the
# project, which is one, they lead into its own index: by the id alone, other projects' texts would be gone through too.
ORDERS: Mapping[str, Sequence[str]] = {
    "newest": ("-project_id", "-id"),
    "oldest": ("project_id", "id"),
    "priority": ("-priority", "id"),
    "unsure": ("least", "suggested_id"),
    "changed": ("-changed_at", "-id"),
}
# Of the table beside it, both columns: so its index is in that order.
_UNSURE = {"least": F("suggested__least"), "suggested_id": F("suggested__document_id")}
_PLACED = {"unsure": Q(suggested__project=F("project")), "changed": CHANGED}


class Bigrams(Func):
    """The pairs of characters of a text, as numbers."""

    function = "labeling_bigrams"
    output_field = ArrayField(SmallIntegerField())


class PairsOf(Bigrams):
    """Those of a document's text, as the index of the search has them: given along, or worked out."""

    def as_sql(self, compiler: Any, connection: Any, *given: Any, **named: Any) -> Any:
        """The expression of the index, under whatever name the query knows the table."""
        sql, values = super().as_sql(compiler, connection, *given, **named)
        column, _ = compiler.compile(self.source_expressions[0])
        return f"COALESCE({column.rpartition('.')[0]}.pairs, {sql})", values


class _OneByOne(Exists):
    """Looked up for each row that is reached: never joined, and (OFFSET) never gathered from the other side first."""

    template = "(EXISTS(%(subquery)s OFFSET 0) IS TRUE)"


def search(
    project: Project,
    *,
    status: str = "",
    split: str = "",
    label: str = "",
    text: str = "",
    archived: bool = False,
    walking: bool = False,
) -> QuerySet[Document]:
    """Documents of the project, narrowed by what is given; raises `Invalid` for an unknown value.

    They are found by index; with `walking`, rows are looked at one after another in the order of a list.
    """
    query = documents_in(project).filter(archived_at__isnull=not archived)
    if status:
        query = query.filter(status=one_of("status", status, Document.Status.values))
    if split:
        query = query.filter(split=one_of("split", split, Split.values))
    if label:
        tagged = Annotation.objects.filter(document=OuterRef("pk"), tags__contains=[f"B-{label}"])
        exists = _OneByOne if walking else Exists
        query = query.filter(exists(tagged.exclude(state=Annotation.State.DRAFT)))
    if text:
        if "\0" in text:
            raise Invalid("The search text holds a NUL character.", details={"field": "q"})
        query = query.filter(text__icontains=text)
        if not walking:
            query = query.alias(pairs=PairsOf("text")).filter(pairs__contains=Bigrams(Value(text)))
    return query


def in_order(query: QuerySet[Document], name: str) -> tuple[QuerySet[Document], Sequence[str]]:
    """The documents that have a place in a named order, and its columns; raises `Invalid` for an unknown one."""
    columns = ORDERS[one_of("order", name or "newest", ORDERS)]
    query = query.filter(_PLACED.get(name, Q()))
    return query.annotate(**_UNSURE) if name == "unsure" else query, columns


def with_gold(query: QuerySet[Document]) -> QuerySet[Document]:
    """Load the accepted or else submitted annotations along, for a list with highlighted entities."""
    shown = Annotation.objects.filter(state=Annotation.State.SUBMITTED).order_by("-accepted", "submitted_at", "id")
    return query.prefetch_related(Prefetch("annotations", queryset=shown, to_attr="shown_annotations"))


@transaction.atomic
def archive(project: Project, user: Person, document_id: int) -> Document:
    """Put a document aside: not served, not trained on, not exported; versions keep it. Repeating is harmless."""
    return _set_archived(project, user, document_id, archived=True)


@transaction.atomic
def restore(project: Project, user: Person, document_id: int) -> Document:
    """Take an archived document back in."""
    return _set_archived(project, user, document_id, archived=False)


def _set_archived(project: Project, user: Person, document_id: int, *, archived: bool) -> Document:
    document = document_for(project, document_id, lock=True)
    if document.erased_at is not None:
        raise Conflict(f"Document {document.pk} was erased for good.", code="erased")
    if (document.archived_at is not None) != archived:
        document.archived_at = timezone.now() if archived else None
        document.save(update_fields=["archived_at"])
        record(project, user, "document.archived" if archived else "document.restored", document=document)
    return document


def as_json(document: Document) -> dict[str, Any]:
    """The REST shape of a document, tokens with their offsets in code points."""
    grid = zip(document.token_starts, document.token_ends, strict=True)
    return {
        "id": document.pk,
        "key": document.key,
        "text": document.text,
        "tokens": [{"text": document.text[start:end], "start": start, "end": end} for start, end in grid],
        "split": document.split,
        "status": document.status,
        "priority": document.priority,
        "meta": document.meta,
        "archived": document.archived_at is not None,
        "created_at": document.created_at,
    }


def summary_json(document: Document) -> dict[str, Any]:
    """The REST shape of a document in a list: no grid, the text in full, spans of the annotation shown."""
    shown = next(iter(getattr(document, "shown_annotations", [])), None)
    return {
        "id": document.pk,
        "key": document.key,
        "text": document.text,
        "split": document.split,
        "status": document.status,
        "priority": document.priority,
        "meta": document.meta,
        "created_at": document.created_at,
        "spans": character_spans(document, shown.tags) if shown else [],
        "accepted": bool(shown and shown.accepted),
    }


def character_spans(document: Document, tags: Sequence[str]) -> list[dict[str, Any]]:
    """Spans as code-point ranges of the text, with the text they cover."""
    found = []
    for span in bio.spans(tags):
        start, end = document.token_starts[span.start], document.token_ends[span.end - 1]
        found.append({"start": start, "end": end, "label": span.label, "text": document.text[start:end]})
    return found
