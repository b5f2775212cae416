"""Exams: what a model answered on each held-out document, its errors one by one, and two models side by side.

A training predicts the held-out documents once. The answers become figures (`evaluation`, `report`) and rows,
so that errors can be looked at in their texts and models compared later without loading a network.
"""

import json
import tempfile
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from django.db import connection
from django.db.models import QuerySet

from labeling import bio
from labeling.errors import Conflict, Invalid
from modelassist import matching
from modelassist.decode import Tagset
from modelassist.evaluation import Evaluation, bootstrap
from modelassist.examples import Examples
from modelassist.models import ExamSheet, ModelVersion
from modelassist.report import Report, surface

if TYPE_CHECKING:
    from modelassist.tagger import Tagger

_KEEP = """
INSERT INTO modelassist_examsheet (model_id, document_id, split, gold, tags, tp, fp, fn, marks)
SELECT %s, item.document_id, item.split, item.tags, sheet.tags, sheet.tp, sheet.fp, sheet.fn, sheet.marks
  FROM sheet
  JOIN labeling_document AS document ON document.project_id = %s AND document.key = sheet.key
  JOIN datasets_app_versionitem AS item ON item.version_id = %s AND item.document_id = document.id
"""


class Sheets:
    """Answers on their way into the database: on disk until the model that gave them is registered."""

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, *row: Any) -> None:
        """Put down one document's key, tags, counts of right, spurious and missed entities, and marks."""
        self._file.write(json.dumps(row) + "\n")

    def __iter__(self) -> Iterator[list[Any]]:
        self._file.seek(0)
        return map(json.loads, self._file)


def surfaces(examples: Examples) -> set[str]:
    """The entities of labeled documents, as `report` compares them."""
    return {surface(tokens, span) for tokens, tags in examples for span in bio.spans(tags)}


def sit(tagger: "Tagger", examples: Examples, *, known: Collection[str], sheets: Sheets) -> dict[str, Any]:
    """Predict the documents; gives all figures as JSON and puts the answers down."""
    tagset: Tagset = tagger.tagset
    scores = Evaluation(tagset)
    report = Report(list(scores.labels), known)
    taggings = tagger.predict(gold.tokens for gold in examples.golds())
    for gold, tagging in zip(examples.golds(), taggings, strict=True):
        scores.add(gold.tags, tagging.tags)
        matches = report.add(gold.tokens, gold.tags, tagging.tags, tagging.confidences.tolist())
        sheets.add(gold.key, tagging.tags, *scores.documents[-1], marks(matches))
    return scores.as_json() | report.as_json()


def marks(matches: Collection[matching.Match]) -> list[str]:
    """By what a document's errors are found: their kinds, their labels, and both together."""
    found: set[str] = set()
    for one in matches:
        if one.kind != matching.RIGHT:
            found |= {one.kind, *(f"{kind}:{label}" for label in one.labels for kind in ("", one.kind))}
    return sorted(found)


def keep(model: ModelVersion, sheets: Sheets) -> None:
    """Write the answers as rows; in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE sheet (key text, tags text[], tp int, fp int, fn int, marks text[]) ON COMMIT DROP"
        )
        with cursor.copy("COPY sheet FROM STDIN") as copy:
            for row in sheets:
                copy.write_row(row)
        cursor.execute(_KEEP, [model.pk, model.project_id, model.dataset_version_id])
        cursor.execute("DROP TABLE sheet")  # now as well: the caller's transaction may go on


# Looking -------------------------------------------------------------------------------------------------


def errors_of(model: ModelVersion, *, split: str = "", kind: str = "", label: str = "") -> QuerySet[ExamSheet]:
    """The documents on which the model was wrong, with their texts; raises `Invalid` for an unknown kind."""
    if kind and kind not in matching.ERRORS:
        raise Invalid(
            f"There is no kind of error {kind!r}; choose from {', '.join(matching.ERRORS)}.",
            details={"field": "kind", "value": kind},
        )
    rows = ExamSheet.objects.filter(model=model).exclude(fp=0, fn=0).select_related("document")
    if split:
        rows = rows.filter(split=split)
    return rows.filter(marks__contains=[f"{kind}:{label}" if label else kind]) if kind or label else rows


def sheet_json(sheet: ExamSheet) -> dict[str, Any]:
    """The REST shape of one document's errors; ranges are token indices."""
    wrong = [found for found in matched(sheet) if found.kind != matching.RIGHT]
    return {
        "document": sheet.document_id,
        "key": sheet.document.key,
        "text": sheet.document.text,
        "split": sheet.split,
        "errors": [
            {"kind": found.kind, "gold": _span_json(found.gold), "predicted": _span_json(found.predicted)}
            for found in wrong
        ],
    }


def matched(sheet: ExamSheet) -> list[matching.Match]:
    """The entities of a document, gold and predicted ones paired."""
    return matching.match(bio.spans(sheet.gold), bio.spans(sheet.tags))


def _span_json(span: bio.Span | None) -> dict[str, Any] | None:
    return None if span is None else {"start": span.start, "end": span.end, "label": span.label}


# Comparing -----------------------------------------------------------------------------------------------


def compare(model: ModelVersion, other: ModelVersion) -> dict[str, Any]:
    """Two models on the documents that both were examined on with the same gold; raises `Conflict` where there is none.

    Test documents where both had some, else validation. `comparison.difference` is the first's F1 above the other's.
    """
    if model.project_id != other.project_id:
        raise Conflict("The two models belong to different projects and cannot be compared.", code="other_project")
    for split in ("test", "validation"):
        if rows := list(_both(model, other, split)):
            comparison = bootstrap([own for own, _ in rows], [theirs for _, theirs in rows])
            return {"models": [model.number, other.number], "split": split, "comparison": comparison.as_json()}
    message = f"{model.name} and {other.name} were never examined on the same documents."
    raise Conflict(message, code="no_common_exam", details={"models": [model.number, other.number]})


_Counts = tuple[int, int, int]


def _both(model: ModelVersion, other: ModelVersion, split: str) -> Iterator[tuple[_Counts, _Counts]]:
    """Both models' counts of right, spurious and missed entities, document by document."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT own.tp, own.fp, own.fn, theirs.tp, theirs.fp, theirs.fn"
            "  FROM modelassist_examsheet AS own JOIN modelassist_examsheet AS theirs"
            "    ON theirs.model_id = %s AND theirs.document_id = own.document_id AND theirs.gold = own.gold"
            " WHERE own.model_id = %s AND own.split = %s ORDER BY own.document_id",
            [other.pk, model.pk, split],
        )
        for tp, fp, fn, *theirs in cursor.fetchall():
            yield (tp, fp, fn), (theirs[0], theirs[1], theirs[2])
