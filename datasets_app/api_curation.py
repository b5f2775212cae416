"""REST doors to how data are curated: settings and groups of duplicates: parse, call one verb, render."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app import curation, describing, duplicates, erasure, serializers
from datasets_app.api import queued
from datasets_app.serializers import CurationSerializer, ErasureSerializer, QueuedSerializer
from labeling.access import project_for
from labeling.api import parsed
from labeling.models import Role
from labeling.paging import listing


class Erasure(APIView):
    """Erasing a document for good."""

    @extend_schema(request=ErasureSerializer, responses={204: None})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Leave nothing of its text but a tombstone, in frozen versions too. This cannot be undone."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(ErasureSerializer(data=request.data))
        erasure.erase(project, request.user, pk, reason=given["reason"])
        return Response(status=204)


class CurationSettings(APIView):
    """How a project's data are curated."""

    @extend_schema(responses=CurationSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Read the policy for duplicates, the key of splits, license and citation."""
        return Response(curation.as_json(curation.of(project_for(request.user, slug, Role.ANNOTATOR))))

    @extend_schema(request=CurationSerializer(partial=True), responses=CurationSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change some of them; it holds for what comes in from now on."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(CurationSerializer(data=request.data, partial=True))
        return Response(curation.as_json(curation.change(project, request.user, given)))


class Duplicates(APIView):
    """A project's groups of exact and near duplicates."""

    @extend_schema(
        responses=serializers.DuplicateGroupSerializer(many=True),
        parameters=[OpenApiParameter("across", bool, description="Only groups in more than one split.")],
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the groups, each with its first members."""
        project = project_for(request.user, slug, Role.REVIEWER)
        query = duplicates.groups(project, across=request.query_params.get("across") in ("1", "true"))
        return Response(listing(request._request, query, order=("id",), render=duplicates.as_json))

    @extend_schema(request=None, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Look for duplicates among all texts; a job does it. What an import brings is looked at as it comes in."""
        return queued(duplicates.find(project_for(request.user, slug, Role.MANAGER), request.user))


class ProjectLeaks(APIView):
    """What of one split stands in another, of all that is in the project now."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Texts that are the same or nearly so, labeled or not, with examples; entities as they were counted last."""
        return Response(describing.leaks_now(project_for(request.user, slug, Role.REVIEWER)))
