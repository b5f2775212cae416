"""How a project's data are curated: what becomes of duplicates, by what splits are made, licence and citation."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from datasets_app import tallies
from datasets_app.models import Curation
from labeling.access import Person
from labeling.errors import Invalid
from labeling.events import record
from labeling.models import Document, Project, Split

FIELDS = ("duplicates", "split_by", "stratify", "license", "citation")
LAST = -1.0  # the priority of a duplicate that waits for its first's spans: behind all that is new


def of(project: Project) -> Curation:
    """The project's curation, or the defaults."""
    return Curation.objects.filter(project=project).first() or Curation(project=project)


@transaction.atomic
def change(project: Project, user: Person, changes: Mapping[str, Any]) -> Curation:
    """Set some of `FIELDS`; it holds for what comes in from now on."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    curation = of(project)
    before = as_json(curation)
    for field, value in changes.items():
        if field not in FIELDS:
            raise Invalid(f"{field!r} is not a setting of the data.", details={"field": field, "allowed": list(FIELDS)})
        setattr(curation, field, value)
    curation.full_clean(exclude=["project"])
    curation.save()
    if changes.get("stratify"):
        tallies.forget(project)
    different = {field: [was, now] for field, was in before.items() if (now := getattr(curation, field)) != was}
    if different:
        record(project, user, "curation.changed", data=different)
    return curation


def as_json(curation: Curation) -> dict[str, Any]:
    """The REST shape."""
    return {field: getattr(curation, field) for field in FIELDS}


def apply(curation: Curation, duplicates: Sequence[int]) -> None:
    """Do with new duplicates what the policy says, in the transaction that brought them in."""
    rows = Document.objects.filter(pk__in=duplicates)
    if not duplicates or curation.duplicates == Curation.Duplicates.KEEP:
        return
    if curation.duplicates == Curation.Duplicates.ARCHIVE:
        rows.update(archived_at=timezone.now())
    else:  # held-out texts keep the random order that they are born with
        rows.filter(split=Split.TRAIN, status=Document.Status.PENDING).update(priority=LAST)
