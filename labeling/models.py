"""The rows of labelling and the rules that the database keeps about them.

What a check constraint cannot say (tags fit their text and use known labels, texts and events never
change) is a trigger in `migrations/0002_rules.py`. Rows are reached through `labeling.access` only.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, OrderBy, Q
from django.db.models.functions import Now, Random
from django.utils.translation import gettext_lazy as _

from labeling import tokens

User = settings.AUTH_USER_MODEL


class Role(models.TextChoices):
    """What a member may do; each includes the ones before it."""

    ANNOTATOR = "annotator", _("Annotator")
    REVIEWER = "reviewer", _("Reviewer")
    MANAGER = "manager", _("Manager")

    @property
    def rank(self) -> int:
        """0 for annotator, 1 for reviewer, 2 for manager."""
        return list(Role).index(self)


class Split(models.TextChoices):
    """Hugging Face's names for the parts of a data set."""

    TRAIN = "train", "train"
    VALIDATION = "validation", "validation"
    TEST = "test", "test"


class Review(models.TextChoices):
    """When a submitted annotation becomes the accepted one."""

    ALWAYS = "always", _("A reviewer accepts each text")
    DISAGREEMENT = "disagreement", _("A reviewer decides only where annotators differ")
    NEVER = "never", _("The first submitted annotation is accepted")


class OpenSuggestions(models.TextChoices):
    """What becomes of suggestions that are neither accepted nor rejected when a text is handed in."""

    ASK = "ask", _("The annotator is asked")
    REJECT = "reject", _("They are rejected")
    ACCEPT = "accept", _("They are accepted")


class Project(models.Model):
    """One labelling task: labels, guidelines, members, settings, documents."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    guidelines = models.TextField(blank=True, help_text=_("Markdown, shown to annotators."))
    tokenizer = models.CharField(max_length=20, default="words", choices=[(kind, kind) for kind in tokens.KINDS])
    overlap = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(20)], help_text="People per document."
    )
    review = models.CharField(max_length=20, choices=Review, default=Review.ALWAYS)
    open_suggestions = models.CharField(
        max_length=10, choices=OpenSuggestions, default=OpenSuggestions.ASK, db_default=OpenSuggestions.ASK
    )
    lease_minutes = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(10_080)]
    )
    # Split policy: shares of new documents that do not bring a split of their own; the rest is train.
    validation_share = models.FloatField(default=0.1, validators=[MinValueValidator(0), MaxValueValidator(0.45)])
    test_share = models.FloatField(default=0.1, validators=[MinValueValidator(0), MaxValueValidator(0.45)])
    # The model in the loop.
    query_strategy = models.CharField(max_length=40, default="least_confidence")
    held_out_rate = models.FloatField(
        default=0.2,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Share of served texts that come from validation and test, in random order, unsuggested.",
    )
    base_model = models.CharField(max_length=300, blank=True, help_text=_("Hub id or folder; empty: the server's."))
    retrain_hour = models.PositiveSmallIntegerField(
        default=2, validators=[MaxValueValidator(23)], help_text=_("Hour of the nightly retraining.")
    )
    retrain_min_new = models.PositiveIntegerField(
        default=50, help_text=_("Newly accepted texts that make a retraining due; 0 turns it off.")
    )
    # What upper apps say about the models: whose suggestions are shown, the preferred one first.
    models_in_use = ArrayField(
        models.TextField(), default=list, db_default=[], blank=True, editable=False,
        help_text="Names; a model that is not here was withdrawn, and the first that spoke of a text is shown.",
    )  # fmt: skip
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    trashed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(overlap__gte=1), name="project_overlap_positive"),
            models.CheckConstraint(
                condition=Q(
                    validation_share__gte=0,
                    validation_share__lte=0.45,
                    test_share__gte=0,
                    test_share__lte=0.45,
                ),
                name="project_split_shares",
            ),
            models.CheckConstraint(
                condition=Q(held_out_rate__gte=0, held_out_rate__lte=1), name="project_held_out_rate"
            ),
            models.CheckConstraint(condition=Q(review__in=Review.values), name="project_review_known"),
            models.CheckConstraint(
                condition=Q(open_suggestions__in=OpenSuggestions.values), name="project_open_suggestions_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.ANNOTATOR)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Label(models.Model):
    """An entity type of a project. Never deleted while an annotation uses it (trigger)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=100)
    color = models.CharField(max_length=7, help_text="#rrggbb")
    hotkey = models.CharField(max_length=1, blank=True)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(help_text="Order in the palette and in exported classes.")
    retired = models.BooleanField(default=False, db_default=False, help_text="Its spans stay; no new ones are made.")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="label_name_once"),
            models.UniqueConstraint(fields=["project", "hotkey"], condition=~Q(hotkey=""), name="label_hotkey_once"),
            models.CheckConstraint(condition=Q(name__regex=r"^\S+$"), name="label_name_no_blanks"),
            models.CheckConstraint(condition=Q(color__regex=r"^#[0-9a-fA-F]{6}$"), name="label_color_hex"),
        ]

    def __str__(self) -> str:
        return self.name


_LIVE = Q(archived_at__isnull=True)
CHANGED = Q(changed_at__isnull=False)
_NOTED = Q(status="submitted") | Q(flagged=True) | Q(commented=True) | Q(disputed=True)


def _by(name: str, condition: Q, *columns: str | OrderBy) -> models.Index:
    """An index of a project's documents, ending in the unique id."""
    return models.Index("project", *columns, "id", name=name, condition=condition)


class Document(models.Model):
    """One text to label, with its token grid (code-point offsets) and its split; text and grid never change."""

    class Status(models.TextChoices):
        PENDING = "pending", _("To label")
        SUBMITTED = "submitted", _("To review")
        ACCEPTED = "accepted", _("Accepted")

    # Foreign keys without an index of their own: others begin with the same column, or nobody looks there.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="documents", db_index=False)
    key = models.CharField(max_length=200, help_text="The record's own id, or content hash and occurrence.")
    text = models.TextField()
    token_starts = ArrayField(models.IntegerField())
    token_ends = ArrayField(models.IntegerField())
    split = models.CharField(max_length=10, choices=Split)
    group_key = models.CharField(max_length=64, help_text="Documents of one group share a split.")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, db_default=Status.PENDING)
    # Higher is served first. Held-out documents keep the random value that they are born with.
    priority = models.FloatField(db_default=Random())
    chosen = models.BooleanField(
        default=False, db_default=False, help_text="A query strategy gave it its place in the queue; else chance did."
    )
    meta = models.JSONField(default=dict, db_default={})
    layout = models.JSONField(null=True, help_text="What the file held beside tokens and tags, to give it back.")
    # Where it came from: job id (0: by hand) and line. Export follows this order.
    source = models.BigIntegerField(default=0, db_default=0)
    line = models.BigIntegerField(default=0, db_default=0)
    archived_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)  # for good: what stays is a tombstone
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    # Kept by triggers (`migrations/0013_document_marks.py`), for lists: when it was last decided on or put aside since
    # it came in, and what its annotations say of it.
    changed_at = models.DateTimeField(null=True, editable=False)
    flagged = models.BooleanField(db_default=False, editable=False)
    commented = models.BooleanField(db_default=False, editable=False)
    disputed = models.BooleanField(db_default=False, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="document_key_once"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="document_split_known"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "submitted", "accepted"]), name="document_status_known"
            ),
        ]
        indexes = [
            # Reader: labeling.queue, the next document to serve.
            models.Index(
                F("project"),
                F("split"),
                F("priority").desc(),
                F("id"),
                name="document_queue",
                condition=Q(status="pending", archived_at__isnull=True),
            ),
            # Reader: the export, in the order in which documents came in.
            models.Index(fields=["project", "source", "line", "id"], name="document_came_in"),
            # Readers: the documents page, narrowed by status; the review queue.
            _by("document_by_status", _LIVE, "status"),
            # Reader: the documents page, in each of its orders. What comes in changes nothing in the last.
            _by("document_by_id", _LIVE),
            _by("document_by_priority", _LIVE, F("priority").desc()),
            _by("document_by_change", _LIVE & CHANGED, "changed_at"),
            # Reader: the documents page, narrowed to what was put aside.
            _by("document_archived", ~_LIVE),
            # Reader: the documents page, narrowed to what somebody may want to look at, in each of its orders.
            _by("document_noted_by_id", _LIVE & _NOTED),
            _by("document_noted_by_priority", _LIVE & _NOTED, F("priority").desc()),
            _by("document_noted_by_change", _LIVE & _NOTED & CHANGED, "changed_at"),
            # Reader: labeling.progress, the counts by status and split, from the index alone.
            models.Index(
                fields=["project", "split", "status"], name="document_counts", condition=Q(archived_at__isnull=True)
            ),
            # Reader: the search box of the documents page: `document_bigrams`, in `migrations/0017_pairs.py`.
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.text[:60]}"

    @property
    def tokens(self) -> list[str]:
        """The tokens as strings."""
        return tokens.pieces(self.text, self.token_starts, self.token_ends)

    @property
    def held_out(self) -> bool:
        """Whether it belongs to an exam: served without suggestions."""
        return self.split != Split.TRAIN


class Annotation(models.Model):
    """One person's tags for one document."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        RETURNED = "returned", _("Returned")

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    annotator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="annotations", db_index=False)
    tags = ArrayField(models.TextField())
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    accepted = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1, help_text="Grows with each save; a stale save is refused.")
    seconds = models.FloatField(default=0, help_text="Active work, as the browser measured it.")
    note = models.TextField(blank=True, help_text="A reviewer's word when it is returned.")
    # Which model's suggestion was shown, and what became of it: kept, edited, rejected, drawn.
    suggested_by = models.CharField(max_length=100, blank=True)
    suggestion_use = models.JSONField(default=dict)
    # Span by span: `labeling.provenance`. Empty where the tags came from a file or a reviewer.
    provenance = models.JSONField(default=dict, db_default={})
    # What the annotator wants others to know.
    flagged = models.BooleanField(default=False, db_default=False)
    comment = models.TextField(blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "annotator"], name="annotation_once"),
            models.UniqueConstraint(fields=["document"], condition=Q(accepted=True), name="annotation_accepted_once"),
            models.CheckConstraint(
                condition=Q(accepted=False) | Q(state="submitted", accepted_at__isnull=False),
                name="annotation_accepted_is_submitted",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted", "returned"]), name="annotation_state_known"
            ),
        ]
        indexes = [
            # Reader: the documents page filtered by label; the check before a label is deleted.
            GinIndex(fields=["tags"], name="annotation_by_tag"),
            # Reader: a person's own history and the progress page.
            models.Index(fields=["annotator", "-updated_at"], name="annotation_by_person"),
            # Reader: modelassist.updates and nightly, what was accepted lately.
            models.Index(fields=["accepted_at"], name="annotation_accepted_at", condition=Q(accepted=True)),
        ]

    def __str__(self) -> str:
        return f"{self.annotator} on {self.document_id}"


class Preferences(models.Model):
    """What a person has set for themselves, in all projects."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="preferences")
    keys = models.JSONField(default=dict, help_text="Changed shortcuts: command -> key.")
    language = models.CharField(max_length=20, blank=True, default="", db_default="", help_text="Empty: the browser's.")

    def __str__(self) -> str:
        return f"of {self.user_id}"


MODEL = "model-"  # how the names of trained models begin; nothing else that suggests is called so


class Prediction(models.Model):
    """One model's tags and confidences for one document; never mixed with annotations."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="predictions", db_index=False)
    model = models.CharField(max_length=100, help_text="Name of the model, or `import`.")
    tags = ArrayField(models.TextField())
    confidences = ArrayField(models.FloatField(), help_text="Per token: probability of its tag.")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "model"], name="prediction_once")]

    def __str__(self) -> str:
        return f"{self.model} on {self.document_id}"


class Sureness(models.Model):
    """How sure models are of what they suggest for a document, where they are not wholly; kept by triggers.

    A row of its own, since that of a document, with all its indexes, costs more to write.
    """

    document = models.OneToOneField(
        Document, on_delete=models.CASCADE, primary_key=True, related_name="suggested", db_constraint=False
    )
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    least = models.FloatField(help_text="The least confidence of a token that a model suggests; below 1.")

    class Meta:
        indexes = [
            # Reader: the documents page, narrowed by confidence and the least certain first.
            models.Index(fields=["project", "least", "document"], name="sureness_by_least"),
        ]

    def __str__(self) -> str:
        return f"{self.least:.3f} on {self.document_id}"


class Occurrences(models.Model):
    """One sequence of tokens, suggested wherever it stands in open documents: so that it can be undone in one step."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="occurrences")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    tokens = ArrayField(models.TextField())
    label = models.CharField(max_length=100)
    # Where it was suggested: documents and, beside each, the first token.
    documents = ArrayField(models.BigIntegerField())
    starts = ArrayField(models.IntegerField())
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.label}: {' '.join(self.tokens)}"


class Assignment(models.Model):
    """A person's lease on a document. Its expiry is compared with the clock, never swept."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments")
    expires_at = models.DateTimeField()
    skipped_at = models.DateTimeField(null=True)
    skip_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "annotator"], name="assignment_once")]
        indexes = [
            # Reader: labeling.queue, the person's own open leases.
            models.Index(fields=["annotator", "expires_at"], name="assignment_open"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator} has {self.document_id} until {self.expires_at:%F %T}"


class Event(models.Model):
    """Who did what to which row: append-only (trigger)."""

    project = models.ForeignKey(Project, null=True, on_delete=models.PROTECT, related_name="events")
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=60)
    # No foreign key: what happened to a document is remembered after the document.
    document = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # Reader: the history of a project, newest first.
            models.Index(fields=["project", "-id"], name="event_by_project"),
            # Reader: the history of a document.
            models.Index(fields=["document", "-id"], name="event_by_document", condition=Q(document__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.verb} by {self.actor_id}"
