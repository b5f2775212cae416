"""REST doors to projects, labels, members and tokens: parse, call one verb, render."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListSerializer, Serializer
from rest_framework.views import APIView

from labeling import access, preferences, projects, tokens, trash
from labeling.errors import GoldsetError, Invalid
from labeling.models import Role
from labeling.paging import listing
from labeling.serializers import (
    LabelSerializer,
    MemberInSerializer,
    MemberSerializer,
    ProjectSerializer,
    ShortcutsSerializer,
    SignInSerializer,
    TextSerializer,
)


def parsed(serializer: Serializer[Any]) -> dict[str, Any]:
    """The validated data of a serializer, or a 400 that names the field. What it does not know is refused, too."""
    _require_known(serializer, serializer.initial_data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _require_known(serializer: Any, data: Any, path: str = "") -> None:
    """Raise `Invalid` for a field that nobody reads: else a slip of the pen would change nothing, and say nothing."""
    if isinstance(serializer, ListSerializer):
        for index, each in enumerate(data if isinstance(data, list) else ()):
            _require_known(serializer.child, each, f"{path}[{index}]")
    elif isinstance(serializer, Serializer) and isinstance(data, Mapping):
        fields = serializer.fields
        for name, value in data.items():
            if name not in fields and name != "csrfmiddlewaretoken":
                raise _unknown(f"{path}.{name}" if path else str(name), str(name), fields)
            _require_known(fields.get(name), value, f"{path}.{name}" if path else name)


def _unknown(where: str, name: str, fields: Iterable[str]) -> Invalid:
    near = get_close_matches(name, fields, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else f". Known are: {', '.join(fields)}."
    details = {"field": where, "nearest": near[0] if near else None, "known": list(fields)}
    return Invalid(f"There is no field {where!r} here{meant}", code="unknown_field", details=details)


class BadLogin(GoldsetError):
    """Name and password do not belong together."""

    status, code = 401, "bad_login"


class AuthToken(APIView):
    """Trade a login for a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=SignInSerializer, responses={200: dict})
    def post(self, request: Request) -> Response:
        """Give the person's token, making one if there is none."""
        given = parsed(SignInSerializer(data=request.data))
        user = authenticate(request._request, **given)
        if user is None:
            raise BadLogin("User name and password do not match an active account.")
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})


class Projects(APIView):
    """The person's projects."""

    @extend_schema(responses=ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List projects, by name."""
        query = access.projects_of(request.user).prefetch_related("labels")
        return Response(
            listing(request, query, order=("name", "id"), render=lambda project: ProjectSerializer(project).data)
        )

    @extend_schema(request=ProjectSerializer, responses={201: ProjectSerializer})
    def post(self, request: Request) -> Response:
        """Make a project; its maker becomes its manager."""
        given = parsed(ProjectSerializer(data=request.data))
        project = projects.create(request.user, **given)
        return Response(ProjectSerializer(project).data, status=201)


class OneProject(APIView):
    """A project."""

    @extend_schema(responses=ProjectSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Read it, with its labels."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        return Response(ProjectSerializer(project).data | {"role": access.role_in(request.user, project)})

    @extend_schema(request=ProjectSerializer(partial=True), responses=ProjectSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change settings; labels have an address of their own."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        given = parsed(ProjectSerializer(project, data=request.data, partial=True))
        if given.pop("labels", None) is not None:
            raise Invalid("Change labels at projects/{p}/labels.", details={"field": "labels"})
        return Response(ProjectSerializer(projects.change(project, request.user, given)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Put it into the trash, from which a manager can bring it back."""
        trash.put_away(access.project_for(request.user, slug, Role.MANAGER), request.user)
        return Response(status=204)


class Trash(APIView):
    """Projects in the trash."""

    @extend_schema(responses=ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List those that the person manages, by name."""
        query = trash.trashed_of(request.user).prefetch_related("labels")
        return Response(
            listing(request, query, order=("name", "id"), render=lambda project: ProjectSerializer(project).data)
        )


class ProjectRestoration(APIView):
    """Taking a project out of the trash."""

    @extend_schema(request=None, responses=ProjectSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Bring it back with all that was in it."""
        return Response(ProjectSerializer(trash.take_back(request.user, slug)).data)


class Labels(APIView):
    """A project's labels."""

    @extend_schema(responses=LabelSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """List the labels in their order."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        return Response(
            listing(
                request,
                project.labels.all(),
                order=("position", "id"),
                render=lambda label: LabelSerializer(label).data,
            )
        )

    @extend_schema(request=LabelSerializer, responses={201: LabelSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Add a label."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        given = parsed(LabelSerializer(data=request.data))
        (label,) = projects.add_labels(project, request.user, [given])
        return Response(LabelSerializer(label).data, status=201)


class OneLabel(APIView):
    """A label."""

    @extend_schema(request=LabelSerializer(partial=True), responses=LabelSerializer)
    def patch(self, request: Request, slug: str, name: str) -> Response:
        """Change its color, hotkey, description, position or, while it is unused, its name."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        label = access.label_for(project, name)
        given = parsed(LabelSerializer(label, data=request.data, partial=True))
        return Response(LabelSerializer(projects.change_label(label, request.user, given)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str) -> Response:
        """Delete it, unless an annotation uses it."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        projects.delete_label(access.label_for(project, name), request.user)
        return Response(status=204)


class Members(APIView):
    """A project's people."""

    @extend_schema(responses=MemberSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """List the members."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        return Response(
            listing(
                request,
                access.members_of(project),
                order=("id",),
                render=lambda one: MemberSerializer(one).data,
            )
        )

    @extend_schema(request=MemberInSerializer, responses={201: MemberSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Add a person, or change their role."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        given = parsed(MemberInSerializer(data=request.data))
        member = projects.set_member(
            project,
            request.user,
            username=given["username"],
            role=Role(given["role"]),
            password=given["password"],
        )
        return Response(MemberSerializer(member).data, status=201)

    @extend_schema(request=MemberInSerializer, responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Remove the person named by `username` (in the body or the query); their annotations stay."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        data = request.data if isinstance(request.data, dict) else {}
        username = str(data.get("username") or request.query_params.get("username") or "")
        if not username:
            raise Invalid("Name the member to remove in `username`.", details={"field": "username"})
        projects.remove_member(project, request.user, username=username)
        return Response(status=204)


class Tokens(APIView):
    """How texts are cut."""

    @extend_schema(request=TextSerializer, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The tokens of a text as an import would make them, for each tokenizer: `{words: [{text, start, end}], …}`."""
        text = parsed(TextSerializer(data=request.data))["text"]
        found = {kind: tokens.tokenize(text, kind) for kind in tokens.KINDS}
        return Response(
            {
                kind: [{"text": text[start:end], "start": start, "end": end} for start, end in zip(starts, ends)]
                for kind, (starts, ends) in found.items()
            }
        )


class Shortcuts(APIView):
    """The signed-in person's shortcuts on the annotate page."""

    @extend_schema(responses=ShortcutsSerializer)
    def get(self, request: Request) -> Response:
        """Read what differs from the defaults."""
        return Response({"keys": preferences.keys_of(request.user)})

    @extend_schema(request=ShortcutsSerializer, responses=ShortcutsSerializer)
    def put(self, request: Request) -> Response:
        """Store what shall differ."""
        given = parsed(ShortcutsSerializer(data=request.data))
        return Response({"keys": preferences.set_keys(request.user, given["keys"])})
