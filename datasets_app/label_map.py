"""What labels of the past are called today: older versions and models keep their meaning through it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from datasets_app.models import Change
from labeling.models import Project

Names = Mapping[str, str | None]  # None: the label is gone, its spans with it


def since(project: Project, moment: datetime, until: datetime | None = None) -> dict[str, str | None]:
    """The labels that were renamed, merged or deleted after `moment` (and up to `until`), with their name now."""
    rows = Change.objects.filter(project=project, created_at__gt=moment, undone_at=None, data__has_key="map")
    if until is not None:
        rows = rows.filter(created_at__lte=until)
    names: dict[str, str | None] = {}
    for step in rows.order_by("pk").values_list("data__map", flat=True):
        names = {old: step.get(new, new) if new is not None else None for old, new in names.items()} | {
            old: new for old, new in step.items() if old not in names
        }
    return {old: new for old, new in names.items() if old != new}


def translated(tags: Sequence[str], names: Names) -> list[str]:
    """Tags with today's names; a span whose label is gone is no span."""
    if not names:
        return list(tags)
    forms = {tag: _form(tag, names) for tag in set(tags)}
    return [forms[tag] for tag in tags]


def _form(tag: str, names: Names) -> str:
    prefix, _, label = tag.partition("-")
    if not label or label not in names:
        return tag
    now = names[label]
    return "O" if now is None else f"{prefix}-{now}"
