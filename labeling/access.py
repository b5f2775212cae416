"""The only way to rows: scoped by project, so that a stranger and a missing row look alike.

Every door begins with `project_for(user, slug, role)`; what it then reaches is filtered by that project.
"""

from typing import Any, Protocol, TypeVar

from django.db.models import Model, QuerySet

from labeling.errors import Forbidden, NotFound
from labeling.models import Annotation, Document, Event, Label, Membership, Occurrences, Project, Role

Row = TypeVar("Row", bound=Model)
_NOTHING = "There is nothing at this address, or you may not see it."


class Person(Protocol):
    """Whoever asks: a user, or nobody in particular."""

    @property
    def pk(self) -> Any:
        """The account's id; None for nobody."""

    @property
    def is_active(self) -> bool:
        """Whether the account may be used."""

    @property
    def is_superuser(self) -> bool:
        """Whether the account is an operator's."""


def projects_of(user: Person) -> QuerySet[Project]:
    """The projects that a person may open, by name. Superusers act as managers of every project."""
    query = Project.objects.filter(trashed_at=None).order_by("name", "id")
    return query if _is_superuser(user) else query.filter(memberships__user_id=user.pk)


def project_for(user: Person, slug: str, role: Role) -> Project:
    """The project, if the person has at least `role` in it; else `NotFound` (stranger) or `Forbidden` (member)."""
    project = projects_of(user).filter(slug=slug).first()
    if project is None:
        raise NotFound(f"There is no project {slug!r}, or you are not a member of it.", details={"project": slug})
    require(user, project, role)
    return project


def require(user: Person, project: Project, role: Role) -> None:
    """Raise `Forbidden` unless the member has at least `role`, `NotFound` for a stranger or a project in the trash."""
    if project.trashed_at is not None:
        raise NotFound(_NOTHING)
    require_role(user, project, role)


def require_role(user: Person, project: Project, role: Role) -> None:
    """The same for a project that may lie in the trash."""
    has = role_in(user, project)
    if has is None:
        raise NotFound(_NOTHING)
    if has.rank < role.rank:
        raise Forbidden(
            f"This needs the role {role.value}; yours in {project.slug} is {has.value}.",
            details={"needed": role.value, "role": has.value},
        )


def role_in(user: Person, project: Project) -> Role | None:
    """A person's role in a project; None for a stranger."""
    if _is_superuser(user):
        return Role.MANAGER
    found = Membership.objects.filter(project=project, user_id=user.pk).values_list("role", flat=True).first()
    return Role(found) if found else None


def _is_superuser(user: Person) -> bool:
    return user.is_superuser and user.is_active


def documents_in(project: Project) -> QuerySet[Document]:
    """The project's documents, archived ones included."""
    return Document.objects.filter(project=project)


def document_for(project: Project, document_id: int, *, lock: bool = False) -> Document:
    """A document of the project; `lock` keeps others from deciding about it until the transaction ends."""
    query = documents_in(project)
    if lock:
        query = query.select_for_update()
    return _one(query, f"There is no document {document_id} in {project.slug}.", pk=document_id)


def annotation_for(document: Document, annotation_id: int) -> Annotation:
    """An annotation of the document."""
    query = document.annotations.select_related("annotator")
    return _one(query, f"Document {document.pk} has no annotation {annotation_id}.", pk=annotation_id)


def own_annotation_for(document: Document, user: Person) -> Annotation:
    """The person's own annotation of the document."""
    query = document.annotations.select_related("annotator")
    return _one(query, f"You have no annotation of document {document.pk} yet.", annotator_id=user.pk)


def occurrences_for(project: Project, pk: int) -> Occurrences:
    """A step of suggesting all occurrences, locked until the transaction ends."""
    query = project.occurrences.select_for_update()
    return _one(query, f"There is no such step {pk} in {project.slug}.", pk=pk)


def label_for(project: Project, name: str) -> Label:
    """A label of the project by its name."""
    return _one(project.labels.all(), f"There is no label {name!r} in {project.slug}.", name=name)


def members_of(project: Project) -> QuerySet[Membership]:
    """The members with their accounts, by name."""
    return project.memberships.select_related("user").order_by("user__username")


def events_of(project: Project) -> QuerySet[Event]:
    """The project's history, newest first."""
    return project.events.select_related("actor").order_by("-id")


def _one(query: QuerySet[Row], complaint: str, **lookup: Any) -> Row:
    row = query.filter(**lookup).first()
    if row is None:
        raise NotFound(complaint)
    return row
