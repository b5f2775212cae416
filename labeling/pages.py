"""What every page view shares: finding the project, showing a template, telling how a change went."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling import access
from labeling.errors import GoldsetError
from labeling.models import Project, Role


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
