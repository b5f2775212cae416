"""Failed sign-ins, counted, so that guessing a password takes years: by address, and by name from one address.

Whoever guesses is made to wait; others who sign in with the same name from elsewhere are not. Counted in the broker's
server, for all web processes together. Where that does not answer, people can still sign in.
"""

import hashlib
import logging
import time
from collections.abc import Iterator

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

from labeling.errors import TooMany

logger = logging.getLogger(__name__)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def require_allowed(request: HttpRequest, name: str) -> None:
    """Raise `TooMany` where as many attempts failed as are allowed within the time."""
    for key, most, wait in _counters(request, name):
        if _count(key) >= most:
            raise TooMany(
                f"Too many failed attempts to sign in. Wait {_spoken(wait)}, then try again.", details={"wait": wait}
            )


def failed(request: HttpRequest, name: str) -> None:
    """Count an attempt that failed."""
    for key, _, wait in _counters(request, name):
        try:
            cache.add(key, 0, timeout=wait + 1)
            cache.incr(key)
        except (RedisError, ValueError):  # gone, or run out between the two
            logger.warning("failed sign-ins cannot be counted", exc_info=True)


def succeeded(request: HttpRequest, name: str) -> None:
    """Forget what failed with this name from this address."""
    for key, *_ in list(_counters(request, name))[1:]:
        try:
            cache.delete(key)
        except RedisError:
            logger.warning("failed sign-ins cannot be counted", exc_info=True)


def _counters(request: HttpRequest, name: str) -> Iterator[tuple[str, int, int]]:
    """Key, number allowed and seconds until the count begins anew: of the address, then of the name from it."""
    address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # it reads META; believes only our proxies
    for rate, who in ((settings.SIGN_IN_RATE, address), (settings.SIGN_IN_FAILURES, f"{address} {name.casefold()}")):
        number, _, period = rate.partition("/")
        seconds = _SECONDS[period[0]]
        window, passed = divmod(int(time.time()), seconds)
        digest = hashlib.sha256(f"{window} {who}".encode("utf-8", "surrogatepass")).hexdigest()
        yield f"sign-in:{digest}", int(number), seconds - passed


def _count(key: str) -> int:
    try:
        return int(cache.get(key, 0))
    except RedisError:
        logger.warning("failed sign-ins cannot be counted", exc_info=True)
        return 0


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
