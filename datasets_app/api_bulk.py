"""REST doors to what is done to many documents at once: parse, call one verb, render."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app import bulk, changes, serializers
from datasets_app.api import queued
from datasets_app.models import Change
from datasets_app.serializers import OrderSerializer, QueuedSerializer
from labeling.access import project_for
from labeling.api import parsed
from labeling.models import Role


def _given(request: Request) -> tuple[bulk.Order, int | None]:
    given: dict[str, Any] = parsed(OrderSerializer(data=request.data))
    expected = given.pop("expected")
    return bulk.Order(**given), expected


class BulkPreview(APIView):
    """Looking before doing."""

    @extend_schema(request=OrderSerializer, responses=serializers.BulkPreviewSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Tell what it would touch and what it would leave out; changes nothing."""
        project = project_for(request.user, slug, Role.MANAGER)
        order, _ = _given(request)
        return Response(bulk.preview(project, request.user, order))


class Bulk(APIView):
    """What is done to many documents at once."""

    @extend_schema(request=OrderSerializer, responses={200: serializers.ChangeSerializer, 202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Archive, restore, set to review or assign, as a change that can be undone; as a job where it touches many."""
        project = project_for(request.user, slug, Role.MANAGER)
        order, expected = _given(request)
        done = bulk.act(project, request.user, order, expected=expected)
        return Response(changes.as_json(done)) if isinstance(done, Change) else queued(done)
