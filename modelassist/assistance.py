"""When models work by themselves: a project's settings for it, and what they set off."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from labeling.access import Person
from labeling.events import record
from labeling.models import Project
from modelassist.models import Assistance

SETTINGS = (
    "after_promotion", "after_import", "update_every", "label_drop", "keep_models",
    "random_share", "rare_label_boost", "diversity",
)  # fmt: skip


def assistance_of(project: Project) -> Assistance:
    """The project's settings, or the defaults."""
    return Assistance.objects.filter(project=project).first() or Assistance(project=project)


@transaction.atomic
def change(project: Project, user: Person, changes: Mapping[str, Any]) -> Assistance:
    """Set some of `SETTINGS`; raises `ValidationError` for a value that is out of range."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    settings = assistance_of(project)
    before = {name: getattr(settings, name) for name in SETTINGS}
    for name, value in changes.items():
        setattr(settings, name, value)
    settings.full_clean()
    settings.save()
    different = {name: [before[name], value] for name, value in changes.items() if before[name] != value}
    if different:
        record(project, user, "assistance.changed", data=different)
    return settings


def as_json(settings: Assistance) -> dict[str, Any]:
    """The REST shape."""
    return {name: getattr(settings, name) for name in SETTINGS}
