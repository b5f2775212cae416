"""REST doors to models and predictions: parse, call one verb, render."""

from collections.abc import Callable
from functools import partial

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app.api import queued
from datasets_app.sending import streamed
from datasets_app.serializers import QueuedSerializer
from labeling.access import project_for
from labeling.api import parsed
from labeling.api_plots import PLOT_FILES, plot_file, plot_list, plot_listing
from labeling.errors import one_of
from labeling.models import Project, Role
from labeling.paging import listing
from labeling.plots import Plot
from labeling.progress import progress
from labeling.progress_plots import PLOTS, person_shown
from modelassist import exams, exporting, learning, matching, plots, preannotate, registry, runs, serializers, serving
from modelassist.access import listed, model_for
from modelassist.models import ModelVersion
from modelassist.plots import LEARNING_CURVE
from modelassist.serializers import (
    PinSerializer,
    SuggestSerializer,
    TaggedTextsSerializer,
    TextsSerializer,
    TrainSerializer,
)


class Models(APIView):
    """A project's models."""

    @extend_schema(
        parameters=[OpenApiParameter("kind", str, enum=ModelVersion.Kind.values, description="Left out: all in use.")],
        responses=serializers.model(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the models, newest first, with their headline figures."""
        query = listed(project_for(request.user, slug, Role.ANNOTATOR), request.query_params.get("kind", ""))
        return Response(listing(request._request, query, order=("-number",), render=registry.summary_json))

    @extend_schema(request=TrainSerializer, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Train one on what is accepted; a job does it."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(TrainSerializer(data=request.data))
        return queued(runs.start(project, request.user, **given))


class OneModel(APIView):
    """A model."""

    @extend_schema(responses=serializers.model())
    def get(self, request: Request, pk: int) -> Response:
        """Read it with all its metrics."""
        return Response(registry.as_json(model_for(request.user, pk, Role.ANNOTATOR)))

    @extend_schema(request=PinSerializer, responses=serializers.model())
    def patch(self, request: Request, pk: int) -> Response:
        """Pin it, so that its files are kept however old it is, or no longer."""
        model = model_for(request.user, pk, Role.MANAGER)
        given = parsed(PinSerializer(data=request.data))
        return Response(registry.as_json(registry.pin(model, request.user, **given)))


class Errors(APIView):
    """What a model got wrong when it was examined."""

    @extend_schema(
        parameters=[
            OpenApiParameter("split", str, enum=["validation", "test"]),
            OpenApiParameter("kind", str, enum=list(matching.ERRORS)),
            OpenApiParameter("label", str, description="Only errors about this label."),
        ],
        responses=serializers.exam_errors(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """List the held-out documents on which it was wrong, with each error."""
        model = model_for(request.user, pk, Role.REVIEWER)
        wanted = {name: request.query_params.get(name, "") for name in ("split", "kind", "label")}
        query = exams.errors_of(model, **wanted)
        return Response(listing(request._request, query, order=("document_id",), render=exams.sheet_json))


class Comparison(APIView):
    """Two models side by side."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: int, other: int) -> Response:
        """Compare them on the documents that both were examined on, by a paired bootstrap."""
        model = model_for(request.user, pk, Role.ANNOTATOR)
        return Response(exams.compare(model, model_for(request.user, other, Role.ANNOTATOR)))


class Export(APIView):
    """A model's files."""

    @extend_schema(
        parameters=[OpenApiParameter("onnx", str, enum=["0", "1"], description="With model.onnx.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Stream a zip that transformers loads, with a model card and its plots; with `onnx=1` as ONNX too."""
        model = model_for(request.user, pk, Role.REVIEWER)
        onnx = one_of("onnx", request.query_params.get("onnx", "0"), ("0", "1")) == "1"
        return streamed(exporting.model(model, onnx=onnx))


class Plots(APIView):
    """A model's plots."""

    @extend_schema(responses=plot_list())
    def get(self, request: Request, pk: int) -> Response:
        """List them with the addresses of their files."""
        model = model_for(request.user, pk, Role.ANNOTATOR)
        return Response(plot_listing(request, plots.of_model(model.labels, model.metrics)))


class OnePlot(APIView):
    """One of a model's plots."""

    @extend_schema(responses=PLOT_FILES)
    def get(self, request: Request, pk: int, name: str, ending: str) -> HttpResponse:
        """Download it as a picture (`svg`, `png`) or its numbers (`csv`)."""
        model = model_for(request.user, pk, Role.ANNOTATOR)
        return plot_file(plots.of_model(model.labels, model.metrics), name, ending)


class Promotion(APIView):
    """A model's place in production."""

    @extend_schema(request=None, responses=serializers.model())
    def post(self, request: Request, pk: int) -> Response:
        """Put it into production, or back into it (roll back); the one that was there is archived."""
        model = registry.promote(model_for(request.user, pk, Role.MANAGER), request.user)
        return Response(registry.as_json(model))


class Progress(APIView):
    """How far a project is."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, slug: str) -> Response:
        """Count by status, split, label, annotator and day; the models' learning curve."""
        project = project_for(request.user, slug, Role.ANNOTATOR)
        return Response(progress(project) | {"learning_curve": learning.curve(project)})


class ProjectPlots(APIView):
    """The plots of how far a project is."""

    @extend_schema(responses=plot_list())
    def get(self, request: Request, slug: str) -> Response:
        """List them with the addresses of their files."""
        return Response(plot_listing(request, (make() for make in _plots(request, slug).values())))


class ProjectPlot(APIView):
    """One of the plots of how far a project is."""

    @extend_schema(responses=PLOT_FILES)
    def get(self, request: Request, slug: str, name: str, ending: str) -> HttpResponse:
        """Download it as a picture (`svg`, `png`) or its numbers (`csv`)."""
        found = _plots(request, slug)
        return plot_file([found[name]()] if name in found else [], name, ending)


def _plots(request: Request, slug: str) -> dict[str, Callable[[], Plot]]:
    """Every plot of a project by its name, each made only when it is asked for."""
    project = project_for(request.user, slug, Role.ANNOTATOR)
    person = person_shown(request.user, project)
    found = {name: partial(make, project, person) for name, make in PLOTS.items()}
    return {**found, LEARNING_CURVE: lambda: _learning_curve(project)}


def _learning_curve(project: Project) -> Plot:
    found = learning.outlook(project)
    return plots.learning_curve(found["points"], found["forecast"])


class Predictions(APIView):
    """Suggestions for what is pending."""

    @extend_schema(request=SuggestSerializer, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Pre-annotate with the production model and order the queue, or with another predictor; a job does it."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(SuggestSerializer(data=request.data))
        return queued(preannotate.start(project, request.user, **given))


class Predict(APIView):
    """The production model, put to texts."""

    @extend_schema(request=TextsSerializer, responses=TaggedTextsSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Tag the texts; nothing is stored."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(TextsSerializer(data=request.data))
        return Response(serving.predict(project, given["texts"]))
