"""Documents by what people and models said about them: by whom, flagged, commented, disagreed on, unsure.

What annotators said is for reviewers: annotators work unseen by each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from labeling.access import Person, role_in
from labeling.errors import Forbidden, Invalid
from labeling.models import Annotation, Document, Project, Role


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
        query = query.filter(Exists(_by(remarks.annotator)))
    for name in remarks.said:
        query = query.filter(**{_SAID[name]: True})
    return (
        query if remarks.below is None else query.filter(suggested__least__lt=remarks.below, suggested__project=project)
    )


# What a document keeps of what was said about it, by how it is asked for.
_SAID = {"flagged": "flagged", "commented": "commented", "disagreement": "disputed"}
SAID = tuple(_SAID)


def _by(username: str) -> QuerySet[Annotation]:
    # The person by number: then the database sees that each document has one such row at most, and reads them in order.
    person = User.objects.filter(username=username).values_list("pk", flat=True).first()
    theirs = Annotation.objects.filter(document=OuterRef("pk"), annotator_id=person or 0)
    return theirs.exclude(state=Annotation.State.DRAFT)
