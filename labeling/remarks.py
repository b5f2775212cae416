"""Documents by what people and models said about them: by whom, flagged, commented, disagreed on, unsure.

What annotators said is for reviewers: annotators work unseen by each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Exists, F, FloatField, Func, OuterRef, Q, QuerySet, Value

from labeling.access import Person, role_in
from labeling.errors import Forbidden, Invalid
from labeling.models import Annotation, Document, Prediction, Project, Role
from labeling.predictions import OCCURRENCES

SAID = ("flagged", "commented", "disagreement")


@dataclass(frozen=True)
class Remarks:
    """What to narrow by: an annotator's name, words of `SAID`, and a confidence (0 to 1) that some suggested token is
    below."""

    annotator: str = ""
    said: tuple[str, ...] = ()
    below: float | None = None


def read(params: Mapping[str, Any]) -> Remarks:
    """From a query string: `annotator=`, `flagged=1`, `commented=1`, `disagreement=1`, `below=0.5`."""
    said = tuple(name for name in SAID if params.get(name) in ("1", "true"))
    return Remarks(str(params.get("annotator", "")).strip(), said, _share(params.get("below", "")))


def _share(value: str) -> float | None:
    if not value.strip():
        return None
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise Invalid(f"below is {value[:20]!r}; give a confidence from 0 to 1.", details={"field": "below"})
    return share


def narrow(query: QuerySet[Document], remarks: Remarks, *, project: Project, user: Person) -> QuerySet[Document]:
    """The documents of `query` that fit; raises `Forbidden` where an annotator asks for what others said."""
    if (remarks.annotator or remarks.said) and role_in(user, project) in (None, Role.ANNOTATOR):
        raise Forbidden("Only reviewers and managers see what others said about a text.")
    if remarks.annotator:
        theirs = _of_document().filter(annotator__username=remarks.annotator)
        query = query.filter(Exists(theirs.exclude(state=Annotation.State.DRAFT)))
    for name in remarks.said:
        query = query.filter(Exists(_SAID[name]()))
    return query if remarks.below is None else query.filter(Exists(_unsure(remarks.below)))


def _of_document() -> QuerySet[Annotation]:
    return Annotation.objects.filter(document=OuterRef("pk"))


def _differing() -> QuerySet[Annotation]:
    """Submitted annotations beside which another of the same document says something else."""
    submitted = Annotation.objects.filter(state=Annotation.State.SUBMITTED)
    others = submitted.filter(document=OuterRef("document")).exclude(tags=OuterRef("tags"))
    return submitted.filter(Exists(others), document=OuterRef("pk"))


_SAID: Mapping[str, Callable[[], QuerySet[Annotation]]] = {
    "flagged": lambda: _of_document().filter(flagged=True),
    "commented": lambda: _of_document().filter(~Q(comment="")),
    "disagreement": _differing,
}


def _unsure(share: float) -> QuerySet[Prediction]:
    least = Func(
        Value(share, output_field=FloatField()), F("confidences"),
        template="(%(expressions)s))", arg_joiner=" > ANY(", output_field=BooleanField(),
    )  # fmt: skip
    return Prediction.objects.filter(document=OuterRef("pk")).exclude(model=OCCURRENCES).filter(least)
