"""The search for wrong labels: models trained on parts of the accepted texts judge the other parts.

The handler of jobs of kind `audit`. Each fold is one checkpoint: its issues are written in one transaction, and
a killed job goes on with the next. The list of the last finished audit is what reviewers see.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from datasets_app import jobs, versions
from datasets_app.models import DatasetVersion, Job
from datasets_app.records import Gold
from labeling.access import Person
from labeling.errors import Conflict, NotFound
from labeling.events import record
from labeling.models import Annotation, Project
from modelassist import base_model
from modelassist.hyperparameters import Hyperparameters
from modelassist.label_issues import FOLDS, fold_of, issues, usual
from modelassist.models import LabelIssue

LEAST = 2 * FOLDS  # documents


def start(project: Project, user: Person) -> Job:
    """Queue an audit; raises `Conflict` where too little is accepted."""
    accepted = Annotation.objects.filter(document__project=project, document__archived_at=None, accepted=True)
    if accepted[:LEAST].count() < LEAST:
        message = f"At least {LEAST} texts must be accepted before labels can be judged by others."
        raise Conflict(message, code="nothing_accepted")
    active = Job.objects.filter(project=project, kind="audit", state__in=Job.ACTIVE).first()
    return active or jobs.enqueue("audit", project=project, user=user, params={})


@dataclass(frozen=True, slots=True)
class _Fold:
    """The texts in one fold, or in all others."""

    version: DatasetVersion
    number: int
    inside: bool
    groups: dict[str, str]

    def golds(self) -> Iterator[Gold]:
        for gold in versions.items(self.version):
            if (fold_of(self.groups[gold.key]) == self.number) == self.inside:
                yield gold

    def __iter__(self) -> Iterator[tuple[list[str], Any]]:
        return ((gold.tokens, gold.tags) for gold in self.golds())


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler; its result is `{issues, documents}`."""
    assert job.project is not None
    if job.cursor is None:
        with transaction.atomic():
            version = versions.freeze_now(job.project, job.created_by, notes="For an audit of labels.", reuse=True)
            jobs.checkpoint(job, cursor={"version": version.pk, "fold": 0})
    version = DatasetVersion.objects.get(pk=job.cursor["version"])
    items = version.items.values_list("key", "document_id", "document__group_key")
    documents = {key: document for key, document, _ in items}
    groups = {key: group for key, _, group in items}
    for number in range(job.cursor["fold"], FOLDS):
        yield from _judge(job, version, number, documents, groups)
    found = LabelIssue.objects.filter(job=job)
    return {"issues": found.count(), "documents": found.values("document").distinct().count()}


def _judge(
    job: Job, version: DatasetVersion, number: int, documents: dict[str, int], groups: dict[str, str]
) -> Generator[jobs.Step, None, None]:
    """Train on the other folds and write down where this fold's labels differ from what that model says."""
    from modelassist import trainer

    assert job.project is not None
    finding = partial(base_model.resolve, job.project.base_model or settings.BASE_MODEL, gpu=trainer.gpu())
    base = yield from jobs.waiting(jobs.Step(job.done, job.total, note=f"part {number + 1} of {FOLDS}"), finding)
    own, others = (_Fold(version, number, inside, groups) for inside in (True, False))
    labels = [label["name"] for label in version.labels]
    chosen = Hyperparameters.from_json(job.params.get("hyperparameters"))
    training = jobs.Followed(trainer.train(others, (), labels=labels, base=base.path, hyperparameters=chosen))
    for progress in training:
        done = number * progress.steps + progress.step
        yield jobs.Step(done, FOLDS * progress.steps, note=f"part {number + 1} of {FOLDS}")
    tagger = training.value.tagger()
    golds = list(own.golds())
    judged = list(tagger.judge((gold.tokens, gold.tags) for gold in golds))
    usually = usual((gold.tags, likely.tolist()) for gold, (_, likely) in zip(golds, judged, strict=True))
    rows = [
        LabelIssue(
            job=job, project=job.project, document_id=documents[gold.key], gold=list(gold.tags), kind=issue.kind,
            score=issue.score, spans=issue.as_json(),
        )
        for gold, (predicted, likely) in zip(golds, judged, strict=True)
        for issue in issues(gold.tags, predicted, likely.tolist(), usually)
    ]  # fmt: skip
    with transaction.atomic():
        jobs.checkpoint(job, cursor={"version": version.pk, "fold": number + 1})
        LabelIssue.objects.bulk_create(rows, batch_size=1000)


# Reviewing -----------------------------------------------------------------------------------------------


def last_audit(project: Project) -> Job | None:
    """The last one that came to its end."""
    done = Job.objects.filter(project=project, kind="audit", state=Job.State.SUCCEEDED)
    return done.order_by("-id").first()


def open_issues(project: Project) -> QuerySet[LabelIssue]:
    """What the last audit found and nobody has dealt with: dismissed, or changed the text's labels."""
    same = LabelIssue.objects.filter(job=last_audit(project), project=project, closed_at=None)
    accepted = Annotation.objects.filter(document=OuterRef("document"), accepted=True, tags=OuterRef("gold"))
    return same.filter(Exists(accepted)).select_related("document")


def counts(project: Project) -> dict[str, int]:
    """What became of the last audit's findings: `{open, dismissed, changed}`."""
    found = LabelIssue.objects.filter(job=last_audit(project), project=project)
    left, dismissed = open_issues(project).count(), found.exclude(closed_at=None).count()
    return {"open": left, "dismissed": dismissed, "changed": found.count() - left - dismissed}


@transaction.atomic
def dismiss(project: Project, issue_id: int, user: Person) -> None:
    """The label is right as it is; repeating it changes nothing. Raises `NotFound`."""
    rows = LabelIssue.objects.filter(project=project, pk=issue_id)
    issue = rows.first()
    if issue is None:
        raise NotFound("There is no such label issue.")
    if rows.filter(closed_at=None).update(closed_at=timezone.now()):
        record(project, user, "label_issue.dismissed", document=issue.document_id, data={"issue": issue.pk})


def as_json(issue: LabelIssue) -> dict[str, Any]:
    """The REST shape; ranges are token indices."""
    return {"id": issue.pk, "document": issue.document_id, "key": issue.document.key, **issue.spans}
