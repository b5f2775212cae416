"""Pages of models."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling import access
from labeling.models import Role
from labeling.pages import show


@require_GET
@login_required
def model_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's models, newest first."""
    project = access.project_for(request.user, slug, Role.ANNOTATOR)
    return show(request, "modelassist/models.html", project, tab="models")
