"""Trained models and how unsure each was of each document, with the rules that the database keeps.

The files of a model lie under DATA_DIR/models; a row is registered only when its files are complete. Rows
are reached through `modelassist.access` only.
"""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from datasets_app.models import DatasetVersion, Job
from labeling.models import MODEL, Document, Project, Split


class ModelVersion(models.Model):
    """A trained model of a project, and all that is needed to tell how it came to be."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        PRODUCTION = "production", _("Production")
        ARCHIVED = "archived", _("Archived")

    class Kind(models.TextChoices):
        TRAINING = "training", "Training"
        UPDATE = "update", "Update"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="models")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    kind = models.CharField(
        max_length=10, choices=Kind, default=Kind.TRAINING, help_text="An update renews suggestions and never serves."
    )
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="models")
    base_model = models.CharField(max_length=300)
    hyperparameters = models.JSONField(help_text="As used, with the chosen defaults.")
    labels = models.JSONField(help_text="Tag names in the order of the network's classes: O, B-X, I-X, …")
    metrics = models.JSONField(help_text="{evaluated_on, micro, test, validation, curve, best_epoch, seconds, …}")
    path = models.CharField(max_length=200, help_text="Folder, below DATA_DIR/models.")
    job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="model")
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True)
    promotion = models.JSONField(default=dict, help_text="{reason, comparison}: why it is, or is not, in production.")
    pinned = models.BooleanField(default=False, help_text="Its files are kept, however old it is.")
    pruned_at = models.DateTimeField(null=True, help_text="When its files were removed; its figures stay.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="model_number_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(state="production"), name="model_one_in_production"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["candidate", "production", "archived"]), name="model_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="candidate") | Q(promoted_at__isnull=False), name="model_promoted_at_fits_state"
            ),
            models.CheckConstraint(
                condition=Q(kind="training") | Q(kind="update", state="candidate"), name="model_update_is_candidate"
            ),
            models.CheckConstraint(
                condition=~Q(state="production") | Q(pruned_at__isnull=True), name="model_in_production_has_files"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project.slug} {self.name}"

    @property
    def name(self) -> str:
        """What predictions call it."""
        return f"{MODEL}{self.number}"

    @property
    def labels_of(self) -> datetime:
        """Since when the project's labels may have changed under it."""
        return self.created_at if self.kind == self.Kind.UPDATE else self.dataset_version.created_at

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return models_folder() / self.path


def models_folder() -> Path:
    """The folder of all models."""
    return Path(settings.DATA_DIR) / "models"


class Uncertainty(models.Model):
    """How unsure a model was of a document, by query strategy, and what it made of the whole text.

    Larger means "label this sooner".
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    scores = models.JSONField()
    vector = models.BinaryField(null=True, help_text="As `diversity.to_bytes` writes it; nearness is likeness.")

    class Meta:
        constraints = [
            # Also the index of prioritize: the scores of one model.
            models.UniqueConstraint(fields=["model", "document"], name="uncertainty_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.document_id}"


class ExamSheet(models.Model):
    """What a model answered on a held-out document when it was examined, and how right that was."""

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="sheets")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    split = models.CharField(max_length=10, choices=Split)
    gold = ArrayField(models.TextField())
    tags = ArrayField(models.TextField())
    tp = models.PositiveIntegerField(help_text="Entities found, exactly.")
    fp = models.PositiveIntegerField()
    fn = models.PositiveIntegerField()
    marks = ArrayField(models.TextField(), help_text="Of its errors: `kind`, `:label` and `kind:label`, each once.")

    class Meta:
        constraints = [
            # Also the index of exams.compare: both models' sheets of one document.
            models.UniqueConstraint(fields=["model", "document"], name="exam_sheet_once"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="exam_sheet_split_known"),
        ]
        indexes = [
            # Reader: exams.errors_of, the errors of a kind or about a label.
            GinIndex(fields=["marks"], name="exam_sheet_by_mark"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.document_id}"


class Predictor(models.Model):
    """Something beside the trained models that suggests: patterns, or a service behind HTTP."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="predictors")
    name = models.CharField(max_length=80, help_text="What its suggestions are called.")
    kind = models.CharField(max_length=40, help_text="One of `predictors.kinds()`.")
    options = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="predictor_once"),
            models.CheckConstraint(condition=Q(name__regex=r"^[a-z0-9][a-z0-9-]*$"), name="predictor_name_plain"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of project {self.project_id}"


class Assistance(models.Model):
    """When the models work by themselves; a project without a row has the defaults."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="assistance")
    after_promotion = models.BooleanField(default=False, help_text=_("Pre-annotate when a model goes into production."))
    after_import = models.BooleanField(default=True, help_text=_("Pre-annotate the texts of a finished import."))
    update_every = models.PositiveIntegerField(
        default=10,
        help_text=_("Accepted texts after which a short update teaches the suggestions of the next texts; 0: never."),
    )
    label_drop = models.FloatField(
        default=0.05,
        help_text=_("How much F1 any label may lose, beyond chance, before a new model is held back; 1: any."),
    )
    keep_models = models.PositiveIntegerField(
        default=5, help_text=_("How many models beside production and pinned ones keep their files; 0: all.")
    )
    random_share = models.FloatField(
        default=0.1, help_text=_("Share of the queue in random order, against which the query strategy is judged.")
    )
    rare_label_boost = models.FloatField(
        default=0.0, help_text=_("How much sooner texts with rare labels come; 0: not.")
    )
    diversity = models.BooleanField(default=False, help_text=_("Texts like those before them come later."))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(random_share__gte=0, random_share__lte=1), name="assistance_random"),
            models.CheckConstraint(condition=Q(label_drop__gte=0, label_drop__lte=1), name="assistance_label_drop"),
            models.CheckConstraint(
                condition=Q(rare_label_boost__gte=0, rare_label_boost__lte=10), name="assistance_rare_labels"
            ),
        ]

    def __str__(self) -> str:
        return f"assistance of project {self.project_id}"


class LabelIssue(models.Model):
    """A label that is probably wrong, as an audit found it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_index=False, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    gold = ArrayField(models.TextField(), help_text="The document's tags when it was judged.")
    kind = models.CharField(max_length=10)
    score = models.FloatField(help_text="0 to 1: how sure it is to be wrong.")
    spans = models.JSONField(help_text="{kind, score, gold, predicted}")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Reader: auditing.open_issues, surest first.
            models.Index(fields=["project", "job", "-score", "id"], name="label_issue_ranked"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.document_id}"
