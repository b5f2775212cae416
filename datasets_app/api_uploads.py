"""REST doors to files that come in parts: begin one, send parts, ask how much is there."""

from io import BytesIO
from typing import Any, BinaryIO, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app import uploads
from datasets_app.access import upload_for
from datasets_app.serializers import UploadInSerializer, UploadSerializer
from labeling.access import project_for
from labeling.api import parsed
from labeling.errors import Invalid
from labeling.models import Role


class Bytes(BaseParser):
    """A body as it is, read as a stream."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The stream itself."""
        return stream


class Uploads(APIView):
    """Files that come in parts."""

    @extend_schema(request=UploadInSerializer, responses={201: UploadSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Begin one."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(UploadInSerializer(data=request.data))
        upload = uploads.begin(project, request.user, **given)
        return Response(uploads.as_json(upload), status=201, headers={"Location": f"{request.path}/{upload.pk}"})


class OneUpload(APIView):
    """A file that comes in parts."""

    parser_classes = (Bytes,)
    takes_files = True

    @extend_schema(responses=UploadSerializer)
    def get(self, request: Request, slug: str, pk: UUID) -> Response:
        """Ask how much of it is there."""
        return Response(uploads.as_json(upload_for(project_for(request.user, slug, Role.MANAGER), pk)))

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("offset", int, required=True, description="Where the part begins.")],
        responses=UploadSerializer,
    )
    def put(self, request: Request, slug: str, pk: UUID) -> Response:
        """Send a part. 409 with the right `offset` if it begins elsewhere; what has arrived of one stays."""
        upload = upload_for(project_for(request.user, slug, Role.MANAGER), pk)
        offset = request.query_params.get("offset", "")
        if not (offset.isascii() and offset.isdecimal() and len(offset) < 20):
            raise Invalid("Say in `offset` where the part begins, in bytes.", details={"field": "offset"})
        part = request.data if hasattr(request.data, "read") else BytesIO()  # a body of no bytes is no stream
        uploads.append(upload, cast(BinaryIO, part), offset=int(offset))
        return Response(uploads.as_json(upload))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, pk: UUID) -> Response:
        """Forget it."""
        uploads.discard(upload_for(project_for(request.user, slug, Role.MANAGER), pk))
        return Response(status=204)
