"""Every occurrence at once: a sequence of tokens suggested with one label wherever it stands in open documents.

They become suggestions, not labels: rows of `predictions` under a name of their own, which a person accepts or
rejects like any other. Held-out documents get none. What was suggested in one step is undone in one step.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, Value
from django.utils import timezone

from labeling.access import Person, occurrences_for, role_in
from labeling.bio import OUTSIDE, Span
from labeling.documents import Bigrams
from labeling.errors import Forbidden, Invalid
from labeling.events import record
from labeling.examples import in_context
from labeling.models import Document, Occurrences, Prediction, Project, Role, Split
from labeling.predictions import OCCURRENCES, Predicted, store
from labeling.provenance import Offer, offers

MOST_DOCUMENTS = 2_000  # in one step; the next step finds the others
MOST_TOKENS = 50
CONTEXTS = 20


@dataclass(frozen=True)
class Place:
    """Where the sequence stands, and the suggestions there that say something else."""

    document: Document
    span: Span
    conflicts: tuple[Offer, ...]


def preview(project: Project, *, tokens: Sequence[str], label: str, leave_out: int | None = None) -> dict[str, Any]:
    """`{documents, occurrences, conflicts, more, contexts}` of what `suggest` would do; changes nothing."""
    places, more = _find(project, tokens, label, leave_out)
    return {
        "documents": len({place.document.pk for place in places}),
        "occurrences": len(places),
        "conflicts": sum(bool(place.conflicts) for place in places),
        "more": more,
        "contexts": [_context(place) for place in sorted(places, key=lambda each: not each.conflicts)[:CONTEXTS]],
    }


@transaction.atomic
def suggest(
    project: Project, user: Person, *, tokens: Sequence[str], label: str, replace: bool, leave_out: int | None = None
) -> Occurrences:
    """Suggest the label at every occurrence; where another suggestion stands, only with `replace`."""
    found, _ = _find(project, tokens, label, leave_out)
    places = [place for place in found if replace or not place.conflicts]
    _write(places)
    step = Occurrences.objects.create(
        project=project,
        created_by_id=user.pk,
        tokens=list(tokens),
        label=label,
        documents=[place.document.pk for place in places],
        starts=[place.span.start for place in places],
    )
    data = {"occurrences": step.pk, "label": label, "places": len(places)}
    record(project, user, "occurrences.suggested", data=data)
    return step


@transaction.atomic
def undo(project: Project, user: Person, pk: int) -> Occurrences:
    """Take back what one step suggested, as far as it still stands there. Repeating is harmless.

    Raises `Forbidden` for another annotator's step; reviewers and managers may undo any.
    """
    step = occurrences_for(project, pk)
    role = role_in(user, project)
    if step.created_by_id != user.pk and (role is None or role.rank < Role.REVIEWER.rank):
        raise Forbidden("Only who suggested these occurrences, a reviewer or a manager may undo them.")
    if step.undone_at is None:
        _erase(step)
        step.undone_at = timezone.now()
        step.save(update_fields=["undone_at"])
        record(project, user, "occurrences.undone", data={"occurrences": step.pk})
    return step


def as_json(step: Occurrences) -> dict[str, Any]:
    """The REST shape of a step."""
    return {
        "id": step.pk,
        "tokens": step.tokens,
        "label": step.label,
        "documents": len(set(step.documents)),
        "occurrences": len(step.starts),
        "undone": step.undone_at is not None,
    }


# Finding ------------------------------------------------------------------------------------------------


def _find(project: Project, tokens: Sequence[str], label: str, leave_out: int | None) -> tuple[list[Place], bool]:
    """The places in open documents, and whether there are more documents than one step takes."""
    if not 0 < len(tokens) <= MOST_TOKENS or not all(tokens):
        raise Invalid(f"Give 1 to {MOST_TOKENS} tokens, none of them empty.", details={"field": "tokens"})
    if not project.labels.filter(name=label, retired=False).exists():
        raise Invalid(f"The project has no label {label!r}.", code="unknown_label", details={"label": label})
    candidates = _candidates(project, tokens).exclude(pk=leave_out or 0)[: MOST_DOCUMENTS + 1]
    places: list[Place] = []
    seen = 0
    for document in candidates:
        seen += 1
        if seen <= MOST_DOCUMENTS:
            places.extend(_places(document, tokens, label))
    return places, seen > MOST_DOCUMENTS


def _candidates(project: Project, tokens: Sequence[str]) -> Any:
    """Open documents that hold each token somewhere, found by the index of character pairs."""
    query = Document.objects.filter(project=project, status="pending", split=Split.TRAIN, archived_at=None)
    for token in dict.fromkeys(tokens):
        query = query.filter(text__contains=token)
    longest = max(tokens, key=len)
    if len(longest) > 1:
        query = query.alias(pairs=Bigrams("text")).filter(pairs__contains=Bigrams(Value(longest)))
    rows = Prediction.objects.order_by("-created_at", "-id")
    return query.order_by("id").prefetch_related(Prefetch("predictions", queryset=rows, to_attr="predicted"))


def _places(document: Any, tokens: Sequence[str], label: str) -> Iterator[Place]:
    offered: list[Offer] | None = None
    for start in positions(document, tokens):
        span = Span(start, start + len(tokens), label)
        offered = _offered(document) if offered is None else offered
        touching = [each for each in offered if each.span.start < span.end and span.start < each.span.end]
        if any(each.span == span for each in touching):
            continue  # it is suggested already
        yield Place(document, span, tuple(touching))


def _offered(document: Any) -> list[Offer]:
    """What is suggested now: by people, and by the newest model."""
    rows = document.predicted
    own = [row for row in rows if row.model == OCCURRENCES]
    newest = [row for row in rows if row.model != OCCURRENCES][:1]
    return [offer for row in [*own, *newest] for offer in offers(row.tags, row.confidences, model=row.model)]


def positions(document: Document, tokens: Sequence[str]) -> Iterator[int]:
    """The tokens of the document at which the sequence begins, without overlaps."""
    starts, ends, text = document.token_starts, document.token_ends, document.text
    at, free = text.find(tokens[0]), 0
    while at >= 0:
        first = bisect_left(starts, at)
        grid = zip(starts[first : first + len(tokens)], ends[first : first + len(tokens)], strict=True)
        at_token = first < len(starts) and starts[first] == at and first >= free
        if at_token and [text[start:end] for start, end in grid] == list(tokens):
            yield first
            free = first + len(tokens)
        at = text.find(tokens[0], at + 1)


def _context(place: Place) -> dict[str, Any]:
    conflicts = [{"label": each.span.label, "model": each.model} for each in place.conflicts]
    return in_context(place.document, place.span) | {"conflicts": conflicts}


# Writing ------------------------------------------------------------------------------------------------


def _write(places: Sequence[Place]) -> None:
    """Into the documents' rows, over what touches; one COPY and one upsert."""
    tags: dict[int, list[str]] = {}
    for place in places:
        document: Any = place.document
        if document.pk not in tags:
            own = next((row.tags for row in document.predicted if row.model == OCCURRENCES), None)
            tags[document.pk] = list(own) if own else [OUTSIDE] * len(document.token_starts)
        for conflict in place.conflicts:
            if conflict.model == OCCURRENCES:
                _clear(tags[document.pk], conflict.span)
        start, end, label = place.span.start, place.span.end, place.span.label
        tags[document.pk][start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    _store(tags.items())


def _erase(step: Occurrences) -> None:
    rows = Prediction.objects.select_for_update().filter(document__in=set(step.documents), model=OCCURRENCES)
    tags = {row.document_id: list(row.tags) for row in rows.order_by("document_id")}
    wanted = [f"B-{step.label}", *[f"I-{step.label}"] * (len(step.tokens) - 1)]
    for document, start in zip(step.documents, step.starts, strict=True):
        end = start + len(wanted)
        if tags.get(document, [])[start:end] == wanted:
            _clear(tags[document], Span(start, end, step.label))
    _store((document, each) for document, each in tags.items() if set(each) != {OUTSIDE})
    empty = [document for document, each in tags.items() if set(each) == {OUTSIDE}]
    Prediction.objects.filter(document__in=empty, model=OCCURRENCES).delete()


def _clear(tags: list[str], span: Span) -> None:
    tags[span.start : span.end] = [OUTSIDE] * (span.end - span.start)


def _store(rows: Iterable[tuple[int, list[str]]]) -> None:
    store((Predicted(document, tags, [1.0] * len(tags)) for document, tags in rows), model=OCCURRENCES)
