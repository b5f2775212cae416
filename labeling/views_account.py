"""Pages of the person's own account: password, language and API token."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.authtoken.models import Token

from labeling import preferences
from labeling.pages import show


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Show the account; change the password."""
    user = _person(request)
    form = PasswordChangeForm(user, request.POST or None)
    if form.is_bound and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("Password changed."))
        return redirect("profile")
    memberships = user.memberships.select_related("project").order_by("project__name")
    held = Token.objects.filter(user=user).first()
    return show(
        request, "labeling/profile.html", form=form, token=held, memberships=memberships,
        commands=preferences.COMMANDS, keys=preferences.keys_of(user),
        languages=settings.LANGUAGES, language=preferences.language_of(user),
    )  # fmt: skip


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `login_required` lets nobody else in
    return request.user


@require_POST
@login_required
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the pages; the next one speaks it."""
    preferences.set_language(_person(request), request.POST.get("language", ""))
    return redirect("profile")


@require_POST
@login_required
@transaction.atomic
def token(request: HttpRequest) -> HttpResponse:
    """Make a new API token in place of the old one, or revoke it."""
    user = _person(request)
    Token.objects.filter(user=user).delete()
    if request.POST.get("action") == "create":
        Token.objects.create(user=user)
        messages.success(request, _("New API token made; an older one no longer works."))
    else:
        messages.success(request, _("API token revoked."))
    return redirect("profile")
