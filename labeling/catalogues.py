"""Translations beyond `gettext`: the texts of the scripts, and messages that were made, or stored, in English.

What a verb raises and what a worker writes down about a job is English, whoever reads it: scripts compare it, and the
reader's language is not known yet. `retold` puts such a message into the language of the request when it is shown:
the catalogue `messages` holds the patterns of all messages ("{name} is not a label."), and the one that fits is
translated, with what stood in its places.
"""

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation.trans_real import DjangoTranslation

PLACE = re.compile(r"\{(\w+)\}")


def of_scripts() -> dict[str, str | list[str]]:
    """The texts of static/js in the language of the request: one, or its plural forms."""
    return _scripts(get_language() or settings.LANGUAGE_CODE)


@cache
def _scripts(language: str) -> dict[str, str | list[str]]:
    texts: dict[str, str | list[str]] = {}
    for text, told in sorted(_catalogue(language, "djangojs").items(), key=str):
        if not isinstance(text, tuple):
            texts[text] = told
        elif isinstance(forms := texts.setdefault(text[0], []), list):
            forms.append(told)
    return texts


def retold(message: str) -> str:
    """The message in the language of the request, as far as the catalogue knows its pattern."""
    for pattern, told in _patterns(get_language() or settings.LANGUAGE_CODE):
        if found := pattern.fullmatch(message):
            return _filled(told, {name: retold(value) for name, value in found.groupdict().items()})
    return message


def _filled(text: str, values: dict[str, str]) -> str:
    return PLACE.sub(lambda place: values[place[1]], text)


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The patterns of messages with their translations, those that say most first."""
    patterns = _catalogue(language, "messages").items()
    longest_first = sorted(patterns, key=lambda row: len(PLACE.sub("", row[0])), reverse=True)
    return [(_expression(text), told) for text, told in longest_first]


def _expression(text: str) -> re.Pattern[str]:
    """`{name} is unknown.` as an expression with a named group for each place."""
    pieces = PLACE.split(text)  # literal, name, literal, …
    parts = (f"(?P<{piece}>.*?)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    return re.compile("".join(parts), re.DOTALL)


def _catalogue(language: str, domain: str) -> dict[Any, str]:
    """All texts of a domain; none for the language in which they are written."""
    if language == settings.LANGUAGE_CODE:
        return {}
    paths = [str(path) for path in settings.LOCALE_PATHS]
    found = DjangoTranslation(language, domain=domain, localedirs=paths)._catalog  # type: ignore[attr-defined]
    return {text: told for text, told in found.items() if text} if found else {}
