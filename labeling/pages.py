"""What every page view shares: finding the project, showing a template, telling how a change went."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling import access
from labeling.errors import GoldsetError, Invalid
from labeling.models import Label, Project, Role


def show(
    request: HttpRequest, template: str, project: Project | None = None, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page; within a project, with its tabs and what the person may do there."""
    if project is not None:
        role = access.role_in(request.user, project)
        rank = role.rank if role else -1
        context |= {
            "project": project,
            "role": role,
            "reviews": rank >= Role.REVIEWER.rank,
            "manages": rank >= Role.MANAGER.rank,
        }
    return render(request, template, context, status=status)


def colors_of(project: Project) -> dict[str, str]:
    """The color of each label."""
    return dict(project.labels.values_list("name", "color"))


def attempt(request: HttpRequest, verb: Callable[[], Any], success: str) -> bool:
    """Run a verb and leave a message about how it went; trouble that a person can mend is no error page here."""
    try:
        verb()
    except GoldsetError as error:
        messages.error(request, error.message)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, success)
        return True
    return False


def label_rows(labels: Iterable[Label]) -> list[dict[str, Any]]:
    """What scripts need of the labels."""
    fields = ("name", "color", "hotkey", "description", "retired")
    return [{field: getattr(label, field) for field in fields} for label in labels]


def number(value: str) -> int:
    """The number of a document that stands in a query string; raises `Invalid`."""
    if not value.isdecimal() or len(value) > 18:
        raise Invalid(f"{value[:40]!r} is not the number of a document.")
    return int(value)
