"""What the REST doors of models take and give, as DRF serializers: shapes and types, no rules."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from labeling.serializers import SpanSerializer, TokenShape
from modelassist.hyperparameters import NAMES


class TrainSerializer(serializers.Serializer[Any]):
    """How to train. What the hyperparameters may be, `hyperparameters` decides."""

    hyperparameters = serializers.JSONField(
        required=False,
        default=dict,
        help_text=f"Any of {', '.join(NAMES)}; what is left out is chosen to fit the data.",
    )


class TextsSerializer(serializers.Serializer[Any]):
    """Texts to tag."""

    texts = serializers.ListField(child=serializers.CharField(trim_whitespace=False, allow_blank=True), min_length=1)


class TaggedSerializer(serializers.Serializer[Any]):
    """A text with its tags."""

    text = serializers.CharField()
    tokens = TokenShape(many=True)
    tags = serializers.ListField(child=serializers.CharField())
    confidences = serializers.ListField(child=serializers.FloatField())
    spans = SpanSerializer(many=True)


class TaggedTextsSerializer(serializers.Serializer[Any]):
    """The answer of one model."""

    model = serializers.CharField()
    results = TaggedSerializer(many=True)


# Rendered by `registry.as_json`; described here for the API's schema.
_MODEL: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "project": serializers.CharField(),
    "number": serializers.IntegerField(),
    "name": serializers.CharField(help_text="What predictions call it."),
    "state": serializers.CharField(help_text="candidate, production or archived."),
    "dataset_version": inline_serializer(
        "TrainedOn",
        {
            "id": serializers.IntegerField(),
            "number": serializers.IntegerField(),
            "fingerprint": serializers.CharField(),
        },
    ),
    "base_model": serializers.CharField(),
    "hyperparameters": serializers.DictField(),
    "labels": serializers.ListField(child=serializers.CharField(), help_text="The network's classes: O, B-X, I-X, …"),
    "metrics": serializers.DictField(
        help_text="evaluated_on, micro, and (of one model) test and validation with labels and token_report, curve."
    ),
    "promotion": serializers.DictField(help_text="reason, champion, comparison: why it is in production, or not."),
    "job": serializers.IntegerField(allow_null=True),
    "created_at": serializers.DateTimeField(),
    "promoted_at": serializers.DateTimeField(allow_null=True),
}


_Model = type(inline_serializer("Model", _MODEL))  # one class: the schema tells shapes apart by their class


def model(*, many: bool = False) -> serializers.BaseSerializer[Any]:
    """The shape of a model, or of a list of them."""
    return _Model(many=many)


_SPAN: dict[str, Any] = {
    "start": serializers.IntegerField(),
    "end": serializers.IntegerField(),
    "label": serializers.CharField(),
}
_EXAM_ERRORS: dict[str, Any] = {
    "document": serializers.IntegerField(),
    "key": serializers.CharField(),
    "text": serializers.CharField(),
    "split": serializers.CharField(),
    "errors": inline_serializer(
        "ExamError",
        {
            "kind": serializers.CharField(),
            "gold": inline_serializer("GoldSpan", _SPAN, allow_null=True),
            "predicted": inline_serializer("PredictedSpan", _SPAN, allow_null=True),
        },
        many=True,
    ),
}
_ExamErrors = type(inline_serializer("ExamErrors", _EXAM_ERRORS))


def exam_errors(*, many: bool = False) -> serializers.BaseSerializer[Any]:
    """The shape of a document's errors, or of a list of them."""
    return _ExamErrors(many=many)
