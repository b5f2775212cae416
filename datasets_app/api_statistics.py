"""REST doors to a project's statistics and its consistency board: parse, call one verb, render."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app import consistency, describing, statistics_plots
from datasets_app.api import queued
from datasets_app.serializers import FixSerializer, QueuedSerializer
from labeling.access import project_for
from labeling.api import parsed
from labeling.api_plots import PLOT_FILES, plot_file, plot_list, plot_listing
from labeling.models import Project, Role
from labeling.pages import colors_of
from labeling.plots import Plot


def counted(project: Project, part: str) -> dict[str, Any]:
    """`{counted_at, <part>}` of the last counting; null before the first."""
    found = describing.latest(project)
    return {"counted_at": found and found.counted_at, part: found and getattr(found, part)}


class StatisticsNow(APIView):
    """What a project's gold is like."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Read what was counted last: labels, lengths, density, surfaces, scripts, what is not labeled."""
        return Response(counted(project_for(request.user, slug, Role.REVIEWER), "statistics"))

    @extend_schema(request=None, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Count anew, for the statistics and the consistency board; a job does it."""
        return queued(describing.start(project_for(request.user, slug, Role.REVIEWER), request.user))


class StatisticsPlots(APIView):
    """The plots of what a project's gold is like."""

    @extend_schema(responses=plot_list())
    def get(self, request: Request, slug: str) -> Response:
        """List them with the addresses of their files, as they were counted last."""
        return Response(plot_listing(request, _plots(request, slug)))


class StatisticsPlot(APIView):
    """One of the plots of what a project's gold is like."""

    @extend_schema(responses=PLOT_FILES)
    def get(self, request: Request, slug: str, name: str, ending: str) -> HttpResponse:
        """Download it as a picture (`svg`, `png`) or its numbers (`csv`)."""
        return plot_file(_plots(request, slug), name, ending)


def _plots(request: Request, slug: str) -> list[Plot]:
    project = project_for(request.user, slug, Role.REVIEWER)
    found = describing.latest(project)
    return statistics_plots.of_statistics(found.statistics, colors_of(project)) if found else []


class Consistency(APIView):
    """Surfaces that are labeled in different ways, or here and not there."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """Read what was counted last, those with the most that differ first."""
        return Response(counted(project_for(request.user, slug, Role.REVIEWER), "board"))


class Contexts(APIView):
    """The places of a surface."""

    @extend_schema(parameters=[OpenApiParameter("surface", str, required=True)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str) -> Response:
        """List the first places of it in gold texts, each with its label and what stands around it."""
        project = project_for(request.user, slug, Role.REVIEWER)
        return Response({"results": consistency.contexts(project, request.query_params.get("surface", ""))})


class Fixes(APIView):
    """Labeling a surface alike everywhere."""

    @extend_schema(request=FixSerializer, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Make it corrections or suggestions, as a change that can be undone; a job does it."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(FixSerializer(data=request.data))
        return queued(consistency.fix(project, request.user, **given))
