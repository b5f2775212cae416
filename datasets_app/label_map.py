"""What labels of the past are called today: older versions and models keep their meaning through it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from datasets_app.models import Change
from labeling.models import Project

Names = Mapping[str, str | None]  # None: the label is gone, its spans with it


def since(project: Project, moment: datetime, until: datetime | None = None) -> dict[str, str | None]:
    """The labels that were renamed, merged or deleted after `moment` (and up to `until`), with their name now."""
    names: dict[str, str | None] = {}
    for step in _steps(project, moment, until or timezone.now()):
        names = {old: step.get(new, new) if new is not None else None for old, new in names.items()} | {
            old: new for old, new in step.items() if old not in names
        }
    return {old: new for old, new in names.items() if old != new}


def _steps(project: Project, moment: datetime, until: datetime) -> Iterator[Names]:
    """What happened to labels in that time, in order. What was done and undone within it did not happen."""
    happened: list[tuple[datetime, Names]] = []
    changes = Change.objects.filter(Q(created_at__gt=moment) | Q(undone_at__gt=moment), project=project)
    for change in changes.filter(data__has_key="map"):
        done = moment < change.created_at <= until
        undone = change.undone_at is not None and moment < change.undone_at <= until
        if done and not undone:
            happened.append((change.created_at, change.data["map"]))
        elif undone and not done and change.undone_at is not None and change.kind == "label.renamed":
            happened.append((change.undone_at, {new: old for old, new in change.data["map"].items()}))
    yield from (names for _, names in sorted(happened, key=lambda step: step[0]))
