"""What the system calls things, as words for people: values of rows, verbs of events, kinds of jobs.

A table: a value that is new gets a row here, and until then is shown as it is.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

VALUES: Mapping[str, str | Promise] = {
    # splits
    "train": pgettext_lazy("split", "train"),
    "validation": pgettext_lazy("split", "validation"),
    "test": pgettext_lazy("split", "test"),
    # what became of a document, an annotation, a span
    "pending": _("pending"),
    "submitted": _("submitted"),
    "accepted": _("accepted"),
    "returned": _("returned"),
    "draft": _("draft"),
    "edited": _("edited"),
    "rejected": _("rejected"),
    "manual": _("manual"),
    "taken": _("taken"),
    "added": _("added"),
    "removed": _("removed"),
    "changed": _("changed"),
    "moved": _("moved"),
    "relabeled": _("relabeled"),
    # what is wrong with a predicted span
    "wrong label": _("wrong label"),
    "wrong boundary": _("wrong boundary"),
    "wrong label and boundary": _("wrong label and boundary"),
    "missed": _("missed"),
    "spurious": _("spurious"),
    # roles
    "annotator": pgettext_lazy("role", "annotator"),
    "reviewer": pgettext_lazy("role", "reviewer"),
    "manager": pgettext_lazy("role", "manager"),
    # orders, policies
    "newest": _("newest"),
    "oldest": _("oldest"),
    "priority": _("priority"),
    "words": _("words"),
    "characters": _("characters"),
    "always": _("always"),
    "disagreement": _("disagreement"),
    "never": _("never"),
}
# What is done to many documents at once.
ACTS: Mapping[str, str | Promise] = {
    "archive": _("Archive"),
    "restore": _("Restore"),
    "review": _("Set to review"),
    "assign": _("Assign to a person"),
}
JOBS: Mapping[str, str | Promise] = {
    "import": pgettext_lazy("job", "Import"),
    "version": pgettext_lazy("job", "Version"),
    "statistics": pgettext_lazy("job", "Statistics"),
    "fix": pgettext_lazy("job", "Fix"),
    "restore": pgettext_lazy("job", "Restore"),
    "bulk": pgettext_lazy("job", "Many documents"),
    "duplicates": pgettext_lazy("job", "Duplicates"),
    "train": pgettext_lazy("job", "Train"),
    "predict": pgettext_lazy("job", "Predict"),
    "audit": pgettext_lazy("job", "Audit"),
    "suggest": pgettext_lazy("job", "Suggest"),
}
VERBS: Mapping[str, str | Promise] = {
    "acceptance.taken_back": _("acceptance taken back"),
    "annotation.accepted": _("annotation accepted"),
    "annotation.reopened": _("annotation reopened"),
    "annotation.returned": _("annotation returned"),
    "annotation.submitted": _("annotation submitted"),
    "assistance.changed": _("assistance changed"),
    "change.undone": _("change undone"),
    "consistency.corrected": _("consistency corrected"),
    "consistency.suggested": _("consistency suggested"),
    "curation.changed": _("curation changed"),
    "document.archived": _("document archived"),
    "document.erased": _("document erased"),
    "document.leased": _("document leased"),
    "document.restored": _("document restored"),
    "document.skipped": _("document skipped"),
    "documents.archived": _("documents archived"),
    "documents.assigned": _("documents assigned"),
    "documents.restored": _("documents restored"),
    "documents.set_to_review": _("documents set to review"),
    "job.cancelled": _("job cancelled"),
    "job.failed": _("job failed"),
    "job.queued": _("job queued"),
    "job.succeeded": _("job succeeded"),
    "label.added": _("label added"),
    "label.changed": _("label changed"),
    "label.deleted": _("label deleted"),
    "label.erased": _("label erased"),
    "label.merged": _("label merged"),
    "label.recolored": _("label recolored"),
    "label.reinstated": _("label reinstated"),
    "label.renamed": _("label renamed"),
    "label.retired": _("label retired"),
    "label_issue.dismissed": _("label issue dismissed"),
    "member.removed": _("member removed"),
    "member.set": _("member set"),
    "model.declined": _("model declined"),
    "model.promoted": _("model promoted"),
    "model.registered": _("model registered"),
    "occurrences.suggested": _("occurrences suggested"),
    "occurrences.undone": _("occurrences undone"),
    "predictor.added": _("predictor added"),
    "predictor.changed": _("predictor changed"),
    "predictor.removed": _("predictor removed"),
    "project.changed": _("project changed"),
    "project.created": _("project created"),
    "project.restored": _("project restored"),
    "project.trashed": _("project trashed"),
    "queue.prioritized": _("queue prioritized"),
    "version.frozen": _("version frozen"),
    "version.restored": _("version restored"),
}
