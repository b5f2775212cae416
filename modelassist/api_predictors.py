"""REST doors to what suggests beside the models, and to when models work by themselves."""

from collections.abc import Mapping

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.access import project_for
from labeling.api import parsed
from labeling.errors import Invalid
from labeling.models import Role
from labeling.paging import listing
from modelassist import assistance, patterns, predictors
from modelassist.models import Predictor
from modelassist.serializers import (
    AssistanceSerializer,
    PredictorOptionsSerializer,
    PredictorSerializer,
    RulesSerializer,
)


def _options(given: object) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise Invalid("options must be an object.", details={"field": "options"})
    return given


class Predictors(APIView):
    """A project's predictors beside its models."""

    @extend_schema(responses=PredictorSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """List them."""
        project = project_for(request.user, slug, Role.MANAGER)
        query = Predictor.objects.filter(project=project)
        return Response(listing(request._request, query, order=("id",), render=predictors.as_json))

    @extend_schema(request=PredictorSerializer, responses={201: PredictorSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Set one up."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(PredictorSerializer(data=request.data))
        given["options"] = _options(given["options"])
        return Response(predictors.as_json(predictors.add(project, request.user, **given)), status=201)


class OnePredictor(APIView):
    """A predictor."""

    @extend_schema(responses=PredictorSerializer)
    def get(self, request: Request, slug: str, name: str) -> Response:
        """Read it."""
        project = project_for(request.user, slug, Role.MANAGER)
        return Response(predictors.as_json(predictors.predictor_of(project, name)))

    @extend_schema(request=PredictorOptionsSerializer, responses=PredictorSerializer)
    def patch(self, request: Request, slug: str, name: str) -> Response:
        """Give it new options."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(PredictorOptionsSerializer(data=request.data))
        changed = predictors.change(predictors.predictor_of(project, name), request.user, _options(given["options"]))
        return Response(predictors.as_json(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str) -> Response:
        """Take it away; what it has suggested stays."""
        project = project_for(request.user, slug, Role.MANAGER)
        predictors.remove(predictors.predictor_of(project, name), request.user)
        return Response(status=204)


class PatternCount(APIView):
    """What rules would mark."""

    @extend_schema(request=RulesSerializer, responses={200: dict})
    def post(self, request: Request, slug: str) -> Response:
        """Count it among the first pending texts; nothing is stored."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(RulesSerializer(data=request.data))
        return Response(predictors.count(project, patterns.of_json(given["rules"])))


class AssistanceSettings(APIView):
    """When models work by themselves."""

    @extend_schema(responses=AssistanceSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Read the settings."""
        project = project_for(request.user, slug, Role.ANNOTATOR)
        return Response(assistance.as_json(assistance.assistance_of(project)))

    @extend_schema(request=AssistanceSerializer, responses=AssistanceSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change some."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = parsed(AssistanceSerializer(data=request.data))
        return Response(assistance.as_json(assistance.change(project, request.user, given)))
