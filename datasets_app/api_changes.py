"""REST doors to changes of many annotations at once, and to taking them back: parse, call one verb, render."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app import changes, label_operations, label_splits, restoring, serializers, undoing
from datasets_app.access import change_for, version_for
from datasets_app.api import queued
from datasets_app.serializers import (
    LabelOperationSerializer,
    LabelSplitSerializer,
    QueuedSerializer,
    RestorationSerializer,
)
from labeling.access import project_for
from labeling.api import parsed
from labeling.models import Role
from labeling.paging import listing


class Changes(APIView):
    """A project's changes that can be undone in one step."""

    @extend_schema(responses=serializers.ChangeSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """List the changes, newest first."""
        query = changes.changes_of(project_for(request.user, slug, Role.REVIEWER))
        return Response(listing(request._request, query, order=("-id",), render=changes.as_json))


class Undo(APIView):
    """Taking a change back."""

    @extend_schema(request=None, responses=serializers.ChangeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Put back what was before. Refused (409) where somebody has worked on one of its documents since."""
        change = change_for(request.user, pk, Role.MANAGER)
        return Response(changes.as_json(undoing.undo(change, request.user)))


class LabelOperations(APIView):
    """Safe operations on labels, each undone in one step."""

    @extend_schema(parameters=[OpenApiParameter("label", str, required=True)], responses=serializers.TouchedSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Tell what an operation on the label would touch."""
        project = project_for(request.user, slug, Role.MANAGER)
        return Response(label_operations.touches(project, request.query_params.get("label", "")))

    @extend_schema(request=LabelOperationSerializer, responses=serializers.ChangeSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Rename, merge, delete, retire, reinstate or recolor a label. Versions keep it as it was."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(LabelOperationSerializer(data=request.data))
        return Response(changes.as_json(label_operations.operate(project, request.user, **given)))


class LabelSplits(APIView):
    """Splitting a label by a rule."""

    @extend_schema(request=LabelSplitSerializer, responses={200: OpenApiTypes.OBJECT, 202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Give spans of a label, by their surface, another label; a job does it. With `preview`, tell which ones."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(LabelSplitSerializer(data=request.data))
        label, only_look = given.pop("label"), given.pop("preview")
        if only_look:
            rule = label_splits.Rule(surfaces=given["surfaces"], pattern=given["pattern"])
            return Response(label_splits.preview(project, label, rule))
        return queued(label_splits.start(project, request.user, label, **given))


class Restoration(APIView):
    """Bringing back the gold of a version."""

    @extend_schema(request=RestorationSerializer, responses={200: serializers.ChangeSerializer, 202: QueuedSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Of one `document`, at once; of all its documents without it, as a job. Either can be undone."""
        version = version_for(request.user, pk, Role.REVIEWER)
        document = parsed(RestorationSerializer(data=request.data)).get("document")
        if document is not None:
            return Response(changes.as_json(restoring.restore_document(version, request.user, document)))
        version = version_for(request.user, pk, Role.MANAGER)
        return queued(restoring.start(version, request.user))
