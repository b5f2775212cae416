"""Writing the gold of many documents at once, as one person's annotations; a part of an undoable change."""

from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import connection

from datasets_app import changes, copying
from datasets_app.models import Change
from labeling.access import Person

AT_ONCE = 5000

_TABLE = "CREATE TEMPORARY TABLE IF NOT EXISTS new_gold (document_id bigint, tags text[]) ON COMMIT DELETE ROWS"
# Whoever was accepted is no longer; their row stays as it was, for comparison.
_UNACCEPT = """
UPDATE labeling_annotation AS annotation SET accepted = false FROM new_gold
 WHERE annotation.document_id = new_gold.document_id AND annotation.accepted
"""
_WRITE = """
INSERT INTO labeling_annotation AS annotation
  (document_id, annotator_id, tags, state, accepted, revision, seconds, note, suggested_by, suggestion_use,
   created_at, updated_at, submitted_at, accepted_at, accepted_by_id)
SELECT document_id, %(user)s, tags, 'submitted', true, 1, 0, '', '', '{}', now(), now(), now(), now(), %(user)s
  FROM new_gold ORDER BY document_id
ON CONFLICT (document_id, annotator_id) DO UPDATE
   SET tags = excluded.tags, state = 'submitted', accepted = true, revision = annotation.revision + 1,
       provenance = '{}', updated_at = now(),
       submitted_at = coalesce(annotation.submitted_at, now()), accepted_at = now(),
       accepted_by_id = %(user)s
"""
_STATUS = "UPDATE labeling_document SET status = 'accepted' WHERE id IN (SELECT document_id FROM new_gold)"


def write(change: Change, user: Person, rows: Iterable[tuple[int, Sequence[str]]]) -> int:
    """Make (document id, tags) the gold of these documents, by `user`; gives their number."""
    written, remaining = 0, iter(rows)
    while batch := list(islice(remaining, AT_ONCE)):
        changes.note_before(change, [document for document, _ in batch])
        with connection.cursor() as cursor:
            cursor.execute(_TABLE)
            with cursor.copy("COPY new_gold FROM STDIN") as copy:
                copy.write("".join(f"{document}\t{copying.strings(tags)}\n" for document, tags in batch))
            cursor.execute(_UNACCEPT)
            cursor.execute(_WRITE, {"user": user.pk})
            cursor.execute(_STATUS)
            cursor.execute("TRUNCATE new_gold")
        written += len(batch)
    return written
