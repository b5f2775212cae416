"""Groups of exact and near duplicates: listing them, finding them in texts that came before, sharing their labels."""

from collections.abc import Generator, Sequence
from difflib import SequenceMatcher
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet

from datasets_app import curation, grouping, jobs, likeness
from datasets_app.grouping import Incoming
from datasets_app.models import Duplicate, Job
from datasets_app.records import Record
from labeling import bio, predictions
from labeling.access import Person
from labeling.models import Document, Project
from labeling.predictions import Predicted

MODEL = "duplicate"  # the name under which a duplicate's labels stand as suggestions
SHOWN = 20  # members of a group in a list
SCAN_DOCUMENTS = 1000
COPIED_AT_ONCE = 500

_WITH_GOLD = """
SELECT DISTINCT ON (target.id) target.id, target.text, target.token_starts, target.token_ends,
       source.text, source.token_starts, source.token_ends, gold.tags
  FROM datasets_app_curation AS curation
  JOIN datasets_app_duplicate AS one ON one.project_id = curation.project_id
  JOIN labeling_document AS target ON target.id = one.document_id
   AND target.status = 'pending' AND target.split = 'train' AND target.archived_at IS NULL
  JOIN datasets_app_duplicate AS other
    ON other.project_id = one.project_id AND other.first_id = one.first_id AND other.document_id <> one.document_id
  JOIN labeling_document AS source ON source.id = other.document_id
  JOIN labeling_annotation AS gold ON gold.document_id = other.document_id AND gold.accepted
 WHERE curation.duplicates = 'copy' AND target.id > %s
   AND NOT EXISTS (SELECT FROM labeling_prediction AS had WHERE had.document_id = target.id AND had.model = %s
                      AND had.created_at >= gold.accepted_at)
 ORDER BY target.id, (other.digest = one.digest) DESC, gold.accepted_at DESC LIMIT %s
"""


# Listing -------------------------------------------------------------------------------------------------


def groups(project: Project, *, across: bool = False) -> QuerySet[Document]:
    """The first document of each group, in the order of `id`, with `size` and its first members along.

    `across`: only groups that lie in more than one split.
    """
    members = Duplicate.objects.filter(project=project, first=OuterRef("pk"))
    query = Document.objects.filter(project=project, duplicate__first=F("pk"))
    if across:
        query = query.filter(Exists(members.exclude(document__split=OuterRef("split"))))
    shown = Duplicate.objects.select_related("document").order_by("document_id")[:SHOWN]
    return query.annotate(size=Count("duplicates")).prefetch_related(Prefetch("duplicates", shown, to_attr="members"))


def as_json(first: Document) -> dict[str, Any]:
    """The REST shape of a group, as `groups` gives it; the first member is the one that the others were found by."""
    members = [_member(one, first) for one in first.members]  # type: ignore[attr-defined]
    return {"group": first.pk, "size": first.size, "members": members}  # type: ignore[attr-defined]


def _member(one: Duplicate, first: Document) -> dict[str, Any]:
    document = one.document
    return {
        "document": document.pk,
        "key": document.key,
        "text": document.text,
        "split": document.split,
        "status": document.status,
        "archived": document.archived_at is not None,
        "similarity": round(one.similarity, 3),
    }


# Finding -------------------------------------------------------------------------------------------------


def find(project: Project, user: Person) -> Job:
    """Queue a search through all texts of the project, for those that came in before duplicates were looked for."""
    return jobs.enqueue("duplicates", project=project, user=user, params={})


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler: a page of documents at a time. Texts keep their split; their groups are what is noted."""
    assert job.project is not None
    settings = curation.of(job.project)
    documents = Document.objects.filter(project=job.project)
    total = documents.count()
    cursor = job.cursor or {"after": 0, "done": 0, "duplicates": 0}
    while page := list(documents.filter(pk__gt=cursor["after"]).order_by("pk")[:SCAN_DOCUMENTS]):
        with transaction.atomic():
            jobs.checkpoint(job, cursor=cursor)
            grouping.lock(job.project)
            known = likeness.of([document.text for document in page])
            texts = [
                Incoming(Record(line=0, text=document.text), each, document.split, document.key)
                for document, each in zip(page, known, strict=True)
            ]
            placed = grouping.place(job.project, settings, texts)
            found = grouping.remember(job.project, placed, [document.pk for document in page])
            done = cursor["done"] + len(page)
            cursor = {"after": page[-1].pk, "done": done, "duplicates": cursor["duplicates"] + len(found)}
            jobs.checkpoint(job, cursor=cursor, done=done)
        yield jobs.Step(done, total, note=f"{cursor['duplicates']:,} duplicates")
    return {"documents": cursor["done"], "duplicates": cursor["duplicates"]}


# Sharing labels ------------------------------------------------------------------------------------------


def copy_labels() -> int:
    """Suggest the accepted spans of one text to its duplicates, where the policy says so; gives how many got some.

    Called by beat. Held-out texts get none: they are labeled unled.
    """
    after, copied = 0, 0
    while rows := _waiting(after):
        predicted = [_copied(*row) for row in rows]
        predictions.store(predicted, model=MODEL)
        after, copied = rows[-1][0], copied + len(rows)
    return copied


def _waiting(after: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_WITH_GOLD, [after, MODEL, COPIED_AT_ONCE])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _copied(document: int, text: str, starts: list[int], ends: list[int], *source: Any) -> Predicted:
    source_text, source_starts, source_ends, tags = source
    given = [source_text[start:end] for start, end in zip(source_starts, source_ends, strict=True)]
    tokens = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    moved = carried(tags, given, tokens)
    return Predicted(document, moved, [1.0] * len(moved))


def carried(tags: Sequence[str], source: Sequence[str], target: Sequence[str]) -> list[str]:
    """The tags of `source` for nearly the same tokens: with those spans whose tokens all stand there in one row."""
    if list(source) == list(target):
        return list(tags)
    places: dict[int, int] = {}
    for block in SequenceMatcher(None, source, target, autojunk=False).get_matching_blocks():
        places |= {block.a + offset: block.b + offset for offset in range(block.size)}
    spans = []
    for span in bio.spans(tags):
        begin, end = places.get(span.start), places.get(span.end - 1)
        whole = all(number in places for number in range(span.start, span.end))
        if begin is not None and end is not None and whole and end - begin == span.end - 1 - span.start:
            spans.append(bio.Span(begin, end + 1, span.label))
    return bio.tags_of(spans, len(target))
