"""Suggestions: what models predicted, written in bulk and read one at a time.

A suggestion is never an annotation; which of the two a span is stays told apart for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Func, IntegerField, Q, Subquery, TextField
from django.db.models.functions import Cast

from labeling.bio import OUTSIDE
from labeling.models import MODEL, Document, Prediction
from labeling.provenance import Offer, offers

OCCURRENCES = "occurrences"  # the "model" of what people suggest by `labeling.occurrences`


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


def current(document: Document) -> Prediction | None:
    """What is suggested for a document: by the first of the models in use that spoke of it, or later by a file, by
    patterns or by another predictor. What a withdrawn model said is not shown.
    """
    in_use = "document__project__models_in_use"
    place = Func(F(in_use), Cast("model", TextField()), function="array_position", output_field=IntegerField())
    rows = document.predictions.exclude(model=OCCURRENCES).annotate(place=place)
    first = rows.exclude(place__isnull=True).order_by("place").values("place")[:1]
    shown = rows.filter(~Q(model__startswith=MODEL) | Q(place=Subquery(first)) | Q(**{in_use: []}))
    return shown.order_by("-created_at", "-id").first()


@dataclass(frozen=True)
class Suggestion:
    """What an annotator is shown: a model's tags, and over them what people suggested by an occurrence elsewhere."""

    model: str
    tags: list[str]
    confidences: list[float]
    offers: list[Offer]


def suggestion(document: Document, *, model: str | None = None) -> Suggestion | None:
    """What an annotator is shown; nothing for held-out documents, so that nothing leads their exam.

    `model` is the one whose suggestions the person saw, which may be older than the present one when a text was
    fetched ahead; "" says that they saw none.
    """
    if document.held_out or model == "":
        return None
    main = (document.predictions.filter(model=model).first() if model else None) or current(document)
    found = document.predictions.filter(model=OCCURRENCES).first()
    return _merged([each for each in (found, main) if each is not None and each.model])


def _merged(rows: Sequence[Prediction]) -> Suggestion | None:
    """One grid of tags out of several, those before over those after; named after the last."""
    if not rows:
        return None
    count = len(rows[-1].tags)
    tags, confidences, kept = [OUTSIDE] * count, [1.0] * count, []
    for row in rows:
        for offer in offers(row.tags, row.confidences, model=row.model):
            start, end = offer.span.start, offer.span.end
            if any(tag != OUTSIDE for tag in tags[start:end]):
                continue
            tags[start:end] = row.tags[start:end]
            confidences[start:end] = row.confidences[start:end]
            kept.append(offer)
    outside = rows[-1].confidences
    confidences = [outside[at] if tag == OUTSIDE else confidences[at] for at, tag in enumerate(tags)]
    return Suggestion(rows[-1].model, tags, confidences, kept)


def as_json(prediction: Prediction | Suggestion | None) -> dict[str, Any] | None:
    """The REST shape of a suggestion."""
    if prediction is None:
        return None
    return {"tags": prediction.tags, "confidences": prediction.confidences, "model": prediction.model}
