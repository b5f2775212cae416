"""REST doors to models and predictions: parse, call one verb, render."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets_app.api import queued
from datasets_app.serializers import QueuedSerializer
from labeling.access import project_for
from labeling.api import parsed
from labeling.models import Role
from labeling.paging import listing
from labeling.progress import progress
from modelassist import learning, preannotate, registry, runs, serializers, serving
from modelassist.access import model_for, models_of
from modelassist.serializers import TaggedTextsSerializer, TextsSerializer, TrainSerializer


class Models(APIView):
    """A project's models."""

    @extend_schema(responses=serializers.model(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """List the models, newest first, with their headline figures."""
        query = models_of(project_for(request.user, slug, Role.ANNOTATOR))
        return Response(listing(request._request, query, order=("-number",), render=registry.summary_json))

    @extend_schema(request=TrainSerializer, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Train one on what is accepted; a job does it."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(TrainSerializer(data=request.data))
        return queued(runs.start(project, request.user, given["hyperparameters"]))


class OneModel(APIView):
    """A model."""

    @extend_schema(responses=serializers.model())
    def get(self, request: Request, pk: int) -> Response:
        """Read it with all its metrics."""
        return Response(registry.as_json(model_for(request.user, pk, Role.ANNOTATOR)))


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


class Predictions(APIView):
    """Suggestions for what is pending."""

    @extend_schema(request=None, responses={202: QueuedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Pre-annotate with the production model and order the queue; a job does it."""
        project = project_for(request.user, slug, Role.MANAGER)
        return queued(preannotate.start(project, request.user))


class Predict(APIView):
    """The production model, put to texts."""

    @extend_schema(request=TextsSerializer, responses=TaggedTextsSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Tag the texts; nothing is stored."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(TextsSerializer(data=request.data))
        return Response(serving.predict(project, given["texts"]))
