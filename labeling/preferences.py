"""What a person has set for themselves, in all projects: which key does what on the annotate page.

Only differences from the defaults are stored; the defaults stand in static/js/annotate/keys.js.
"""

from collections.abc import Mapping

from django.db import transaction

from labeling.access import Person
from labeling.errors import Invalid
from labeling.models import Preferences

# What the annotate page can do, and how the profile page calls it.
COMMANDS: Mapping[str, str] = {
    "left": "Cursor left",
    "right": "Cursor right",
    "up": "Cursor up",
    "down": "Cursor down",
    "first": "First token",
    "last": "Last token",
    "previousSpan": "Previous span or suggestion",
    "nextSpan": "Next span or suggestion",
    "unsure": "Next suggestion, least certain first",
    "remove": "Remove the span",
    "back": "Remove the span, else back to the text before",
    "growStart": "Span's beginning out",
    "shrinkStart": "Span's beginning in",
    "growEnd": "Span's end out",
    "shrinkEnd": "Span's end in",
    "accept": "Accept the suggestion",
    "reject": "Reject the suggestion",
    "acceptAll": "Accept all suggestions",
    "rejectAll": "Reject all suggestions",
    "everywhere": "Every occurrence",
    "sticky": "Sticky label",
    "flag": "Flag the text",
    "comment": "Comment on the text",
    "find": "Find a label",
    "skip": "Skip",
    "submit": "Submit",
    "undo": "Undo",
    "redo": "Redo",
    "collapse": "Give up the selection",
    "help": "All keys",
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
