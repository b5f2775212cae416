"""What workers have done with the network, kept in the broker, where `config.metrics` reads it.

Each process of a worker adds its counts to the same fields, so that it does not matter how many there are or which of
them ended; their memory on the GPU stands under a key of its own, which expires with the process.
"""

import os
import socket
import sys
import threading
from typing import Any

import redis
from celery.signals import worker_process_init
from django.conf import settings

from modelassist import meter

SECONDS = 5.0
COUNTS_KEY = "goldset:meter"
GPU_KEY = "goldset:gpu:{}"
_GPU_EXPIRY = 60


@worker_process_init.connect  # type: ignore[untyped-decorator]
def begin(**_: Any) -> None:
    """Publish from now on, in a thread of its own: a task may last for hours."""
    threading.Thread(target=_publish, name="meter", daemon=True).start()


def _publish() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)
    never = threading.Event()
    while not never.wait(SECONDS):
        publish(client)


def publish(client: redis.Redis) -> None:
    """Add this process's counts to those of all; they are kept for the next time where the broker does not answer."""
    counts = meter.drain()
    try:
        with client.pipeline() as pipe:
            for name, value in counts.items():
                pipe.hincrbyfloat(COUNTS_KEY, name, value)
            if memory := _gpu_memory():
                pipe.set(GPU_KEY.format(f"{socket.gethostname()}:{os.getpid()}"), memory, ex=_GPU_EXPIRY)
            pipe.execute()
    except redis.RedisError:
        meter.count(**counts)


def _gpu_memory() -> int:
    """Bytes that this process holds on the GPU; 0 where it has not loaded torch, or there is none."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)  # another thread may be in the middle of loading it
    try:
        return int(cuda.memory_reserved()) if cuda is not None and cuda.is_initialized() else 0
    except AttributeError:
        return 0
