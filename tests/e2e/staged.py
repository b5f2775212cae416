"""A project in which something of everything has happened, made through the verbs."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from datasets_app import describing, jobs, label_operations, versions
from datasets_app.models import DatasetVersion, Job
from datasets_app.records import Failure
from labeling import annotate, bio, predictions, projects, review
from labeling.models import Document, Project, Role
from modelassist import registry
from modelassist.decode import Tagset
from modelassist.evaluation import evaluate
from modelassist.models import ModelVersion
from modelassist.report import Report
from tests import factories

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"


@dataclass
class Stage:
    """What the addresses of pages need."""

    project: Project
    manager: User
    reviewer: User
    annotator: User
    accepted: Document
    waiting: Document
    pending: Document
    versions: list[DatasetVersion]
    job: Job
    run: Job
    model: ModelVersion

    def address(self, pattern: str) -> str:
        """An address with the numbers of what is there."""
        return pattern.format(
            p=self.project.slug,
            accepted=self.accepted.pk,
            waiting=self.waiting.pk,
            pending=self.pending.pk,
            version=self.versions[0].pk,
            other=self.versions[1].pk,
            job=self.job.pk,
            run=self.run.pk,
            model=self.model.pk,
        )


def stage() -> Stage:
    """A document in each state, two versions, a job with errors, a model with its metrics, what there is to count."""
    names = ("PER", "LOC", LONG, *(f"LABEL-{number}" for number in range(47)))
    manager = factories.user()
    project = projects.create(manager, name=f"Names {LONG}", labels=[{"name": name} for name in names], overlap=2)
    reviewer = factories.member(project, role=Role.REVIEWER)
    annotator, second = factories.member(project), factories.member(project)
    accepted, waiting, pending = (factories.document(project, source=1, line=line) for line in range(3))
    for document in (accepted, waiting):
        submit(project, annotator, document, bio.Span(0, 2, "PER"), bio.Span(6, 7, LONG))
        submit(project, second, document, bio.Span(0, 2, "PER"))
    review.accept(project, reviewer, accepted.pk, annotation_id=accepted.annotations.earliest("id").pk)
    count = len(pending.token_starts)
    tags = bio.tags_of([bio.Span(3, 5, LONG)], count)
    predictions.store([predictions.Predicted(pending.pk, tags, [0.75] * count)], model="model-1")
    first = versions.freeze_now(project, manager, notes="First.")
    review.accept(project, reviewer, waiting.pk, annotation_id=waiting.annotations.latest("id").pk)
    frozen = [first, versions.freeze_now(project, manager, notes="Second.")]
    review.take_back(project, reviewer, waiting.pk)
    job = jobs.enqueue("import", project=project, user=manager, params={"name": f"{LONG}.jsonl"})
    jobs.note_failures(job, [Failure(3, "bad_json", f"Line 3 is not JSON: {LONG}")])
    run = jobs.enqueue("train", project=project, user=manager, params={"hyperparameters": {}})
    label_operations.recolor(project, manager, "PER", color="#cc79a7")
    jobs.run(describing.start(project, manager).pk)
    trained = model(project, manager, first)
    return Stage(project, manager, reviewer, annotator, accepted, waiting, pending, frozen, job, run, trained)


def submit(project: Project, person: User, document: Document, *spans: bio.Span) -> None:
    """A submitted annotation."""
    tags = bio.tags_of(spans, len(document.token_starts))
    annotate.save(project, person, document.pk, tags=tags, revision=0, submit=True, seconds=65)


def model(project: Project, manager: User, version: DatasetVersion) -> ModelVersion:
    """A registered model, with the metrics of a real evaluation of tags that are half right."""
    tagset = Tagset.of_labels([label["name"] for label in version.labels])
    gold, predicted = ["B-PER", "I-PER", "O", "B-LOC"], ["B-PER", "I-PER", "B-PER", "O"]
    report = Report([label["name"] for label in version.labels])
    report.add(["Ada", "Lovelace", "in", "London"], gold, predicted, [0.9, 0.9, 0.6, 0.7])
    result = evaluate([(gold, predicted)], tagset).as_json() | report.as_json()
    curve = [{"epoch": epoch, "loss": 2 / epoch, "f1": 1 - 1 / epoch} for epoch in range(1, 6)]
    metrics = {"evaluated_on": "test", "micro": result["micro"], "test": result, "validation": None}
    return registry.register(
        project,
        manager,
        dataset_version=version,
        base_model=f"/models/{LONG}/{LONG}",
        hyperparameters={"epochs": 5},
        labels=list(tagset.names),
        metrics=metrics | {"curve": curve, "best_epoch": 5, "seconds": 12.5, "libraries": {"torch": "2"}},
        path="none",
    )
