"""Whether this process lives (/healthz), and whether the whole system can work (/readyz).

Workers are asked by the keys that `config.worker_beat` has them write: one round trip to the broker.
"""

from functools import cache

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.errors import body
from config.worker_beat import QUEUES, key


def forget_workers() -> None:
    """Remove the beats of workers that a crash ended. Those that live write theirs again in a moment."""
    broker().delete(*map(key, QUEUES))


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the web process lives; touches nothing else."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker and a worker for each queue answer; else 503, naming what is missing."""
    if not (absent := missing()):
        return JsonResponse({"status": "ready"})
    message = f"Not ready: {', '.join(absent)} missing."
    return JsonResponse(body("not_ready", message, {"missing": absent}), status=503)


def missing() -> list[str]:
    """What does not answer: `database`, `broker`, `worker for queue ...`."""
    return [*_database_missing(), *_workers_missing()]


def _database_missing() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return ["database"]
    return []


def _workers_missing() -> list[str]:
    try:
        beats = broker().mget(map(key, QUEUES))
    except redis.RedisError:
        return ["broker"]
    return [f"worker for queue {queue}" for queue, beat in zip(QUEUES, beats, strict=True) if beat is None]


@cache
def broker() -> redis.Redis:
    """A client of the broker that gives up after two seconds."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
