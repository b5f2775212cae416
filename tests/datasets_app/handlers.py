"""A job for tests: counts, writing each number in one transaction with its checkpoint."""

import time
from collections.abc import Generator
from typing import Any

from django.db import transaction

from datasets_app import jobs
from datasets_app.models import Job
from datasets_app.records import Failure
from labeling.errors import Invalid
from labeling.events import record


def count(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    total = job.params["total"]
    for number in range(job.cursor or 0, total):
        if number == job.params.get("bad"):
            raise Invalid("Number 3 is bad; leave it out.", code="bad_number")
        if number == job.params.get("bug"):
            raise ZeroDivisionError("a bug")
        with transaction.atomic():
            jobs.checkpoint(job, cursor=number + 1, done=number + 1)
            record(job.project, None, "counted", data={"number": number})
            jobs.note_failures(job, [Failure(number, "odd", f"{number} is odd")] if number % 2 else [])
        yield jobs.Step(number + 1, total, note=f"at {number}")
        time.sleep(job.params.get("pause", 0))
    return {"counted": total}
