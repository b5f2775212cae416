"""What a person has set for themselves, in all projects: which key does what on the annotate page, and their language.

Of keys, only differences from the defaults are stored; the defaults stand in static/js/annotate/keys.js.
"""

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from labeling.access import Person
from labeling.errors import Invalid, one_of
from labeling.models import Preferences

# What the annotate page can do, and how the profile page calls it.
COMMANDS: Mapping[str, str | Promise] = {
    "left": _("Cursor left"),
    "right": _("Cursor right"),
    "up": _("Cursor up"),
    "down": _("Cursor down"),
    "first": _("First token"),
    "last": _("Last token"),
    "previousSpan": _("Previous span or suggestion"),
    "nextSpan": _("Next span or suggestion"),
    "unsure": _("Next suggestion, least certain first"),
    "remove": _("Remove the span"),
    "back": _("Remove the span, else back to the text before"),
    "growStart": _("Span's beginning out"),
    "shrinkStart": _("Span's beginning in"),
    "growEnd": _("Span's end out"),
    "shrinkEnd": _("Span's end in"),
    "accept": _("Accept the suggestion"),
    "reject": _("Reject the suggestion"),
    "acceptAll": _("Accept all suggestions"),
    "rejectAll": _("Reject all suggestions"),
    "everywhere": _("Every occurrence"),
    "sticky": _("Sticky label"),
    "flag": _("Flag the text"),
    "comment": _("Comment on the text"),
    "find": _("Find a label"),
    "about": _("What a label is for"),
    "guidelines": _("Guidelines"),
    "skip": _("Skip"),
    "submit": _("Submit"),
    "undo": _("Undo"),
    "redo": _("Redo"),
    "collapse": _("Give up the selection"),
    "help": _("All keys"),
}
LONGEST = 30


def keys_of(user: Person) -> dict[str, str]:
    """`{command: key}` for what the person has changed."""
    found = Preferences.objects.filter(user_id=user.pk).values_list("keys", flat=True).first()
    return dict(found or {})


@transaction.atomic
def set_keys(user: Person, keys: Mapping[str, str]) -> dict[str, str]:
    """Store `{command: key}` in place of what was; a key is named as in the browser's `KeyboardEvent.key`.

    Raises `Invalid` for an unknown command, a digit (they label), or a key given twice.
    """
    owners: dict[str, str] = {}
    for command, key in keys.items():
        if command not in COMMANDS:
            raise Invalid(f"There is no command {command!r}.", code="unknown_command", details={"command": command})
        if not key or len(key) > LONGEST or key.isdecimal():
            raise Invalid(
                f"{key[:LONGEST]!r} cannot be the key for {command!r}: digits belong to labels.",
                code="bad_key",
                details={"command": command, "key": key[:LONGEST]},
            )
        if key in owners:
            raise Invalid(
                f"The key {key!r} is given to both {owners[key]!r} and {command!r}.",
                code="key_twice",
                details={"key": key, "commands": [owners[key], command]},
            )
        owners[key] = command
    Preferences.objects.update_or_create(user_id=user.pk, defaults={"keys": dict(keys)})
    return dict(keys)


def language_of(user: User) -> str:
    """The language that the person has chosen; empty where the browser's is good for them."""
    try:
        return str(user.preferences.language)  # read together with the person, see `labeling.signing_in`
    except Preferences.DoesNotExist:
        return ""


def set_language(user: Person, language: str) -> None:
    """Choose one of the languages that pages speak; empty for the browser's. Raises `Invalid`."""
    one_of("language", language, ["", *dict(settings.LANGUAGES)])
    Preferences.objects.update_or_create(user_id=user.pk, defaults={"language": language})
