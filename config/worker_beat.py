"""A sign of life from each worker's main process: a key per queue in the broker, which expires by itself.

Reading it costs one round trip, however many workers there are, and a worker deep in a long task still counts.
`config.celery` adds the step to the application, `config.health` reads the keys.
"""

from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer

BEAT_SECONDS = 3.0
EXPIRY_SECONDS = 12
QUEUES = ("default", "model", "serve")


class WorkerBeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Part of a worker's consumer: says of each of its queues that somebody listens there."""

    requires = {"celery.worker.consumer.tasks:Tasks"}

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(consumer, **options)
        self.timer: Any = None

    def start(self, consumer: Consumer) -> None:
        """Beat now and from now on."""
        self._beat(consumer)
        self.timer = consumer.timer.call_repeatedly(BEAT_SECONDS, self._beat, (consumer,))

    def stop(self, consumer: Consumer) -> None:
        """No more beats; the last ones expire."""
        if self.timer is not None:
            self.timer.cancel()

    shutdown = stop

    def _beat(self, consumer: Consumer) -> None:
        # Not the consumer's own client: its connection is deep in a blocking read of the queues.
        client = consumer.app.backend.client
        for queue in consumer.task_consumer.queues:
            client.set(key(queue.name), 1, ex=EXPIRY_SECONDS)


def key(queue: str) -> str:
    """Where the sign of life of a queue's workers stands."""
    return f"goldset:alive:{queue}"
