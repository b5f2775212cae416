"""REST doors to imports, jobs, versions and exports: parse, call one verb, render."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app import (
    differences,
    export,
    importing,
    job_report,
    jobs,
    pushing,
    sending,
    serializers,
    surveying,
    uploads,
    versions,
)
from datasets_app.access import job_for, jobs_of, upload_for, version_for, versions_of
from datasets_app.codecs import WRITERS
from datasets_app.models import Job
from datasets_app.serializers import ImportSerializer, QueuedSerializer, ReleaseSerializer, VersionInSerializer
from labeling.access import document_for, project_for
from labeling.api import parsed
from labeling.errors import Invalid, one_of
from labeling.models import Project, Role, Split
from labeling.paging import listing

FORM_BYTES = 1_000_000  # what a multipart body may hold beside its file
EXPORT_PARAMETERS = [
    OpenApiParameter("format", str, description=f"{', '.join(WRITERS)}; of a version also parquet and hf."),
    OpenApiParameter("split", str, enum=Split.values, description="Only this split."),
    OpenApiParameter("scheme", str, description="conll: iob2, iob1, bioes, bilou, or original: the file's own."),
]
NOW_PARAMETERS = [
    OpenApiParameter(
        "annotations",
        str,
        enum=export.ANNOTATIONS,
        description="accepted, or everything: all texts with all annotations and suggestions, as jsonl, prodigy or"
        " label_studio.",
    ),
    OpenApiParameter("annotator", str, description="Instead: what the person of this username has submitted."),
]
OF_VERSION = OpenApiParameter("annotator", str, description="Only texts whose gold is this person's annotation.")


def queued(job: Job) -> Response:
    """202 with the job's id."""
    return Response({"job": job.pk}, status=202, headers={"Location": f"/api/v1/jobs/{job.pk}"})


class Surveys(APIView):
    """Looking into a file before there is a project for it."""

    parser_classes = (MultiPartParser, FormParser)

    @extend_schema(
        request={"multipart/form-data": serializers.SurveyInSerializer}, responses=serializers.SurveySerializer
    )
    def post(self, request: Request) -> Response:
        """Tell its format, its labels and its first texts; nothing of it is kept."""
        file = parsed(serializers.SurveyInSerializer(data=request.data))["file"]
        return Response(surveying.survey(file, name=file.name, size=file.size))


class Imports(APIView):
    """Files that come into a project."""

    parser_classes = (MultiPartParser, FormParser)
    takes_files = True

    @extend_schema(request={"multipart/form-data": ImportSerializer}, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Upload a file, or name one that has come in parts, or a dry run; a job imports it."""
        project = project_for(request.user, slug, Role.MANAGER)
        # Before the body is read: a file over the limit is refused without being received.
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_MAX_BYTES + FORM_BYTES:
            raise uploads.too_large()
        given = parsed(ImportSerializer(data=request.data))
        if len(request.FILES.getlist("file")) > 1:
            raise Invalid("Send one file at a time.", details={"field": "file"})
        sources = {name: value for name in ("file", "upload", "location", "job") if (value := given.pop(name, None))}
        if len(sources) != 1:
            raise Invalid("Give a file, an upload, a location, or the job of a dry run.", details={"field": "file"})
        return queued(self._started(request, project, *sources.popitem(), given))

    def _started(self, request: Request, project: Project, kind: str, source: Any, given: dict[str, Any]) -> Job:
        if kind == "file":
            return importing.start(project, request.user, source, name=source.name, **given)
        if kind == "upload":
            return importing.start_uploaded(project, request.user, upload_for(project, source), **given)
        if kind == "location":
            return importing.start_from(project, request.user, source, **given)
        return importing.start_tried(_tried(request, project, source), request.user, **given)


def _tried(request: Request, project: Project, job_id: int) -> Job:
    """The dry run whose file is to be imported, which must be of this project."""
    job = job_for(request.user, job_id, Role.MANAGER)
    if job.project_id != project.pk or not job.params.get("dry_run"):
        raise Invalid(f"Job {job_id} is no dry run of an import into this project.", details={"field": "job"})
    return job


class Jobs(APIView):
    """A project's jobs."""

    @extend_schema(responses=serializers.job(many=True), parameters=[OpenApiParameter("kind", str)])
    def get(self, request: Request, slug: str) -> Response:
        """List the jobs, newest first."""
        query = jobs_of(project_for(request.user, slug, Role.ANNOTATOR))
        if kind := request.query_params.get("kind"):
            query = query.filter(kind=one_of("kind", kind, settings.JOB_KINDS))
        return Response(
            listing(request._request, query, order=("-id",), render=lambda job: job_report.as_json(job, errors=False))
        )


class OneJob(APIView):
    """A job."""

    @extend_schema(responses=serializers.job())
    def get(self, request: Request, pk: int) -> Response:
        """Read its state, progress, result and first errors."""
        return Response(job_report.as_json(job_for(request.user, pk, Role.ANNOTATOR)))

    @extend_schema(responses=serializers.job())
    def delete(self, request: Request, pk: int) -> Response:
        """Cancel it; what it has written stays. Cancelling a job that is over does nothing."""
        job = jobs.cancel(job_for(request.user, pk, Role.MANAGER), request.user)
        return Response(job_report.as_json(job), status=202 if job.state in Job.ACTIVE else 200)


class JobErrors(APIView):
    """All errors of a job."""

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Download them as CSV: line, code, message."""
        return sending.streamed(job_report.errors_csv(job_for(request.user, pk, Role.ANNOTATOR)))


class Versions(APIView):
    """A project's frozen dataset versions."""

    @extend_schema(responses=serializers.version(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """List the versions, newest first."""
        query = versions_of(project_for(request.user, slug, Role.REVIEWER))
        return Response(listing(request._request, query, order=("-number",), render=versions.as_json))

    @extend_schema(request=VersionInSerializer, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Freeze what is accepted now; a job does it."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(VersionInSerializer(data=request.data))
        return queued(versions.freeze(project, request.user, notes=given["notes"]))


class OneVersion(APIView):
    """A version."""

    @extend_schema(responses=serializers.version())
    def get(self, request: Request, pk: int) -> Response:
        """Read its counts, labels, policy and fingerprint."""
        return Response(versions.as_json(version_for(request.user, pk, Role.REVIEWER)))


class VersionRelease(APIView):
    """A version on the Hugging Face Hub."""

    @extend_schema(request=ReleaseSerializer, responses={202: QueuedSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Release it there, where the operator has set a token; a job does it."""
        version = version_for(request.user, pk, Role.MANAGER)
        given = parsed(ReleaseSerializer(data=request.data))
        return queued(pushing.push(version, request.user, **given))


class VersionLeaks(APIView):
    """What of one split of a version stands in another."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> Response:
        """Texts that are the same or nearly so, with examples; entities whose surface was seen, or not."""
        return Response(versions.report(version_for(request.user, pk, Role.REVIEWER))["leaks"])


class VersionDiff(APIView):
    """What changed from one version to another."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int, other: int) -> Response:
        """Documents added, removed, changed or moved to another split; spans added, removed, relabeled, moved."""
        old, new = (version_for(request.user, number, Role.REVIEWER) for number in (pk, other))
        return Response(differences.diff(old, new))


class VersionDiffNow(APIView):
    """What changed since a version."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> Response:
        """The same as between two versions, up to what is accepted now."""
        return Response(differences.diff(version_for(request.user, pk, Role.REVIEWER), None))


class DocumentVersions(APIView):
    """The frozen versions that hold a document."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """The latest of them, newest first, each with what has changed in the document since."""
        document = document_for(project_for(request.user, slug, Role.REVIEWER), pk)
        return Response({"results": differences.of_document(document)})


class ProjectExport(APIView):
    """The project as it is now."""

    @extend_schema(parameters=[*EXPORT_PARAMETERS, *NOW_PARAMETERS], responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Stream what is accepted, what one person has submitted, or everything, in the order in which it came in."""
        project = project_for(request.user, slug, Role.REVIEWER)
        return sending.of_project(project, request.query_params)


class VersionExport(APIView):
    """A frozen version."""

    @extend_schema(parameters=[*EXPORT_PARAMETERS, OF_VERSION], responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Stream it, one of its splits, or what of it is one person's annotation."""
        version = version_for(request.user, pk, Role.REVIEWER)
        return sending.of_version(version, request.query_params)
