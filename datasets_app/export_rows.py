"""The rows of an export: gold, one person's annotations, or texts with all that was said about them.

Read a page at a time by key, in the order in which the texts came in.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from datasets_app.records import Gold, Whole
from labeling.access import Person
from labeling.errors import Invalid
from labeling.models import Annotation, Project

PAGE_ROWS = 500
WHOLE_ROWS = 200

_TEXTS = """
SELECT document.source, document.line, document.id, document.key, document.text, document.token_starts,
       document.token_ends, said.tags, document.split, document.meta, document.layout
  FROM labeling_document AS document
  JOIN labeling_annotation AS said ON said.document_id = document.id AND {which}
 WHERE document.project_id = %s AND document.archived_at IS NULL
   AND (document.source, document.line, document.id) > (%s, %s, %s) AND document.split = ANY(%s)
 ORDER BY document.source, document.line, document.id LIMIT %s
"""
_ACCEPTED = _TEXTS.format(which="said.accepted")
_BY_PERSON = _TEXTS.format(which="said.annotator_id = %s AND said.state = 'submitted'")
_WHOLE = """
SELECT document.source, document.line, document.id, document.key, document.text, document.token_starts,
       document.token_ends, document.split, document.meta::text, document.status, document.archived_at IS NOT NULL,
       jsonb_build_object('job', nullif(document.source, 0), 'file', job.params->'name', 'line', document.line,
                          'at', document.created_at)::text,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
          'annotator', person.username, 'state', said.state, 'accepted', said.accepted, 'tags', said.tags,
          'provenance', said.provenance, 'suggested_by', said.suggested_by, 'seconds', said.seconds,
          'flagged', said.flagged, 'comment', said.comment, 'note', said.note, 'created_at', said.created_at,
          'updated_at', said.updated_at, 'submitted_at', said.submitted_at, 'accepted_at', said.accepted_at,
          'accepted_by', (SELECT username FROM auth_user WHERE id = said.accepted_by_id))
          ORDER BY said.accepted DESC, said.id), '[]')::text
          FROM labeling_annotation AS said JOIN auth_user AS person ON person.id = said.annotator_id
         WHERE said.document_id = document.id),
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
          'model', given.model, 'tags', given.tags, 'confidences', given.confidences, 'created_at', given.created_at)
          ORDER BY given.id), '[]')::text
          FROM labeling_prediction AS given WHERE given.document_id = document.id)
  FROM labeling_document AS document LEFT JOIN datasets_app_job AS job ON job.id = document.source
 WHERE document.project_id = %s AND document.erased_at IS NULL
   AND (document.source, document.line, document.id) > (%s, %s, %s) AND document.split = ANY(%s)
 ORDER BY document.source, document.line, document.id LIMIT %s
"""


def accepted(project: Project, splits: Sequence[str]) -> Iterator[Gold]:
    """What is accepted."""
    for row in _pages(_ACCEPTED, [], project, splits, PAGE_ROWS):
        yield Gold.of_row(*row)


def by_person(project: Project, person: Person, splits: Sequence[str]) -> Iterator[Gold]:
    """What one person has submitted, accepted or not."""
    for row in _pages(_BY_PERSON, [person.pk], project, splits, PAGE_ROWS):
        yield Gold.of_row(*row)


def whole(project: Project, splits: Sequence[str]) -> Iterator[Whole]:
    """All texts, archived ones too, with what people and models said about them."""
    for *row, meta, status, archived, came_in, said, given in _pages(_WHOLE, [], project, splits, WHOLE_ROWS):
        yield Whole(*row, *(json.loads(meta), status, archived, *map(json.loads, (came_in, said, given))))


def _pages(query: str, before: list[Any], project: Project, splits: Sequence[str], size: int) -> Iterator[Any]:
    after = (-1, -1, -1)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [*before, project.pk, *after, list(splits), size])
            rows = cursor.fetchall()
        for _, _, _, *values in rows:
            yield values
        if len(rows) < size:
            return
        after = rows[-1][:3]


def annotator(project: Project, name: str) -> Person:
    """The person of this name who has annotated in the project; raises `Invalid` if there is none."""
    person = get_user_model().objects.filter(username=name).first()
    if person is None or not Annotation.objects.filter(document__project=project, annotator=person).exists():
        raise Invalid(f"{name!r} has annotated nothing in this project.", details={"field": "annotator"})
    return person
