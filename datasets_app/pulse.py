"""The heartbeat of a running job: what shows others that its worker lives, and tells the worker to stop."""

import logging
import threading
from typing import Self

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.functions import Greatest, Now

from datasets_app.models import Job
from datasets_app.stopping import Cancelled, LostClaim

logger = logging.getLogger(__name__)


class Pulse:
    """The heartbeat of a claimed job, from a thread of its own with a connection of its own."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lost = self.cancelled = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse of job {job.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise `LostClaim` or `Cancelled` if the last beat saw a reason to stop."""
        if self.lost:
            raise LostClaim
        if self.cancelled:
            raise Cancelled

    def _beat(self) -> None:
        try:
            while not self._over.wait(settings.JOB_STALE_SECONDS / 5):
                try:
                    self._beat_once()
                except DatabaseError as error:  # tried again at the next beat
                    logger.warning("job %s: no heartbeat: %s", self.job.pk, error)
                    connection.close()
        finally:
            connection.close()

    def _beat_once(self) -> None:
        rows = Job.objects.filter(pk=self.job.pk)
        mine = rows.filter(claimed_by=self.job.claimed_by, state=Job.State.RUNNING)
        # It may have waited for a long batch to end, whose own beat is the later one then: never back in time.
        if mine.update(heartbeat=Greatest("heartbeat", Now())):
            self.cancelled = mine.filter(cancel_requested=True).exists()
        else:
            # A row that this connection does not see yet is not lost: its transaction is still open.
            self.lost = rows.exists()
