"""A download on its way to a browser or a script: as an answer that streams, from the options of an address."""

from collections.abc import Mapping
from typing import Any

from django.http import StreamingHttpResponse

from datasets_app import export
from datasets_app.export import Download
from datasets_app.models import DatasetVersion
from labeling.models import Project

Params = Mapping[str, Any]


def streamed(download: Download) -> StreamingHttpResponse:
    """A file to save."""
    response = StreamingHttpResponse(download.chunks, content_type=download.media_type)
    response["Content-Disposition"] = f'attachment; filename="{download.name}"'
    return response


def of_project(project: Project, params: Params) -> StreamingHttpResponse:
    """The project as it is now; raises `Invalid` for what cannot be exported so."""
    return streamed(export.project_now(project, **_options(params)))


def of_version(version: DatasetVersion, params: Params) -> StreamingHttpResponse:
    """A frozen version, or a part of it; raises `Invalid` for what cannot be exported so."""
    return streamed(export.frozen(version, **_options(params)))


def _options(params: Params) -> dict[str, Any]:
    return {
        "format": params.get("format") or "conll",
        "split": params.get("split") or None,
        "scheme": params.get("scheme") or "iob2",
        "annotations": params.get("annotations") or "accepted",
        "annotator": params.get("annotator") or None,
    }
