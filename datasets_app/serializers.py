"""What the REST doors of data take and give, as DRF serializers: shapes and types, no rules."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from datasets_app import bulk


class ImportSerializer(serializers.Serializer[Any]):
    """An upload and how it is to be taken. What the options may be, `importing.start` decides."""

    file = serializers.FileField(required=False, allow_empty_file=True)  # an empty one is refused in our own words
    job = serializers.IntegerField(required=False, help_text="Instead of a file: a dry run, whose file is imported.")
    upload = serializers.UUIDField(required=False, help_text="Instead of a file: one that has come in parts.")
    location = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2000,
        help_text="Instead of a file: a path of the server, https://, s3://, gs:// or owner/name of the Hub,"
        " where the operator permits it.",
    )
    format = serializers.CharField(
        required=False,
        help_text="auto, conll, jsonl, txt, csv, parquet, arrow, hf, brat, spacy, files, or one installed.",
    )
    annotations = serializers.CharField(required=False, help_text="accept (if not given), suggest or ignore.")
    split = serializers.CharField(required=False, allow_blank=True, help_text="For records that name none.")
    unit = serializers.CharField(required=False, help_text="CoNLL: sentence, or document (-DOCSTART-).")
    labels = serializers.CharField(required=False, help_text="Unknown labels: create, or report as errors.")
    offsets = serializers.CharField(required=False, help_text="What offsets count: auto, code_points or utf16.")
    overlaps = serializers.CharField(required=False, help_text="Of overlapping spans: refuse, longest or first.")
    grid = serializers.CharField(required=False, help_text="Tokens that a span begins within: cut, or keep whole.")
    on_error = serializers.CharField(required=False, help_text="Bad records: keep the good ones, or refuse them all.")
    dry_run = serializers.BooleanField(
        required=False, default=None, allow_null=True, help_text="Only tell what would come in."
    )
    tag_names = serializers.CharField(required=False, allow_blank=True, help_text="Of numbered tags: O,B-PER,I-PER.")
    text_column = serializers.CharField(required=False, allow_blank=True, help_text="By name, or number from 1.")
    id_column = serializers.CharField(required=False, allow_blank=True)
    split_column = serializers.CharField(required=False, allow_blank=True)
    label_map = serializers.CharField(
        required=False, allow_blank=True, help_text='Labels to rename, or with null to leave out: {"PERSON": "PER"}.'
    )


class UploadInSerializer(serializers.Serializer[Any]):
    """A file that is to come in parts."""

    name = serializers.CharField(max_length=300)
    size = serializers.IntegerField(min_value=1, max_value=2**62, help_text="In bytes.")


class UploadSerializer(serializers.Serializer[Any]):
    """A file that comes in parts."""

    upload = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    offset = serializers.IntegerField(help_text="How many bytes are there: where the next part begins.")


class QueuedSerializer(serializers.Serializer[Any]):
    """The id of the job that does the work."""

    job = serializers.IntegerField()


class CurationSerializer(serializers.Serializer[Any]):
    """How data are curated. What the values may be, `curation.change` decides."""

    duplicates = serializers.CharField(help_text="keep, copy (label one, suggest its spans to the others) or archive.")
    split_by = serializers.CharField(allow_blank=True, help_text="A key of `meta` whose values share a split.")
    stratify = serializers.BooleanField(
        required=False, help_text="Texts that come with labels go to the split in which these are lacking."
    )
    license = serializers.CharField(allow_blank=True)
    citation = serializers.CharField(allow_blank=True)


class DuplicateSerializer(serializers.Serializer[Any]):
    """A text of a group of duplicates."""

    document = serializers.IntegerField()
    key = serializers.CharField()
    text = serializers.CharField()
    split = serializers.CharField()
    status = serializers.CharField()
    archived = serializers.BooleanField()
    similarity = serializers.FloatField(help_text="To the text by which it was found; 1: the same.")


class DuplicateGroupSerializer(serializers.Serializer[Any]):
    """A group of exact and near duplicates."""

    group = serializers.IntegerField(help_text="The id of its first document.")
    size = serializers.IntegerField()
    members = DuplicateSerializer(many=True, help_text="The first of them.")


class LabelOperationSerializer(serializers.Serializer[Any]):
    """An operation on a label. What it may be, `label_operations.operate` decides."""

    operation = serializers.CharField(help_text="rename, merge, delete, retire, reinstate or recolor.")
    label = serializers.CharField()  # type: ignore[assignment]
    to = serializers.CharField(required=False, default="", allow_blank=True, help_text="rename, merge: the new name.")
    color = serializers.CharField(required=False, default="", allow_blank=True, help_text="recolor: #rrggbb.")


class LabelSplitSerializer(serializers.Serializer[Any]):
    """Splitting a label by a rule. What the values may be, `label_splits` decides."""

    label = serializers.CharField()  # type: ignore[assignment]
    to = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=100,
        help_text="The other; made if it is not there.",
    )
    surfaces = serializers.ListField(
        child=serializers.CharField(max_length=1000, allow_blank=True), required=False, default=list, max_length=10_000,
        help_text="Spans with one of these surfaces, whatever their case and blanks.",
    )  # fmt: skip
    pattern = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=1000,
        help_text="Or: spans whose whole surface this regular expression matches.",
    )  # fmt: skip
    preview = serializers.BooleanField(required=False, default=False, help_text="Only tell what it would take.")


class TouchedSerializer(serializers.Serializer[Any]):
    """What an operation on a label touches. Versions stay as they are."""

    annotations = serializers.IntegerField()
    documents = serializers.IntegerField()
    spans = serializers.IntegerField()
    suggestions = serializers.IntegerField()
    versions = serializers.IntegerField()


class ErasureSerializer(serializers.Serializer[Any]):
    """Why a document is erased."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)


class FixSerializer(serializers.Serializer[Any]):
    """A surface to be labeled alike everywhere. What the values may be, `consistency.fix` decides."""

    surface = serializers.CharField(max_length=1000)
    label = serializers.CharField(allow_blank=True, default="", help_text="Empty: not labeled.")  # type: ignore[assignment]
    way = serializers.CharField(default="suggestions", help_text="suggestions or corrections.")


class RestorationSerializer(serializers.Serializer[Any]):
    """What of a version comes back."""

    document = serializers.IntegerField(required=False, allow_null=True, help_text="Only this one; else all.")


class ChangeSerializer(serializers.Serializer[Any]):
    """A change that is undone in one step."""

    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="The verb of its event.")
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    undone_by = serializers.CharField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


class VersionInSerializer(serializers.Serializer[Any]):
    """Words about a version."""

    notes = serializers.CharField(required=False, default="", allow_blank=True, max_length=10_000)


class ReleaseSerializer(serializers.Serializer[Any]):
    """A version to be released to the Hugging Face Hub."""

    repo = serializers.CharField(max_length=200, help_text="owner/name; it is made if it is not there.")
    private = serializers.BooleanField(default=True, help_text="Whether a new one is private.")


class JobErrorSerializer(serializers.Serializer[Any]):
    """A bad line."""

    line = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


# Rendered by plain functions; described here for the API's schema. (As classes, their fields `errors` and
# `parent` would hide attributes of every serializer.)
_JOB: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "kind": serializers.CharField(),
    "state": serializers.CharField(help_text="queued, running, succeeded, failed or cancelled."),
    "done": serializers.IntegerField(),
    "total": serializers.IntegerField(allow_null=True),
    "note": serializers.CharField(),
    "message": serializers.CharField(help_text="Why it failed."),
    "errors": JobErrorSerializer(many=True, required=False, help_text="The first of them."),
    "error_count": serializers.IntegerField(),
    "rate": serializers.FloatField(allow_null=True, help_text="Done per second, while it runs."),
    "seconds_left": serializers.FloatField(allow_null=True, help_text="At that rate."),
    "result": serializers.DictField(),
    "created_at": serializers.DateTimeField(),
    "started_at": serializers.DateTimeField(allow_null=True),
    "finished_at": serializers.DateTimeField(allow_null=True),
}
_VERSION: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "project": serializers.CharField(),
    "number": serializers.IntegerField(),
    "notes": serializers.CharField(),
    "fingerprint": serializers.CharField(),
    "labels": serializers.ListField(child=serializers.DictField()),
    "policy": serializers.DictField(),
    "counts": serializers.DictField(),
    "guidelines": serializers.CharField(),
    "provenance": serializers.DictField(
        allow_null=True, help_text="People, agreement and what became of suggestions; null in one older than that."
    ),
    "parent": serializers.IntegerField(allow_null=True),
    "created_by": serializers.CharField(allow_null=True),
    "created_at": serializers.DateTimeField(),
}


# One class each: the schema tells shapes apart by their class.
_Job = type(inline_serializer("Job", _JOB))
_Version = type(inline_serializer("Version", _VERSION))


def job(*, many: bool = False) -> serializers.BaseSerializer[Any]:
    """The shape of a job, or of a list of them."""
    return _Job(many=many)


def version(*, many: bool = False) -> serializers.BaseSerializer[Any]:
    """The shape of a version, or of a list of them."""
    return _Version(many=many)


class SurveyInSerializer(serializers.Serializer[Any]):
    """A file to look into."""

    file = serializers.FileField(allow_empty_file=False)


class SurveySerializer(serializers.Serializer[Any]):
    """What a file holds."""

    format = serializers.CharField()
    title = serializers.CharField()
    texts = serializers.IntegerField()
    more = serializers.BooleanField(help_text="Whether only its beginning was read.")
    labels = serializers.ListField(child=serializers.DictField(), help_text="[{name, spans}], the commonest first.")
    errors = serializers.IntegerField(help_text="Records that could not be read.")  # type: ignore[assignment]
    sample = serializers.ListField(child=serializers.CharField())


class FiltersSerializer(serializers.Serializer[Any]):
    """The filters of the list of documents."""

    status = serializers.CharField(required=False, allow_blank=True)
    split = serializers.CharField(required=False, allow_blank=True)
    label = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]
    q = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    annotator = serializers.CharField(required=False, allow_blank=True)
    below = serializers.CharField(required=False, allow_blank=True)
    archived = serializers.BooleanField(required=False)
    flagged = serializers.BooleanField(required=False)
    commented = serializers.BooleanField(required=False)
    disagreement = serializers.BooleanField(required=False)


class OrderSerializer(serializers.Serializer[Any]):
    """What is to be done to which documents."""

    act = serializers.CharField(help_text="archive, restore, review or assign.")
    documents = serializers.ListField(
        child=serializers.IntegerField(), required=False, max_length=bulk.AT_ONCE, help_text="Their numbers."
    )
    filters = FiltersSerializer(required=False, help_text="In their place: all that these match; {} is all.")
    person = serializers.CharField(required=False, default="", allow_blank=True, help_text="For assign: to whom.")
    days = serializers.IntegerField(required=False, default=bulk.DAYS, min_value=1, max_value=365)
    expected = serializers.IntegerField(
        required=False,
        default=None,
        allow_null=True,
        help_text="The number that the preview told; 409 if it is another.",
    )


class BulkPreviewSerializer(serializers.Serializer[Any]):
    """What it would do."""

    act = serializers.CharField()
    documents = serializers.IntegerField(help_text="How many it would touch.")
    by_status = serializers.DictField(child=serializers.IntegerField())
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="How many not, by reason.")
    matching = serializers.IntegerField()
    at_work = serializers.IntegerField(help_text="Held by somebody at this moment.")
    sample = serializers.ListField(child=serializers.DictField(), help_text="[{id, key, text, status}]")
