"""What can go wrong for a person, as exceptions with a code, a message and details.

Verbs raise these; the doors turn them into one JSON shape or one page (`config.errors`).
A message says what was wrong, where, and what to do.
"""

from collections.abc import Iterable
from typing import Any, ClassVar


class GoldsetError(Exception):
    """The base of every error that a caller is meant to read."""

    status: ClassVar[int] = 400
    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details or {}


class Invalid(GoldsetError):
    """The input cannot be taken as it is."""

    status, code = 400, "invalid"


def one_of(field: str, value: str, allowed: Iterable[str]) -> str:
    """The value, if it is one of those allowed; else `Invalid` that lists them."""
    allowed = list(allowed)
    if value not in allowed:
        listed = ", ".join(allowed)
        raise Invalid(f"{field} is {value!r}; use one of: {listed}.", details={"field": field, "allowed": allowed})
    return value


class Forbidden(GoldsetError):
    """The person is a member, but their role does not allow this."""

    status, code = 403, "forbidden"


class NotFound(GoldsetError):
    """There is no such row, or the person may not know of it: the two look alike."""

    status, code = 404, "not_found"


class Conflict(GoldsetError):
    """The row has changed meanwhile, or the change contradicts what is there."""

    status, code = 409, "conflict"


class TooLarge(GoldsetError):
    """The request is over a stated limit."""

    status, code = 413, "too_large"


class TooMany(GoldsetError):
    """Too often within too short a time; `wait` in the details says how many seconds are left."""

    status, code = 429, "throttled"


class Unavailable(GoldsetError):
    """A service that is needed does not answer."""

    status, code = 503, "unavailable"
