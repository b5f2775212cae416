"""Uploaded files on disk: kept for their job while it may still run, removed some time after.

A large file may come in parts: `begin` it, `append` parts at the offset that `received` tells, `take` it for its job.
What has arrived of a part that breaks off stays, so that a client goes on where it was cut off.
"""

import fcntl
import re
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.utils import timezone

from datasets_app.models import Job, Upload
from labeling.access import Person
from labeling.errors import Conflict, GoldsetError, Invalid, TooLarge
from labeling.models import Project

KEEP_SECONDS = 7 * 24 * 3600


def folder() -> Path:
    """Where uploads lie."""
    path = Path(settings.DATA_DIR) / "uploads"
    path.mkdir(parents=True, exist_ok=True)
    return path


def receive(stream: BinaryIO) -> Path:
    """Write a stream to a new file; raises `TooLarge` above `settings.UPLOAD_MAX_BYTES`."""
    path = folder() / f"incoming-{uuid.uuid4().hex}"
    try:
        with path.open("wb") as file:
            _pour(stream, file, settings.UPLOAD_MAX_BYTES, too_large)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _pour(stream: BinaryIO, file: BinaryIO, most: int, complaint: Callable[[], GoldsetError]) -> None:
    while chunk := stream.read(1 << 20):
        most -= len(chunk)
        if most < 0:
            raise complaint()
        file.write(chunk)


# In parts ------------------------------------------------------------------------------------------------


def begin(project: Project, user: Person, *, name: str, size: int) -> Upload:
    """A file of `size` bytes that is to come in parts; raises `TooLarge` above `settings.UPLOAD_MAX_BYTES`."""
    if size > settings.UPLOAD_MAX_BYTES:
        raise too_large()
    upload = Upload.objects.create(project=project, created_by_id=user.pk, name=name, size=size)
    _part(upload).touch()
    return upload


def received(upload: Upload) -> int:
    """How many of its bytes are there; raises `Invalid` if they have been removed."""
    try:
        return _part(upload).stat().st_size
    except FileNotFoundError:
        raise _gone() from None


def append(upload: Upload, stream: BinaryIO, *, offset: int) -> int:
    """Add a part that begins at `offset`; gives how many bytes are there then.

    Raises `Conflict` with the right `offset` if that is another, or if another part is just coming in.
    """
    try:
        file = _part(upload).open("r+b")
    except FileNotFoundError:
        raise _gone() from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _elsewhere(upload, "Another part of the file is just coming in; go on after it.") from None
        if offset != received(upload):
            raise _elsewhere(upload, f"The part begins at {offset:,}, but the file is there up to another place.")
        file.seek(offset)
        _pour(stream, file, upload.size - offset, lambda: _overfull(upload))
    return received(upload)


def _overfull(upload: Upload) -> Invalid:
    message = f"The part goes beyond the {upload.size:,} bytes that the file was said to have."
    return Invalid(message, code="too_long", details={"size": upload.size, "offset": received(upload)})


def _elsewhere(upload: Upload, message: str) -> Conflict:
    return Conflict(message, code="wrong_offset", details={"offset": received(upload)})


def take(upload: Upload, job: Job) -> None:
    """Give a whole upload to its job, in the transaction that makes the job."""
    _path(job.pk, upload.name).hardlink_to(_part(upload))


def discard(upload: Upload) -> None:
    """Forget an upload, and what is there of it."""
    _part(upload).unlink(missing_ok=True)
    upload.delete()


def part_of(upload: Upload) -> Path:
    """The file of a whole upload; raises `Conflict` while something of it is missing."""
    if (there := received(upload)) < upload.size:
        raise _elsewhere(upload, f"Only {there:,} of the file's {upload.size:,} bytes are there; send the others.")
    return _part(upload)


def as_json(upload: Upload) -> dict[str, Any]:
    """The REST shape."""
    return {"upload": str(upload.pk), "name": upload.name, "size": upload.size, "offset": received(upload)}


def _part(upload: Upload) -> Path:
    return folder() / f"part-{upload.pk.hex}"


# Kept for a job ------------------------------------------------------------------------------------------


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


def place_for(job: Job, ending: str = "") -> Path:
    """Where the file of a job is to lie that fetches it itself."""
    path = _path(job.pk, job.params["name"])
    return path.with_name(path.name + ending)


def path_of(job: Job) -> Path:
    """The file of an import; raises `Invalid` if it has been removed."""
    path = _path(job.pk, job.params["name"])
    if not path.exists():
        raise _gone()
    return path


def _gone() -> Invalid:
    return Invalid("The uploaded file is no longer there; upload it again.", code="upload_gone")


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
    Upload.objects.filter(created_at__lt=timezone.now() - timedelta(seconds=keep_seconds)).delete()
    return removed


def _in_use(name: str) -> bool:
    number = name.partition("-")[0]
    return number.isdecimal() and Job.objects.filter(pk=int(number), state__in=Job.ACTIVE).exists()
