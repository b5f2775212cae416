"""What the REST doors to plots share: listing them, and giving one as a file."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from labeling import drawing
from labeling.errors import NotFound
from labeling.plots import Plot

PLOT_FILES = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in drawing.MEDIA_TYPES.values()}
_Plot = type(
    inline_serializer(
        "Plot",
        {
            "name": serializers.CharField(),
            "title": serializers.CharField(),
            "note": serializers.CharField(),
            "files": serializers.DictField(child=serializers.URLField(), help_text="Ending -> address."),
        },
    )
)


def plot_list() -> serializers.BaseSerializer[Any]:
    """The shape of a list of plots."""
    return _Plot(many=True)


def plot_listing(request: Request, plots: Iterable[Plot]) -> list[dict[str, Any]]:
    """Plots as the door below whose address is asked for lists them."""
    here = request.build_absolute_uri(request.path)
    return [
        {
            "name": plot.name,
            "title": plot.title,
            "note": plot.note,
            "files": {ending: f"{here}/{plot.name}.{ending}" for ending in drawing.MEDIA_TYPES},
        }
        for plot in plots
        if plot.rows
    ]


def plot_file(plots: Iterable[Plot], name: str, ending: str) -> HttpResponse:
    """One of the plots as a file; raises `NotFound` where there is none of that name, `Invalid` for another ending."""
    there = {plot.name: plot for plot in plots if plot.rows}
    if name not in there:
        raise NotFound(f"There is no plot {name!r}; there are: {', '.join(there) or 'none yet'}.")
    body = drawing.file(there[name], ending)
    disposition = f'attachment; filename="{name}.{ending}"'
    return HttpResponse(
        body, content_type=drawing.MEDIA_TYPES[ending], headers={"Content-Disposition": disposition}
    )  # fmt: skip
