"""REST doors to the work itself: documents, leases, annotations, acceptance."""

from typing import Any

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling import access, annotate, documents, examples, occurrences, predictions, queue, review, selection
from labeling.api import parsed
from labeling.errors import Invalid
from labeling.models import Annotation, Assignment, Document, Role
from labeling.paging import limit_of, next_url
from labeling.serializers import (
    AcceptSerializer,
    AnnotationShape,
    AssignmentShape,
    ComparisonShape,
    DocumentShape,
    ExamplesShape,
    LabelSerializer,
    LeaseInSerializer,
    OccurrencesInSerializer,
    OccurrencesShape,
    PreviewShape,
    ReturnSerializer,
    SaveSerializer,
    SkipSerializer,
)

FILTERS = [
    OpenApiParameter("status", enum=Document.Status.values),
    OpenApiParameter("split", enum=["train", "validation", "test"]),
    OpenApiParameter("label", description="Documents with a submitted span of this label."),
    OpenApiParameter("q", description="Part of the text, case-insensitive."),
    OpenApiParameter("archived", bool),
    OpenApiParameter("annotator", description="Submitted by this person; for reviewers, as the next three."),
    OpenApiParameter("flagged", bool),
    OpenApiParameter("commented", bool),
    OpenApiParameter("disagreement", bool, description="Submitted annotations differ."),
    OpenApiParameter("below", float, description="Some suggested token is less confident than this."),
    OpenApiParameter(
        "order",
        enum=list(documents.ORDERS),
        description="`unsure` lists the texts with suggestions, the least certain first; `changed` those that were"
        " submitted, decided on or put aside since they came in, the last first.",
    ),
    OpenApiParameter("cursor"),
    OpenApiParameter("limit", int),
]


class Documents(APIView):
    """A project's documents."""

    @extend_schema(parameters=FILTERS, responses=DocumentShape(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """Browse and search."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        params = request.query_params
        sees = _sees_others(request, project)
        found = selection.page_of(
            project, request.user, selection.read(params), order=params.get("order", ""), cursor=params.get("cursor"),
            limit=limit_of(params), shown=lambda query: documents.with_gold(query) if sees else query,
        )  # fmt: skip
        rows = [documents.summary_json(document) for document in found.rows]
        return Response({"results": rows, "next": next_url(_plain(request), found.next)})


def _plain(request: Request) -> HttpRequest:
    return request._request


def _sees_others(request: Request, project: Any) -> bool:
    """Annotators work unseen by each other; reviewers and managers see everybody's annotations."""
    role = access.role_in(request.user, project)
    return role is not None and role.rank >= Role.REVIEWER.rank


class OneDocument(APIView):
    """A document."""

    @extend_schema(responses=DocumentShape)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """Read it: to annotators with their own annotation, to reviewers with everybody's and the newest prediction."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        document = access.document_for(project, pk)
        annotations = document.annotations.select_related("annotator").order_by("id")
        sees_others = _sees_others(request, project)
        if not sees_others:
            annotations = annotations.filter(annotator_id=request.user.pk)
        return Response(
            documents.as_json(document)
            | {
                "annotations": [annotate.as_json(annotation) for annotation in annotations],
                "prediction": predictions.as_json(predictions.current(document)) if sees_others else None,
            }
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Archive it."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        documents.archive(project, request.user, pk)
        return Response(status=204)


class Restoration(APIView):
    """Taking an archived document back in."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Restore it."""
        project = access.project_for(request.user, slug, Role.MANAGER)
        documents.restore(project, request.user, pk)
        return Response(status=204)


class Assignments(APIView):
    """Leases."""

    @extend_schema(request=LeaseInSerializer, responses={200: AssignmentShape, 204: None})
    def post(self, request: Request, slug: str) -> Response:
        """Lease the next document; 204 when none is left."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        given = parsed(LeaseInSerializer(data=request.data))
        assignment = queue.lease(project, request.user, exclude=given["exclude"])
        return Response(status=204) if assignment is None else Response(assignment_json(assignment))


def assignment_json(assignment: Assignment) -> dict[str, Any]:
    """The REST shape of a lease: everything that is needed to label the document."""
    document = assignment.document
    own = document.annotations.select_related("annotator").filter(annotator_id=assignment.annotator_id).first()
    return {
        "assignment": {"id": assignment.pk, "expires_at": assignment.expires_at},
        "document": documents.as_json(document),
        "suggestion": predictions.as_json(predictions.suggestion(document)),
        "annotation": annotate.as_json(own) if own else None,
    }


class OwnAnnotation(APIView):
    """The signed-in person's annotation of a document."""

    @extend_schema(responses=AnnotationShape)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """Read it; 404 before the first save."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        own = access.own_annotation_for(access.document_for(project, pk), request.user)
        return Response(annotate.as_json(own))

    @extend_schema(request=SaveSerializer, responses=AnnotationShape)
    def put(self, request: Request, slug: str, pk: int) -> Response:
        """Save it, as a draft or submitted; 409 with the current row if `revision` is stale."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        given = parsed(SaveSerializer(data=request.data))
        tags = annotate.tags_from(access.document_for(project, pk), given)
        saved = annotate.save(
            project,
            request.user,
            pk,
            tags=tags,
            revision=given["revision"],
            submit=given["state"] == Annotation.State.SUBMITTED,
            seconds=given["seconds"],
            aside=annotate.aside_from(given),
        )
        return Response(annotate.as_json(saved))


class Skip(APIView):
    """Putting a document aside."""

    @extend_schema(request=SkipSerializer, responses={204: None})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Skip it with a reason; it is not served to this person again."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        queue.skip(project, request.user, pk, reason=parsed(SkipSerializer(data=request.data))["reason"])
        return Response(status=204)


class CompareDocument(APIView):
    """What was said about a document, side by side."""

    @extend_schema(responses=ComparisonShape)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """The submitted annotations and the suggestion, aligned, with their differences; and what waits next."""
        project = access.project_for(request.user, slug, Role.REVIEWER)
        compared = review.compare(access.document_for(project, pk))
        return Response(review.as_json(compared) | {"next": review.following(project, pk)})


class Acceptance(APIView):
    """Which annotation is the gold one."""

    @extend_schema(request=AcceptSerializer, responses=AnnotationShape)
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Accept an annotation, or correct it with tags of one's own."""
        project = access.project_for(request.user, slug, Role.REVIEWER)
        given = parsed(AcceptSerializer(data=request.data))
        has_tags = given.get("tags") is not None or given.get("spans") is not None
        if has_tags == ("annotation" in given):
            raise Invalid("Give either the id of an annotation to accept, or the right tags (or spans).")
        seen = review.Seen(**given["seen"]) if "seen" in given else None
        if has_tags:
            tags = annotate.tags_from(access.document_for(project, pk), given)
            gold = review.correct(project, request.user, pk, tags=tags, seen=seen)
        else:
            gold = review.accept(project, request.user, pk, annotation_id=given["annotation"], seen=seen)
        return Response(annotate.as_json(gold))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Take an acceptance back."""
        project = access.project_for(request.user, slug, Role.REVIEWER)
        review.take_back(project, request.user, pk)
        return Response(status=204)


class Return(APIView):
    """Giving an annotation back to its author."""

    @extend_schema(request=ReturnSerializer, responses=AnnotationShape)
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Return it with a note."""
        project = access.project_for(request.user, slug, Role.REVIEWER)
        given = parsed(ReturnSerializer(data=request.data))
        returned = review.give_back(project, request.user, pk, annotation_id=given["annotation"], note=given["note"])
        return Response(annotate.as_json(returned))


class Examples(APIView):
    """What a label is for."""

    @extend_schema(parameters=[OpenApiParameter("label", required=True)], responses=ExamplesShape)
    def get(self, request: Request, slug: str) -> Response:
        """Its definition, and accepted spans in their context."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        name = request.query_params.get("label", "")
        if not name:
            raise Invalid("Say which label: ?label=", details={"field": "label"})
        label = access.label_for(project, name)
        return Response({"label": LabelSerializer(label).data, "examples": examples.of_label(project, label)})


class OccurrencesPreview(APIView):
    """Looking for every occurrence of a sequence of tokens."""

    @extend_schema(request=OccurrencesInSerializer, responses=PreviewShape)
    def post(self, request: Request, slug: str) -> Response:
        """Count them in open documents, with contexts and conflicts; changes nothing."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        given = parsed(OccurrencesInSerializer(data=request.data))
        found = occurrences.preview(project, tokens=given["tokens"], label=given["label"], leave_out=given["document"])
        return Response(found)


class AllOccurrences(APIView):
    """Suggesting a label at every occurrence of a sequence of tokens."""

    @extend_schema(request=OccurrencesInSerializer, responses={201: OccurrencesShape})
    def post(self, request: Request, slug: str) -> Response:
        """Suggest it, in one step."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        given = parsed(OccurrencesInSerializer(data=request.data))
        step = occurrences.suggest(
            project,
            request.user,
            tokens=given["tokens"],
            label=given["label"],
            replace=given["replace"],
            leave_out=given["document"],
        )
        return Response(occurrences.as_json(step), status=201)


class OneOccurrences(APIView):
    """One step of suggesting."""

    @extend_schema(responses=OccurrencesShape)
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Undo it."""
        project = access.project_for(request.user, slug, Role.ANNOTATOR)
        return Response(occurrences.as_json(occurrences.undo(project, request.user, pk)))
