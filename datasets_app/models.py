"""Jobs, frozen dataset versions and groups of duplicates, and the rules that the database keeps about them.

Versions and their items are never changed: triggers in `migrations/0002_rules.py` refuse it. Rows are
reached through `datasets_app.access` only.
"""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.models import Document, Project, Split

User = settings.AUTH_USER_MODEL


class Job(models.Model):
    """A long piece of work: its state, progress, errors and result. Run by `datasets_app.jobs`."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    ACTIVE = (State.QUEUED, State.RUNNING)

    project = models.ForeignKey(Project, null=True, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, db_default=State.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    note = models.CharField(max_length=500, blank=True, help_text="What it is doing now.")
    params = models.JSONField(default=dict)
    cursor: Any = models.JSONField(null=True, help_text="Where the next worker goes on after a crash.")
    result = models.JSONField(default=dict)
    message = models.TextField(blank=True, help_text="Why it failed.")
    error_count = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0, help_text="Claims since progress was last kept.")
    claimed_by = models.CharField(max_length=64, blank=True)
    # While running: the worker's last sign of life. While queued: when it was last sent to the broker.
    heartbeat = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    dedupe_key = models.CharField(max_length=200, null=True, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "succeeded", "failed", "cancelled"]),
                name="job_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | Q(state__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False),
                name="job_finished_at_fits_state",
            ),
        ]
        indexes = [
            # Reader: the list of a project's jobs, newest first.
            models.Index(fields=["project", "-id"], name="job_by_project"),
            # Reader: jobs.requeue_stale, every few seconds.
            models.Index(fields=["heartbeat"], name="job_active", condition=Q(state__in=["queued", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} job {self.pk} ({self.state})"


class JobError(models.Model):
    """One bad line or record; a job that runs twice records it once."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="errors")
    line = models.BigIntegerField()
    code = models.CharField(max_length=60)
    message = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "line", "code"], name="job_error_once")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class Upload(models.Model):
    """A file that comes in parts; how much of it is there, the file itself tells (`uploads`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=300)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} for project {self.project_id}"


class DatasetVersion(models.Model):
    """An immutable, numbered, fingerprinted snapshot of a project's accepted annotations."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    notes = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=64, help_text="Same content, same fingerprint, on any machine.")
    labels = models.JSONField(help_text="[{name, color, description}] in the project's order.")
    guidelines = models.TextField(blank=True)
    policy = models.JSONField(help_text="{splits, tokenizer, review, overlap} at the time.")
    counts = models.JSONField(help_text="{documents, tokens, spans, splits: {split: {…, labels}}}")
    report: Any = models.JSONField(
        null=True, help_text="{lengths, leaks, provenance} at the time; null in a version older than that."
    )
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"{self.project.slug} v{self.number}"


class VersionItem(models.Model):
    """One document of a version with its gold tags; the text itself never changes, so it is not copied."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="items", db_index=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    position = models.BigIntegerField(help_text="From 0, in the order in which the documents came in.")
    key = models.CharField(max_length=200)
    split = models.CharField(max_length=10, choices=Split)
    tags = ArrayField(models.TextField())
    annotator = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            # Also the reader's index: versions.items, a page of positions at a time.
            models.UniqueConstraint(fields=["version", "position"], name="version_item_position_once"),
            models.UniqueConstraint(fields=["version", "document"], name="version_item_document_once"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="version_item_split_known"),
        ]
        indexes = [
            # Reader: versions.items of one split.
            models.Index(fields=["version", "split", "position"], name="version_item_by_split"),
        ]

    def __str__(self) -> str:
        return f"{self.key} in version {self.version_id}"


class Change(models.Model):
    """One change of many annotations or of labels that is undone in one step."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=40, help_text="restore, label.renamed, …: the verb of its event.")
    data = models.JSONField(default=dict, help_text="What it did, in words of its kind.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Reader: the list of a project's changes, newest first; the map of labels since a version.
            models.Index(fields=["project", "-id"], name="change_by_project"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of project {self.project_id}"


class ChangedDocument(models.Model):
    """A document as it was before a change and after it: its status and all its annotations."""

    pk = models.CompositePrimaryKey("change_id", "document_id")
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="documents", db_index=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    before: Any = models.JSONField(help_text="{status, annotations: [row]}")
    after: Any = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"document {self.document_id} in change {self.change_id}"


class ChangedPrediction(models.Model):
    """A suggestion's tags before a change and after it. No foreign key: models write their suggestions anew often."""

    pk = models.CompositePrimaryKey("change_id", "prediction_id")
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="predictions", db_index=False)
    prediction_id = models.BigIntegerField()
    before = ArrayField(models.TextField())
    after = ArrayField(models.TextField(), null=True)

    def __str__(self) -> str:
        return f"prediction {self.prediction_id} in change {self.change_id}"


class Described(models.Model):
    """What was counted last of a project's gold: its statistics and its consistency board."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="described")
    statistics: Any = models.JSONField()
    board: Any = models.JSONField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"statistics of project {self.project_id}"


class Curation(models.Model):
    """How a project's data are curated; a project without a row has the defaults."""

    class Duplicates(models.TextChoices):
        KEEP = "keep", _("Keep them as texts of their own")
        COPY = "copy", _("Label one; the others get its spans as suggestions")
        ARCHIVE = "archive", _("Archive all but the first as they come in")

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="curation")
    duplicates = models.CharField(max_length=10, choices=Duplicates, default=Duplicates.KEEP)
    split_by = models.CharField(
        max_length=100,
        blank=True,
        help_text=_("A key of the texts' metadata: texts with the same value share a split."),
    )
    stratify = models.BooleanField(
        default=False, db_default=False, help_text="Texts that come with labels go where these are lacking."
    )
    license = models.CharField(max_length=100, blank=True, help_text="As the Hugging Face Hub names it.")
    citation = models.TextField(blank=True, help_text=_("BibTeX, or a sentence."))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(duplicates__in=["keep", "copy", "archive"]), name="curation_duplicates_known"
            ),
        ]

    def __str__(self) -> str:
        return f"curation of project {self.project_id}"


class LabelTally(models.Model):
    """How many spans of each label each split held when that was counted last, and what has come in since."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="label_tally")
    spans: Any = models.JSONField(help_text="{split: {label: spans}}; under the empty name, texts.")

    def __str__(self) -> str:
        return f"labels by split of project {self.project_id}"


class TextKey(models.Model):
    """By which key of `near_duplicates` a text is found; of several with the same key, the one that came first.

    No foreign keys: they would cost more than all else that is done about duplicates. A key whose document is
    gone finds nothing.
    """

    pk = models.CompositePrimaryKey("key", "project_id")
    key = models.BigIntegerField()
    project = models.ForeignKey(
        Project, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    document_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key} is of document {self.document_id}"


class Duplicate(models.Model):
    """A document's place in a group of exact and near duplicates; the group is known by its first document."""

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="duplicate")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_index=False, related_name="+")
    first = models.ForeignKey(Document, on_delete=models.CASCADE, db_index=False, related_name="duplicates")
    digest = models.BigIntegerField(help_text="The same for texts that are the same but for case, blanks and forms.")
    similarity = models.FloatField(help_text="To the text that it was found by; 1: the same.")

    class Meta:
        indexes = [
            # Reader: duplicates.groups, a page of groups at a time; the leak report.
            models.Index(fields=["project", "first", "document"], name="duplicate_group"),
        ]

    def __str__(self) -> str:
        return f"document {self.document_id} in the group of {self.first_id}"
