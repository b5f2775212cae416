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
    search_minutes = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        help_text="First look for good values of what is left open, for so long; 0: not. Needs Optuna.",
    )


class PinSerializer(serializers.Serializer[Any]):
    """Whether a model's files are kept."""

    pinned = serializers.BooleanField()


class SuggestSerializer(serializers.Serializer[Any]):
    """Who suggests."""

    predictor = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="One of the project's predictors; else the model."
    )


class PredictorSerializer(serializers.Serializer[Any]):
    """Something beside the trained models that suggests."""

    name = serializers.RegexField(r"^[a-z0-9][a-z0-9-]*$", max_length=80)
    kind = serializers.CharField(max_length=40, help_text="patterns, http, or one that another package brings.")
    options = serializers.JSONField(
        required=False,
        default=dict,
        help_text="patterns: {rules: [{label, pattern, is_regex?, ignore_case?}]}; http: {url, token?, timeout?}.",
    )
    created_at = serializers.DateTimeField(read_only=True)


class PredictorOptionsSerializer(serializers.Serializer[Any]):
    """New options of a predictor, in place of all old ones."""

    options = serializers.JSONField()


class RulesSerializer(serializers.Serializer[Any]):
    """Rules to try."""

    rules = serializers.JSONField(help_text="[{label, pattern, is_regex?, ignore_case?}]")


class AssistanceSerializer(serializers.Serializer[Any]):
    """When the models work by themselves."""

    after_promotion = serializers.BooleanField(required=False)
    after_import = serializers.BooleanField(required=False)
    update_every = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    label_drop = serializers.FloatField(required=False, min_value=0, max_value=1)
    keep_models = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    random_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    rare_label_boost = serializers.FloatField(required=False, min_value=0, max_value=10)
    diversity = serializers.BooleanField(required=False)


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
    "kind": serializers.CharField(help_text="training, or update: one for suggestions only, made within the session."),
    "pinned": serializers.BooleanField(help_text="Its files are kept."),
    "pruned_at": serializers.DateTimeField(allow_null=True, help_text="When its files were removed."),
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
    "promotion": serializers.DictField(
        help_text="reason, champion, comparison, labels: why it is in production, or not."
    ),
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
