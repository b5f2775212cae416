"""The only way to models: scoped by project, strangers and missing rows look alike."""

from django.db.models import QuerySet

from labeling.access import Person, require
from labeling.errors import Conflict, NotFound, one_of
from labeling.models import Project, Role
from modelassist.models import ModelVersion


def models_of(project: Project) -> QuerySet[ModelVersion]:
    """The project's models."""
    return ModelVersion.objects.filter(project=project).select_related("project", "dataset_version", "job__created_by")


def trained_of(project: Project) -> QuerySet[ModelVersion]:
    """The same without the updates of the session, which nobody judges or promotes."""
    return models_of(project).filter(kind=ModelVersion.Kind.TRAINING)


def listed(project: Project, kind: str = "") -> QuerySet[ModelVersion]:
    """The models of a kind, or those that are worth a look: updates that others replaced are not.

    Raises `Invalid` for an unknown kind.
    """
    if kind:
        return models_of(project).filter(kind=one_of("kind", kind, ModelVersion.Kind.values))
    return models_of(project).exclude(kind=ModelVersion.Kind.UPDATE, pruned_at__isnull=False)


def model_for(user: Person, model_id: int, role: Role) -> ModelVersion:
    """The model, if the person has at least `role` in its project."""
    rows = ModelVersion.objects.select_related("project", "dataset_version", "job__created_by")
    model = rows.filter(pk=model_id).first()
    if model is None:
        raise NotFound("There is nothing at this address, or you may not see it.")
    require(user, model.project, role)
    return model


def production_of(project: Project) -> ModelVersion | None:
    """The model that is in use, if there is one."""
    return models_of(project).filter(state=ModelVersion.State.PRODUCTION).first()


def require_production(project: Project) -> ModelVersion:
    """The model that is in use; raises `Conflict` where there is none."""
    model = production_of(project)
    if model is None:
        raise Conflict(
            f"{project.slug} has no model in production yet; train one, or promote a candidate.",
            code="no_production_model",
            details={"project": project.slug},
        )
    return model
