"""The trash of projects: out of everybody's sight, and back again with all that was in it."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.access import Person, require_role
from labeling.errors import NotFound
from labeling.events import record
from labeling.models import Membership, Project, Role


@transaction.atomic
def put_away(project: Project, user: Person) -> None:
    """Put a project into the trash. Nothing of it is served, exported or trained on until it comes back."""
    changed = Project.objects.filter(pk=project.pk, trashed_at=None).update(trashed_at=timezone.now())
    if changed:
        record(project, user, "project.trashed")


def trashed_of(user: Person) -> QuerySet[Project]:
    """The projects in the trash that the person manages, by name."""
    query = Project.objects.exclude(trashed_at=None).order_by("name", "id")
    if user.is_superuser and user.is_active:
        return query
    managed = Membership.objects.filter(user_id=user.pk, role=Role.MANAGER).values("project")
    return query.filter(pk__in=managed)


@transaction.atomic
def take_back(user: Person, slug: str) -> Project:
    """Bring a project back; repeating is harmless. Raises `NotFound` for a stranger, `Forbidden` for a lower role."""
    project = Project.objects.select_for_update().filter(slug=slug).first()
    if project is None:
        raise NotFound(f"There is no project {slug!r} in the trash.", details={"project": slug})
    require_role(user, project, Role.MANAGER)
    if project.trashed_at is not None:
        project.trashed_at = None
        project.save(update_fields=["trashed_at"])
        record(project, user, "project.restored")
    return project
