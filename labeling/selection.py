"""Which documents are meant: those that the filters of a list match; for the list, its page and what acts on them all.

query = documents_of(project, user, read(request.GET))
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from labeling import documents, paging, remarks
from labeling.access import Person
from labeling.models import Document, Project

TEXTS = ("status", "split", "label", "q", "annotator", "below")
SWITCHES = ("archived", *remarks.SAID)


@dataclass(frozen=True)
class Selection:
    """What a list is narrowed by: the filters that say something, by name, as they stand in an address."""

    filters: Mapping[str, str]

    @property
    def archived(self) -> bool:
        """Whether archived documents are meant, and not the others."""
        return "archived" in self.filters


def read(params: Mapping[str, Any]) -> Selection:
    """From a query string or a body; what is left empty, or switched off, says nothing."""
    texts = {name: str(params.get(name) if params.get(name) is not None else "").strip() for name in TEXTS}
    on = {name: "1" for name in SWITCHES if params.get(name) in ("1", "true", True)}
    return Selection({name: value for name, value in texts.items() if value} | on)


def documents_of(project: Project, user: Person, selection: Selection, *, walking: bool = False) -> QuerySet[Document]:
    """The documents that fit. Raises `Invalid` for an unknown value, `Forbidden` where an annotator asks for others.

    `walking` is for the first rows of a list, as in `documents.search`.
    """
    given = selection.filters
    query = documents.search(
        project,
        status=given.get("status", ""),
        split=given.get("split", ""),
        label=given.get("label", ""),
        text=given.get("q", ""),
        archived=selection.archived,
        walking=walking,
    )
    return remarks.narrow(query, remarks.read(given), project=project, user=user)


def page_of(
    project: Project,
    user: Person,
    selection: Selection,
    *,
    order: str,
    cursor: str | None,
    limit: int = paging.LIMIT,
    shown: Callable[[QuerySet[Document]], QuerySet[Document]] = lambda query: query,
) -> paging.Page[Document]:
    """A page of the documents that fit, in a named order; `shown` adds what is loaded along. Raises as those two."""
    found, columns = documents.in_order(shown(documents_of(project, user, selection)), order)
    if not selection.filters.keys() & {"q", "label"}:
        return paging.page(found, order=columns, cursor=cursor, limit=limit)
    walked, _ = documents.in_order(shown(documents_of(project, user, selection, walking=True)), order)
    every = documents.search(project, status=selection.filters.get("status", ""), archived=selection.archived)
    every, _ = documents.in_order(every, order)
    return paging.page_of_found(found, walked, every, order=columns, cursor=cursor, limit=limit)
