"""Labels where they stand beside tags: in the provenance of annotations and in what was suggested by occurrences.

An operation on a label reaches these too, so that nothing counts under a name that is gone.
"""

import json
from typing import Any

from django.db import connection

from labeling.models import Project

# Of a list of spans: those of the label, and those that were made of one, with the new name; without one, left out.
_SPANS = """
(SELECT coalesce(jsonb_agg(
   (one || CASE WHEN one->>'label' = %(old)s THEN jsonb_build_object('label', %(new)s::text) ELSE '{{}}' END
       || CASE WHEN one#>>'{{from,label}}' = %(old)s AND %(new)s::text IS NOT NULL
               THEN jsonb_build_object('from', one->'from' || jsonb_build_object('label', %(new)s::text))
               ELSE '{{}}' END)
       - CASE WHEN one#>>'{{from,label}}' = %(old)s AND %(new)s::text IS NULL THEN 'from' ELSE '' END
   ORDER BY at), '[]')
   FROM jsonb_array_elements(coalesce(annotation.provenance->'{list}', '[]')) WITH ORDINALITY AS each(one, at)
  WHERE one->>'label' <> %(old)s OR %(new)s::text IS NOT NULL)
"""
_MENTIONS = "annotation.provenance <> '{}' AND position(%(told)s in annotation.provenance::text) > 0"
_TRACES = f"""
UPDATE labeling_annotation AS annotation
   SET provenance = annotation.provenance
       || jsonb_build_object('spans', {_SPANS.format(list="spans")}, 'rejected', {_SPANS.format(list="rejected")})
  FROM labeling_document AS document
 WHERE document.id = annotation.document_id AND document.project_id = %(project)s AND {_MENTIONS}
"""
_DOCUMENTS = f"""
SELECT DISTINCT annotation.document_id
  FROM labeling_annotation AS annotation JOIN labeling_document AS document ON document.id = annotation.document_id
 WHERE document.project_id = %(project)s AND {_MENTIONS}
"""
_OCCURRENCES = "UPDATE labeling_occurrences SET label = %(new)s WHERE project_id = %(project)s AND label = %(old)s"


def documents(project: Project, name: str) -> list[int]:
    """The documents with annotations whose provenance tells of the label."""
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, _values(project, name, None))
        return [document for (document,) in cursor.fetchall()]


def rename(project: Project, name: str, to: str | None) -> None:
    """Call the label otherwise wherever it is told of; with None, tell of it no more."""
    with connection.cursor() as cursor:
        cursor.execute(_TRACES, _values(project, name, to))
        if to is not None:
            cursor.execute(_OCCURRENCES, _values(project, name, to))


def _values(project: Project, name: str, to: str | None) -> dict[str, Any]:
    told = f'"label": {json.dumps(name, ensure_ascii=False)}'  # as PostgreSQL writes it
    return {"project": project.pk, "old": name, "new": to, "told": told}
