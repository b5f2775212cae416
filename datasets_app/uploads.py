"""Uploaded files on disk: kept for their job while it may still run, removed some time after."""

import re
import time
import uuid
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from datasets_app.models import Job
from labeling.errors import Invalid, TooLarge

KEEP_SECONDS = 7 * 24 * 3600


def folder() -> Path:
    """Where uploads lie."""
    path = Path(settings.DATA_DIR) / "uploads"
    path.mkdir(parents=True, exist_ok=True)
    return path


def receive(stream: BinaryIO) -> Path:
    """Write a stream to a new file; raises `TooLarge` above `settings.UPLOAD_MAX_BYTES`."""
    path, left = folder() / f"incoming-{uuid.uuid4().hex}", settings.UPLOAD_MAX_BYTES
    try:
        with path.open("wb") as file:
            while chunk := stream.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise too_large()
                file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def too_large() -> TooLarge:
    """The error for a file over the limit."""
    limit = settings.UPLOAD_MAX_BYTES
    return TooLarge(
        f"The file is larger than the {limit:,} bytes that this server takes; split it into parts.",
        details={"limit": limit},
    )


def keep(path: Path, *, job_id: int, name: str) -> Path:
    """Give a received file its job's name."""
    return path.rename(_path(job_id, name))


def share(old: Job, new: Job) -> None:
    """Give a job the file of another, without copying it; raises `Invalid` if it has been removed."""
    _path(new.pk, new.params["name"]).hardlink_to(path_of(old))


def path_of(job: Job) -> Path:
    """The file of an import; raises `Invalid` if it has been removed."""
    path = _path(job.pk, job.params["name"])
    if not path.exists():
        raise Invalid("The uploaded file is no longer there; upload it again.", code="upload_gone")
    return path


def _path(job_id: int, name: str) -> Path:
    # The name that the person gave it is kept as far as it is harmless.
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[-100:]
    return folder() / f"{job_id}-{safe}"


def remove_old(*, keep_seconds: float = KEEP_SECONDS) -> int:
    """Remove files of jobs that are over, and half-received ones, after some days; gives their number."""
    removed = 0
    for path in folder().iterdir():
        if path.stat().st_mtime < time.time() - keep_seconds and not _in_use(path.name):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _in_use(name: str) -> bool:
    number = name.partition("-")[0]
    return number.isdecimal() and Job.objects.filter(pk=int(number), state__in=Job.ACTIVE).exists()
