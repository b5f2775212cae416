"""Who is signed in: the person together with their preferences, in one query: each page speaks their language."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User


class Backend(ModelBackend):
    """Django's own, with the person's preferences."""

    def get_user(self, user_id: int) -> User | None:
        """The person of a session, while their account is active."""
        user = User.objects.select_related("preferences").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
