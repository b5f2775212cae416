"""What the REST doors of labelling take and give, as DRF serializers: shapes and types, no rules."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from labeling.models import Annotation, Document, Label, Membership, Project, Role


class LabelSerializer(serializers.ModelSerializer[Label]):
    """A label as clients see it."""

    color = serializers.CharField(required=False, allow_blank=True, default="", max_length=7)
    hotkey = serializers.CharField(required=False, allow_blank=True, default="", max_length=1)

    class Meta:
        model = Label
        fields = ["name", "color", "hotkey", "description", "position", "retired"]
        read_only_fields = ["retired"]
        extra_kwargs = {"position": {"required": False}}


class SplitsSerializer(serializers.Serializer[Any]):
    """The shares of new documents for validation and test; the rest is train."""

    validation = serializers.FloatField(min_value=0, max_value=0.45, default=0.1)
    test = serializers.FloatField(min_value=0, max_value=0.45, default=0.1)
    train = serializers.FloatField(required=False, help_text="What is left; accepted and checked, not needed.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The three shares, where all are given, add up to one."""
        train = attrs.pop("train", None)
        if train is not None and (len(attrs) < 2 or abs(train + sum(attrs.values()) - 1) > 1e-6):
            raise serializers.ValidationError("train, validation and test must all be given and add up to 1.")
        return attrs


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A project with its settings."""

    labels = LabelSerializer(many=True, required=False)
    splits = SplitsSerializer(required=False, write_only=True)
    role = serializers.CharField(read_only=True, help_text="Yours in it, where one project is read.")

    class Meta:
        model = Project
        fields = [
            "slug", "name", "guidelines", "tokenizer", "overlap", "review", "open_suggestions", "lease_minutes",
            "splits", "query_strategy", "held_out_rate", "base_model", "retrain_hour", "retrain_min_new",
            "labels", "role", "created_at",
        ]  # fmt: skip
        read_only_fields = ["slug", "created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Unfold `splits` into the project's own fields; a share that a change leaves out stays."""
        for name, share in attrs.pop("splits", {}).items():
            attrs[f"{name}_share"] = share
        return attrs

    def to_representation(self, instance: Project) -> dict[str, Any]:
        """Fold the shares into `splits` again."""
        shown = super().to_representation(instance)
        validation, test = instance.validation_share, instance.test_share
        shown["splits"] = {"train": round(1 - validation - test, 6), "validation": validation, "test": test}
        return shown


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A member as clients see them."""

    username = serializers.CharField(source="user.username", max_length=150)
    role = serializers.ChoiceField(Role.choices, default=Role.ANNOTATOR)

    class Meta:
        model = Membership
        fields = ["username", "role"]


class MemberInSerializer(serializers.Serializer[Any]):
    """A person to add or to give another role."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(Role.choices, default=Role.ANNOTATOR)
    password = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Makes the account; administrators only."
    )


class SignInSerializer(serializers.Serializer[Any]):
    """A login."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(trim_whitespace=False, max_length=4096)


class TextSerializer(serializers.Serializer[Any]):
    """A text to be cut."""

    text = serializers.CharField(trim_whitespace=False, allow_blank=True, max_length=20_000)


class ShortcutsSerializer(serializers.Serializer[Any]):
    """Changed shortcuts of the annotate page."""

    keys = serializers.DictField(child=serializers.CharField(trim_whitespace=False), help_text="command -> key")


class LeaseInSerializer(serializers.Serializer[Any]):
    """What to leave out when the next document is leased."""

    exclude = serializers.ListField(
        child=serializers.IntegerField(), required=False, default=list, max_length=50,
        help_text="Ids of documents that the client holds already, to fetch others ahead.",
    )  # fmt: skip


class SpanSerializer(serializers.Serializer[Any]):
    """A half-open range of token indices with a label."""

    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=1)
    label = serializers.CharField(max_length=100)  # type: ignore[assignment]  # a field's name, not its caption


class RejectedSerializer(SpanSerializer):
    """A suggested span that a person rejected, as it is given out: whose it was is taken back, and not read."""

    model = serializers.CharField(max_length=100, required=False)
    confidence = serializers.FloatField(required=False, allow_null=True)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class TagListField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of strings, checked in one pass: a document may have 20,000 tokens."""

    def to_internal_value(self, data: Any) -> list[str]:
        """The list as it is, or a complaint that names the first place that is no string."""
        if not isinstance(data, list):
            raise serializers.ValidationError("This must be a list with one tag (a string) per token.")
        wrong = next((index for index, tag in enumerate(data) if not isinstance(tag, str)), None)
        if wrong is not None:
            raise serializers.ValidationError(f"Item {wrong} is {data[wrong]!r}; a tag is a string such as 'O'.")
        return data

    def to_representation(self, value: list[str]) -> list[str]:
        """The list as it is."""
        return value


class TagsSerializer(serializers.Serializer[Any]):
    """Tags, or spans in their place."""

    tags = TagListField(required=False)
    spans = SpanSerializer(many=True, required=False)


class SaveSerializer(TagsSerializer):
    """An annotation to save."""

    revision = serializers.IntegerField(min_value=0, default=0, help_text="The one last seen; 0 for the first save.")
    state = serializers.ChoiceField(["draft", "submitted"], default="draft")
    seconds = serializers.FloatField(
        min_value=0, max_value=86_400, default=0, help_text="Active work since the last save; added up."
    )
    rejected = RejectedSerializer(
        many=True, required=False, help_text="Suggested spans that the person rejected; others are ignored."
    )
    suggested_by = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Whose suggestions were shown; blank for none."
    )
    flagged = serializers.BooleanField(required=False, help_text="The annotator wants somebody to look at the text.")
    comment = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class OccurrencesInSerializer(serializers.Serializer[Any]):
    """A sequence of tokens to look for in open documents."""

    tokens = serializers.ListField(child=serializers.CharField(trim_whitespace=False, max_length=1000), max_length=50)
    label = serializers.CharField(max_length=100)  # type: ignore[assignment]
    replace = serializers.BooleanField(default=False, help_text="Also where another suggestion stands.")
    document = serializers.IntegerField(required=False, default=None, help_text="A document to leave out.")


class SkipSerializer(serializers.Serializer[Any]):
    """Why a document is put aside."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class SeenSerializer(serializers.Serializer[Any]):
    """What the reviewer decided on."""

    status = serializers.ChoiceField(Document.Status.choices)
    annotations = serializers.DictField(
        child=serializers.IntegerField(), help_text="The revision of each submitted annotation, by its id."
    )


class AcceptSerializer(TagsSerializer):
    """A reviewer's decision: an annotation as it is, or tags of their own."""

    annotation = serializers.IntegerField(required=False, help_text="Id of the annotation to accept.")
    seen = SeenSerializer(required=False, help_text="Where given, 409 if something is no longer as it was seen.")


class ReturnSerializer(serializers.Serializer[Any]):
    """An annotation to give back to its author."""

    annotation = serializers.IntegerField()
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


# Shapes that verbs build themselves, described for the schema -----------------------------------------------


class TokenShape(serializers.Serializer[Any]):
    """A token and its code-point offsets."""

    text = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class DocumentShape(serializers.ModelSerializer[Document]):
    """A document with its token grid."""

    tokens = TokenShape(many=True)
    archived = serializers.BooleanField()

    class Meta:
        model = Document
        fields = [
            "id",
            "key",
            "text",
            "tokens",
            "split",
            "status",
            "priority",
            "meta",
            "archived",
            "created_at",
        ]


class AnnotationShape(serializers.ModelSerializer[Annotation]):
    """An annotation."""

    annotator = serializers.CharField()
    spans = SpanSerializer(many=True)

    class Meta:
        model = Annotation
        fields = [
            "id", "document", "annotator", "tags", "spans", "state", "accepted", "revision", "seconds", "note",
            "suggested_by", "suggestion_use", "provenance", "flagged", "comment", "updated_at",
            "submitted_at", "accepted_at",
        ]  # fmt: skip


class SuggestionShape(serializers.Serializer[Any]):
    """A model's tags, with the probability of each."""

    tags = serializers.ListField(child=serializers.CharField())
    confidences = serializers.ListField(child=serializers.FloatField())
    model = serializers.CharField()


class DifferenceShape(serializers.Serializer[Any]):
    """A range of tokens in which the versions of a text differ."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()
    readings = serializers.ListField(
        child=SpanSerializer(many=True),
        help_text="What each version has there: annotations first, then the suggestion.",
    )


class ComparisonShape(serializers.Serializer[Any]):
    """What people submitted for a text and what a model suggests, aligned."""

    document = DocumentShape()
    annotations = AnnotationShape(many=True)
    suggestion = SuggestionShape(allow_null=True)
    agreed = SpanSerializer(many=True)
    differences = DifferenceShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="The next document that waits for a decision.")


class AssignmentShape(serializers.Serializer[Any]):
    """A leased document with all that is needed to label it."""

    assignment = serializers.DictField(help_text="id, expires_at")
    document = DocumentShape()
    suggestion = SuggestionShape(allow_null=True)
    annotation = AnnotationShape(allow_null=True)


class PreviewShape(serializers.Serializer[Any]):
    """What a step would do."""

    documents = serializers.IntegerField()
    occurrences = serializers.IntegerField()
    conflicts = serializers.IntegerField()
    more = serializers.BooleanField(help_text="Whether there are more documents than one step takes.")
    contexts = serializers.ListField(
        child=serializers.DictField(), help_text="document, before, text, after, conflicts: [{label, model}]"
    )


class ExampleShape(serializers.Serializer[Any]):
    """An accepted span with what stands around it."""

    document = serializers.IntegerField()
    before = serializers.CharField()
    text = serializers.CharField()
    after = serializers.CharField()


class ExamplesShape(serializers.Serializer[Any]):
    """What a label is for: its definition and accepted spans."""

    label = LabelSerializer()  # type: ignore[assignment]
    examples = ExampleShape(many=True)


class OccurrencesShape(serializers.Serializer[Any]):
    """A step of suggesting all occurrences."""

    id = serializers.IntegerField()
    tokens = serializers.ListField(child=serializers.CharField())
    label = serializers.CharField()  # type: ignore[assignment]
    documents = serializers.IntegerField()
    occurrences = serializers.IntegerField()
    undone = serializers.BooleanField()
