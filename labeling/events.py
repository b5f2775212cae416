"""The append-only record of who did what. Call `record` inside the transaction of the change."""

from typing import Any

from labeling.access import Person
from labeling.models import Document, Event, Project


def record(
    project: Project | None,
    actor: Person | None,
    verb: str,
    *,
    document: Document | int | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Add one event; `verb` is `thing.done`, such as `annotation.submitted`."""
    return Event.objects.create(
        project=project,
        actor_id=actor.pk if actor is not None else None,
        verb=verb,
        document=document.pk if isinstance(document, Document) else document,
        data=data or {},
    )
