"""Projects, their labels and their people: making and changing them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils.module_loading import import_string
from django.utils.text import slugify

from labeling.access import Person
from labeling.errors import Conflict, Forbidden, Invalid, NotFound
from labeling.events import record
from labeling.models import Label, Membership, Prediction, Project, Role

# Told apart also by people who see few colors (after Okabe & Ito 2008), light enough for dark text on them.
PALETTE = (
    "#56b4e9", "#e69f00", "#3fbf8f", "#f0e442", "#cc79a7", "#ff8a65", "#9fa8da", "#aed581",
    "#4dd0e1", "#bcaaa4", "#f48fb1", "#ffd54f", "#80cbc4", "#ce93d8", "#90a4ae", "#dce775",
)  # fmt: skip
SETTINGS = (
    "name", "guidelines", "tokenizer", "overlap", "review", "open_suggestions", "lease_minutes",
    "validation_share", "test_share",
    "query_strategy", "held_out_rate", "base_model", "retrain_hour", "retrain_min_new",
)  # fmt: skip


@transaction.atomic
def create(user: Person, *, name: str, labels: Iterable[Mapping[str, Any]] = (), **settings: Any) -> Project:
    """Make a project with its labels; its maker becomes its first manager."""
    _check(settings)
    project = Project(name=name, slug=_free_slug(name), created_by_id=user.pk, **settings)
    project.full_clean(exclude=["slug"])
    project.save()
    Membership.objects.create(project=project, user_id=user.pk, role=Role.MANAGER)
    add_labels(project, user, labels)
    record(project, user, "project.created", data={"name": name})
    return project


def _check(given: Mapping[str, Any]) -> None:
    """Have what other apps know of some settings checked; raises `Invalid`."""
    for field, check in django_settings.PROJECT_CHECKS.items():
        if field in given:
            import_string(check.replace(":", "."))(given[field])


def _free_slug(name: str) -> str:
    """A slug nobody has; names in other scripts keep their letters where they can be written in ASCII."""
    base = slugify(unicodedata.normalize("NFKD", name))[:60].strip("-") or "project"
    with connection.cursor() as cursor:
        # Two projects of one name at once: the second waits, and finds the first one's slug taken.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('goldset slug'), hashtext(%s))", [base])
    taken = set(Project.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number = 1
    while (slug := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return slug


@transaction.atomic
def change(project: Project, user: Person, changes: Mapping[str, Any]) -> Project:
    """Set some of `SETTINGS`."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    before = {field: getattr(project, field) for field in changes}
    for field, value in changes.items():
        if field not in SETTINGS:
            raise Invalid(f"{field!r} is not a setting of a project.", details={"field": field})
        setattr(project, field, value)
    _check({field: value for field, value in changes.items() if before[field] != value})
    project.full_clean()
    project.save(update_fields=list(changes))
    different = {field: [before[field], value] for field, value in changes.items() if before[field] != value}
    if different:
        record(project, user, "project.changed", data=different)
    return project


# Labels --------------------------------------------------------------------------------------------------


@transaction.atomic
def add_labels(project: Project, user: Person | None, labels: Iterable[Mapping[str, Any]]) -> list[Label]:
    """Add labels, after the ones that are there unless they bring a position.

    Raises `Conflict` for a name or hotkey that is taken.
    """
    position = (project.labels.aggregate(last=Max("position"))["last"] or 0) + 1
    added: list[Label] = []
    for offset, given in enumerate(labels):
        at = position + offset
        label = Label(**{"project": project, "position": at, **given})
        label.color = label.color or PALETTE[(at - 1) % len(PALETTE)]
        added.append(save_label(label))
        record(project, user, "label.added", data={"name": label.name})
    return added


def save_label(label: Label) -> Label:
    """Write a label that is checked; raises `Invalid` for a bad name or color, `Conflict` for a name that is taken."""
    if not label.name or re.search(r"\s", label.name) or any(unicodedata.category(c)[0] == "C" for c in label.name):
        raise Invalid(
            f"{label.name!r} cannot be a label: a label is a word without blanks or control characters.",
            code="bad_label",
            details={"name": label.name},
        )
    try:
        label.full_clean(validate_unique=False, validate_constraints=False)
        label.color = _hex_color(label.color)
        with transaction.atomic():
            label.save()
    except IntegrityError as error:
        if _rule(error) == "label_kept_while_used":
            raise _in_use(label) from error
        what = f"hotkey {label.hotkey!r}" if _rule(error) == "label_hotkey_once" else f"label {label.name!r}"
        raise Conflict(
            f"The project has a {what} already.", code="label_exists", details={"name": label.name}
        ) from error
    return label


def _rule(error: IntegrityError) -> str | None:
    """The name of the constraint or trigger that refused."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def _in_use(label: Label) -> Conflict:
    return Conflict(
        f"Label {label.name!r} is used by annotations and can be neither deleted nor renamed.",
        code="label_in_use",
        details={"name": label.name},
    )


def _hex_color(color: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise Invalid(f"Color {color!r} is not of the form #rrggbb.", details={"field": "color", "value": color})
    return color.lower()


@transaction.atomic
def change_label(label: Label, user: Person, changes: Mapping[str, Any]) -> Label:
    """Change a label's color, hotkey, description, position, or (while unused) its name."""
    before = label.name
    for field, value in changes.items():
        setattr(label, field, value)
    save_label(label)
    record(label.project, user, "label.changed", data={"name": before, **changes})
    return label


def require_not_retired(project: Project, tags: Iterable[str], kept: Iterable[str]) -> None:
    """Raise `Invalid` for a retired label in `tags` that is not one of `kept`, the tags that were there before."""
    new = {tag[2:] for tag in set(tags)} - {tag[2:] for tag in set(kept)}
    retired = project.labels.filter(retired=True, name__in=new).values_list("name", flat=True).first() if new else None
    if retired is not None:
        raise Invalid(
            f"The label {retired!r} is retired: spans that have it stay, new ones are not made.",
            code="label_retired",
            details={"label": retired},
        )


@transaction.atomic
def move_label(label: Label, user: Person, by: int) -> None:
    """Move a label up (-1) or down (1) among its project's; positions that stood twice are made distinct."""
    ordered = list(label.project.labels.select_for_update())
    at = ordered.index(label)
    to = min(max(at + by, 0), len(ordered) - 1)
    ordered[at], ordered[to] = ordered[to], ordered[at]
    for position, each in enumerate(ordered, 1):
        if each.position != position:
            change_label(each, user, {"position": position})


@transaction.atomic
def delete_label(label: Label, user: Person) -> None:
    """Delete a label that no annotation uses; suggestions that use it go with it."""
    project, name = label.project, label.name
    try:
        with transaction.atomic():
            Label.objects.filter(pk=label.pk).delete()  # refused by a trigger while annotations use it
    except IntegrityError as error:
        raise _in_use(label) from error
    # Only now, when nobody can suggest it any more.
    Prediction.objects.filter(document__project=project, tags__contains=[f"B-{name}"]).delete()
    record(project, user, "label.deleted", data={"name": name})


# People --------------------------------------------------------------------------------------------------


@transaction.atomic
def set_member(project: Project, actor: Person, *, username: str, role: Role, password: str = "") -> Membership:
    """Add a person or change their role. With a `password`, a superuser may make the account as well."""
    _lock(project)
    user = get_user_model().objects.filter(username=username).first() or _new_user(actor, username, password)
    found = Membership.objects.filter(project=project, user=user).first()
    if found is not None and found.role != role:
        _keep_a_manager(project, found)
    membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    record(project, actor, "member.set", data={"username": username, "role": role})
    return membership


def _new_user(actor: Person, username: str, password: str) -> User:
    if not password:
        raise NotFound(f"There is no account {username!r}.", code="no_such_user", details={"username": username})
    if not actor.is_superuser:
        raise Forbidden("Only an administrator makes new accounts.", details={"username": username})
    user: User = get_user_model()(username=username)
    user.full_clean(exclude=["password"])
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="weak_password", details={"field": "password"}) from error
    user.set_password(password)
    user.save()
    return user


@transaction.atomic
def remove_member(project: Project, actor: Person, *, username: str) -> None:
    """Take a person out of the project; their annotations stay. Removing a stranger does nothing."""
    _lock(project)
    found = Membership.objects.filter(project=project, user__username=username).first()
    if found is None:
        return
    _keep_a_manager(project, found)
    found.delete()
    record(project, actor, "member.removed", data={"username": username})


def _lock(project: Project) -> None:
    """One change of people at a time: two managers who remove each other at once cannot both succeed."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _keep_a_manager(project: Project, leaving: Membership) -> None:
    managers = Membership.objects.filter(project=project, role=Role.MANAGER)
    if leaving.role == Role.MANAGER and not managers.exclude(pk=leaving.pk).exists():
        raise Conflict("A project needs a manager; make somebody else a manager first.", code="last_manager")
