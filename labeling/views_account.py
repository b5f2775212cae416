"""Pages of the person's own account: password, language and API token."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.authtoken.models import Token

from labeling import preferences
from labeling.errors import TooMany
from labeling.pages import show


class SignInForm(AuthenticationForm):
    """Django's own; whoever has to wait is told so in the form."""

    def clean(self) -> dict[str, Any]:
        """The name and password, checked."""
        try:
            return super().clean()
        except TooMany as error:
            raise ValidationError(error.message, code=error.code) from error


class SignIn(LoginView):
    """The page on which people sign in."""

    authentication_form = SignInForm

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form with its complaint; 429 for whoever has to wait."""
        response = super().form_invalid(form)
        response.status_code = 429 if form.has_error("__all__", TooMany.code) else 200
        return response


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Show the account; change the password."""
    user = _person(request)
    form = PasswordChangeForm(user, request.POST or None)
    form.fields["old_password"].widget.attrs.pop("autofocus", None)  # it is not what people come here for
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
