"""The only way to jobs and versions: scoped by project, strangers and missing rows look alike."""

from uuid import UUID

from django.db.models import QuerySet

from datasets_app.models import Change, DatasetVersion, Job, Upload
from labeling.access import Person, require
from labeling.errors import NotFound
from labeling.models import Project, Role

_NOTHING = "There is nothing at this address, or you may not see it."


def jobs_of(project: Project) -> QuerySet[Job]:
    """The project's jobs."""
    return Job.objects.filter(project=project)


def job_for(user: Person, job_id: int, role: Role) -> Job:
    """The job, if the person has at least `role` in its project; one without a project is its maker's."""
    job = Job.objects.select_related("project").filter(pk=job_id).first()
    if job is None:
        raise NotFound(_NOTHING)
    if job.project is not None:
        require(user, job.project, role)
    elif job.created_by_id != user.pk and not getattr(user, "is_superuser", False):
        raise NotFound(_NOTHING)
    return job


def upload_for(project: Project, upload_id: UUID) -> Upload:
    """The upload of this project, whoever began it."""
    upload = Upload.objects.filter(project=project, pk=upload_id).first()
    if upload is None:
        raise NotFound(_NOTHING)
    return upload


def change_for(user: Person, change_id: int, role: Role) -> Change:
    """The change, if the person has at least `role` in its project."""
    change = Change.objects.select_related("project", "created_by", "undone_by").filter(pk=change_id).first()
    if change is None:
        raise NotFound(_NOTHING)
    require(user, change.project, role)
    return change


def versions_of(project: Project) -> QuerySet[DatasetVersion]:
    """The project's dataset versions."""
    return DatasetVersion.objects.filter(project=project).select_related("created_by", "project")


def version_for(user: Person, version_id: int, role: Role) -> DatasetVersion:
    """The version, if the person has at least `role` in its project."""
    rows = DatasetVersion.objects.select_related("project", "created_by")
    version = rows.filter(pk=version_id).first()
    if version is None:
        raise NotFound(_NOTHING)
    require(user, version.project, role)
    return version
