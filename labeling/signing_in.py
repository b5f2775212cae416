"""Signing in, and who is signed in: the person with their preferences in one query, since each page speaks their
language. However somebody signs in, by form or over REST, failed attempts are counted and limited here."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from labeling import attempts


class Backend(ModelBackend):
    """Django's own, with the person's preferences."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The person, if the password is theirs; raises `TooMany` for those who guess."""
        name = username or ""
        if request is not None:
            attempts.require_allowed(request, name)
        user = super().authenticate(request, username, password, **kwargs)
        if request is not None:
            (attempts.failed if user is None else attempts.succeeded)(request, name)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The person of a session, while their account is active."""
        user = User.objects.select_related("preferences").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
