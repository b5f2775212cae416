"""REST doors to the search for wrong labels: parse, call one verb, render."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app.api import queued
from datasets_app.serializers import QueuedSerializer
from labeling.access import project_for
from labeling.models import Role
from labeling.paging import listing
from modelassist import auditing


class Audits(APIView):
    """Searches for wrong labels."""

    @extend_schema(request=None, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Judge all accepted labels by models that never saw them; a job does it."""
        return queued(auditing.start(project_for(request.user, slug, Role.MANAGER), request.user))


class LabelIssues(APIView):
    """Labels that are probably wrong."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, slug: str) -> Response:
        """List what the last audit found and nobody has dealt with, surest first."""
        query = auditing.open_issues(project_for(request.user, slug, Role.REVIEWER))
        return Response(listing(request._request, query, order=("-score", "id"), render=auditing.as_json))


class OneLabelIssue(APIView):
    """A label that is probably wrong."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Dismiss it: the label is right."""
        auditing.dismiss(project_for(request.user, slug, Role.REVIEWER), pk, request.user)
        return Response(status=204)
