"""Which model is in use: registering a trained one, letting it earn its place, promoting, rolling back.

A challenger goes into production when it beats the model there on the same held-out documents beyond
chance, or when a manager says so. Every change is one transaction with its event.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from datasets_app.models import DatasetVersion
from labeling import bio
from labeling.access import Person
from labeling.errors import Conflict, Unavailable
from labeling.events import record
from labeling.models import Project, Split
from modelassist import artifacts, preannotate, serving
from modelassist.access import production_of
from modelassist.assistance import assistance_of
from modelassist.decode import Tagset
from modelassist.evaluation import CHANCE, Comparison, Evaluation, bootstrap, losses
from modelassist.examples import Examples
from modelassist.models import ModelVersion

State = ModelVersion.State
STANDING = 20  # models whose suggestions may be shown; the oldest are forgotten


@transaction.atomic
def register(project: Project, user: Person | None, **fields: Any) -> ModelVersion:
    """Add a trained model as a candidate with the project's next number."""
    _lock(project)
    last = ModelVersion.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    model = ModelVersion.objects.create(project=project, number=last + 1, **fields)
    if model.kind == ModelVersion.Kind.UPDATE:
        _lead(model)
    record(project, user, "model.registered", data={"model": model.pk, "number": model.number})
    return model


def challenge(model: ModelVersion) -> None:
    """Promote the candidate if it has earned it, and note why or why not.

    Both models sit the same exam: the test split of the candidate's dataset version, or validation where
    test is empty. Without either only a project's first model goes live.
    """
    champion = production_of(model.project)
    exam = exam_of(model.dataset_version)
    if champion is None:
        _promote(model, None, {"reason": "It is the project's first model."}, instead_of=None)
    elif exam is None:
        _decline(model, {"reason": "There is no held-out document to compare on; promote it by hand."})
    else:
        _compare(model, champion, exam)


def exam_of(version: DatasetVersion) -> Examples | None:
    """The documents on which models of this version are judged; None where nothing is held out."""
    splits = (Examples(version, split) for split in (Split.TEST, Split.VALIDATION))
    return next((examples for examples in splits if examples.documents), None)


def _compare(model: ModelVersion, champion: ModelVersion, exam: Examples) -> None:
    note: dict[str, Any] = {"champion": champion.number, "split": str(exam.split)}
    own = _evaluated(model, exam, model.labels)
    try:
        theirs = _evaluated(champion, exam, model.labels)
    except Unavailable as error:  # a champion without its files cannot serve either
        _promote(model, None, {"reason": error.message, **note}, instead_of=champion)
        return
    comparison = bootstrap(own.documents, theirs.documents)
    note |= {"comparison": comparison.as_json()}
    if not comparison.better:
        _decline(model, {"reason": f"It is not better than {champion.name} beyond chance.", **note})
        return
    limit = assistance_of(model.project).label_drop
    note["labels"] = _of_labels(losses(own, theirs), limit)
    lost = ", ".join(f"{row['label']} (F1 {row['difference']:+.3f})" for row in note["labels"] if row["held_back"])
    if lost:
        reason = (
            f"It is better than {champion.name} on the whole, but by more than {limit:g} worse on {lost},"
            " beyond chance. Promote it by hand if you want it all the same."
        )
        _decline(model, {"reason": reason, **note})
    else:
        _promote(model, None, {"reason": f"It is better than {champion.name}.", **note}, instead_of=champion)


def _of_labels(lost: Mapping[str, Comparison], limit: float) -> list[dict[str, Any]]:
    """Per label how much it gained, and whether it lost too much: more than the limit, and not by chance.

    The more labels there are, the surer each must be (Bonferroni), or else chance would hold back every model.
    """
    return [
        {
            "label": label,
            "difference": -each.difference,
            "low": -each.high,
            "high": -each.low,
            "documents": each.documents,
            "held_back": each.difference > limit and each.p_value < CHANCE / len(lost),
        }
        for label, each in lost.items()
    ]


def _evaluated(model: ModelVersion, exam: Examples, tags: list[str]) -> Evaluation:
    """The model's counts on each document of the exam, which may know more or fewer labels than it."""
    tagset = Tagset(tuple(tags))
    tagger = serving.tagger_for(model).restricted(bio.label_of(tag) for tag in tags)
    return tagger.evaluate(exam, tagset)


@transaction.atomic
def _decline(model: ModelVersion, note: dict[str, Any]) -> None:
    ModelVersion.objects.filter(pk=model.pk, state=State.CANDIDATE).update(promotion=note)
    record(model.project, None, "model.declined", data={"model": model.pk, "number": model.number, **note})


def promote(model: ModelVersion, user: Person) -> ModelVersion:
    """Put a model into production by hand, or back into it; repeating it changes nothing.

    Raises `Conflict` where its files are gone, or it is an update that nobody has judged.
    """
    if model.kind == ModelVersion.Kind.UPDATE:
        message = f"{model.name} is an update for suggestions only, judged by nobody; train a model to promote it."
        raise Conflict(message, code="update_not_for_production", details={"model": model.pk})
    with transaction.atomic():
        _lock(model.project)  # so that the one in production is still the same when it is replaced
        model.refresh_from_db()  # it may have been pruned meanwhile
        artifacts.require_files(model)
        _promote(model, user, {**model.promotion, "reason": "By hand."}, instead_of=production_of(model.project))
    artifacts.prune(model.project)  # the updates of the one before
    model.refresh_from_db()
    return model


@transaction.atomic
def _promote(
    model: ModelVersion, user: Person | None, note: dict[str, Any], *, instead_of: ModelVersion | None
) -> None:
    """Make it the production model if `instead_of` is still the one."""
    _lock(model.project)
    champion = production_of(model.project)
    if champion is not None and champion.pk == model.pk:
        return
    if (champion and champion.pk) != (instead_of and instead_of.pk):
        _decline(model, {"reason": "Another model was promoted meanwhile; promote it by hand."})
        return
    if champion is not None:
        ModelVersion.objects.filter(pk=champion.pk).update(state=State.ARCHIVED)
    ModelVersion.objects.filter(pk=model.pk).update(state=State.PRODUCTION, promoted_at=timezone.now(), promotion=note)
    data = {"model": model.pk, "number": model.number, "instead_of": champion and champion.number, **note}
    record(model.project, user, "model.promoted", data=data)
    _stand(model)
    if assistance_of(model.project).after_promotion:
        preannotate.start(model.project, user)


def _stand(model: ModelVersion) -> None:
    """Show its suggestions first. Those that came after it are withdrawn; those before stand in where it is mute."""
    names = _in_use(model.project)
    names = names[names.index(model.name) :] if model.name in names else [model.name, *names]
    _set_in_use(model.project, names)


def _lead(update: ModelVersion) -> None:
    """Show an update's suggestions before those of the model in production, if it was made of that."""
    names, production = _in_use(update.project), production_of(update.project)
    if production and production.name in names and update.metrics["update"]["of"] == production.number:
        at = names.index(production.name)
        _set_in_use(update.project, [update.name, *names[: min(at, STANDING // 2)], *names[at:]])


def _in_use(project: Project) -> list[str]:
    return Project.objects.values_list("models_in_use", flat=True).get(pk=project.pk)


def _set_in_use(project: Project, names: list[str]) -> None:
    Project.objects.filter(pk=project.pk).update(models_in_use=names[:STANDING])


@transaction.atomic
def pin(model: ModelVersion, user: Person, *, pinned: bool) -> ModelVersion:
    """Keep its files for good, or no longer; repeating it changes nothing. Raises `Conflict` where they are gone."""
    _lock(model.project)
    model.refresh_from_db()
    if pinned:
        artifacts.require_files(model)
    if model.pinned != pinned:
        model.pinned = pinned
        model.save(update_fields=["pinned"])
        record(model.project, user, f"model.{'pinned' if pinned else 'unpinned'}", data={"model": model.pk})
    return model


def _lock(project: Project) -> None:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def as_json(model: ModelVersion) -> dict[str, Any]:
    """The REST shape of a model."""
    fields = (
        "id",
        "number",
        "name",
        "state",
        "kind",
        "pinned",
        "pruned_at",
        "base_model",
        "hyperparameters",
        "labels",
        "metrics",
        "promotion",
    )
    shown = {name: getattr(model, name) for name in fields}
    version: DatasetVersion = model.dataset_version
    shown |= {"project": model.project.slug, "job": model.job_id}
    shown["dataset_version"] = {"id": version.pk, "number": version.number, "fingerprint": version.fingerprint}
    return shown | {"created_at": model.created_at, "promoted_at": model.promoted_at}


def summary_json(model: ModelVersion) -> dict[str, Any]:
    """The same for a list: of the metrics only the headline."""
    headline = {name: model.metrics.get(name) for name in ("evaluated_on", "micro")}
    return as_json(model) | {"metrics": headline}
