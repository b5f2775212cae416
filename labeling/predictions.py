"""Suggestions: what models predicted, written in bulk and read one at a time.

A suggestion is never an annotation; which of the two a span is stays told apart for ever.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from labeling.models import Document, Prediction


class Predicted(NamedTuple):
    """One document's tags and, per token, the probability of its tag."""

    document_id: int
    tags: Sequence[str]
    confidences: Sequence[float]


def store(rows: Iterable[Predicted], *, model: str) -> int:
    """Write predictions of `model` in one COPY and one upsert; gives the number of rows written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS predicted"
            " (document_id bigint, tags text[], confidences float8[]) ON COMMIT DELETE ROWS"
        )
        with cursor.copy("COPY predicted (document_id, tags, confidences) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row.document_id, list(row.tags), [float(value) for value in row.confidences]))
        cursor.execute(
            "INSERT INTO labeling_prediction (document_id, model, tags, confidences, created_at)"
            " SELECT document_id, %s, tags, confidences, now() FROM predicted ORDER BY document_id"
            " ON CONFLICT (document_id, model) DO UPDATE"
            " SET tags = excluded.tags, confidences = excluded.confidences, created_at = excluded.created_at",
            [model],
        )
        written: int = cursor.rowcount
        # Emptied now as well, so that a second call in one outer transaction starts clean.
        cursor.execute("TRUNCATE predicted")
    return written


def latest(document: Document) -> Prediction | None:
    """The newest prediction for a document."""
    return document.predictions.order_by("-created_at", "-id").first()


def suggestion(document: Document) -> Prediction | None:
    """What an annotator is shown: nothing for held-out documents, so that no model leads its own exam."""
    return None if document.held_out else latest(document)


def shown(document: Document, *, model: str | None) -> Prediction | None:
    """What a person saw: the suggestion of the model that they name, if there is one; else the present one.

    A text that was fetched ahead may show an older model's suggestion. `""` says that nothing was shown.
    """
    if model == "" or document.held_out:
        return None
    named = document.predictions.filter(model=model).first() if model else None
    return named or latest(document)


def as_json(prediction: Prediction | None) -> dict[str, Any] | None:
    """The REST shape of a suggestion."""
    if prediction is None:
        return None
    return {"tags": prediction.tags, "confidences": prediction.confidences, "model": prediction.model}
