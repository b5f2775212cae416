"""Requests to tag texts that wait in the broker, so that a worker takes all that wait at once; knows no models.

The web process puts a request on its model's list, wakes a worker and waits for the answer under a key of its own.
The first worker to come takes what is on the list; those that are woken later find nothing and are free again.
"""

import json
import math
import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import redis
from django.conf import settings

REQUESTS_MAX = 32  # taken at once
WORDS_ENOUGH = 2_048  # with so many, no further request is taken: a small one is not to wait for many large ones
_LIST = "goldset:texts:{}"
_ANSWER = "goldset:tagged:{}"
_LOOK_SECONDS = 2  # how long one wait in the broker lasts: less than its answers may take
_KEEP_SECONDS = 60  # an answer that nobody fetched


class Request(NamedTuple):
    """Texts as words, where the answer goes, and until when somebody waits for it (seconds of the epoch)."""

    key: str
    until: float
    words: list[list[str]]


def ask(model: int, words: list[list[str]], *, wake: Callable[[], object], wait: float) -> dict[str, Any] | None:
    """What a worker answers; None if it does not within `wait` seconds. Raises `redis.RedisError`."""
    request = Request(_ANSWER.format(uuid.uuid4().hex), time.time() + wait, words)
    with _broker().pipeline() as pipe:
        pipe.rpush(_LIST.format(model), json.dumps(request))
        pipe.expire(_LIST.format(model), math.ceil(wait))
        pipe.execute()
    wake()
    while (left := request.until - time.time()) > 0:
        found = _broker().blpop([request.key], timeout=min(left, _LOOK_SECONDS))
        if found is not None:
            answer: dict[str, Any] = json.loads(found[1])
            return answer
    return None


def take(model: int) -> list[Request]:
    """The first requests that wait for a model and that somebody still waits for."""
    taken: list[Request] = []
    while len(taken) < REQUESTS_MAX and sum(len(words) for each in taken for words in each.words) < WORDS_ENOUGH:
        found: Any = _broker().lpop(_LIST.format(model))
        if found is None:
            break
        request = Request(*json.loads(found))
        taken += [request] if request.until > time.time() else []
    return taken


def answer(request: Request, value: dict[str, Any]) -> None:
    """Give it to who waits."""
    with _broker().pipeline() as pipe:
        pipe.rpush(request.key, json.dumps(value))
        pipe.expire(request.key, _KEEP_SECONDS)
        pipe.execute()


@cache
def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)
