"""Releasing a version to the Hugging Face Hub: its card and a Parquet file for each split, as one commit.

The operator's token (`settings.HUB_PUSH_TOKEN`) is sent to the Hub and stands in no job, event, message or log.
"""

import re
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import transaction

from datasets_app import export, jobs, uploads
from datasets_app.card import LABEL_CHART
from datasets_app.models import DatasetVersion, Job
from labeling.access import Person
from labeling.errors import Conflict, Invalid, Unavailable
from labeling.events import record

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def push(version: DatasetVersion, user: Person, *, repo: str, private: bool = True) -> Job:
    """Queue the release of a version as the data set `repo`; raises `Conflict` where the operator has set no token."""
    if not settings.HUB_PUSH_TOKEN:
        raise Conflict("This server has no token of the Hub, so it cannot release anything there.", code="no_token")
    if _REPO.fullmatch(repo) is None or ".." in repo or "--" in repo:
        raise Invalid(f"{repo!r:.200} is no name of a data set; give owner/name.", details={"field": "repo"})
    params = {"version": version.pk, "repo": repo, "private": private}
    return jobs.enqueue("push", project=version.project, user=user, params=params)


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler. Running twice gives the same files; the Hub makes no second commit of them."""
    version = DatasetVersion.objects.select_related("project").get(pk=job.params["version"])
    with TemporaryDirectory(dir=uploads.folder()) as place:
        for split in export.write_release(version, Path(place), repo=job.params["repo"]):
            yield jobs.Step(0, None, note=f"Writing {split}")
        yield jobs.Step(0, None, note="Sending")
        result = _sent(version, Path(place), **{name: job.params[name] for name in ("repo", "private")})
    with transaction.atomic():
        jobs.checkpoint(job, cursor={"sent": True})
        data = {"version": version.pk, "number": version.number, "repo": job.params["repo"], **result}
        record(version.project, job.created_by, "version.pushed", data=data)
    yield jobs.Step(1, 1)
    return {"repo": job.params["repo"], **result}


def _sent(version: DatasetVersion, folder: Path, *, repo: str, private: bool) -> dict[str, Any]:
    import httpx2  # what huggingface_hub speaks HTTP with
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(token=settings.HUB_PUSH_TOKEN)
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo,
            repo_type="dataset",
            folder_path=folder,
            commit_message=f"Version {version.number}",
            commit_description=f"Fingerprint {version.fingerprint}",
            delete_patterns=["data/*.parquet", LABEL_CHART],  # what an earlier version had and this one has not
        )
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        told = str(error).replace(settings.HUB_PUSH_TOKEN, "…").strip().partition("\n")[0][:300]
        raise Unavailable(f"The Hub does not take {repo}: {told or type(error).__name__}", code="hub_failed") from None
    return {"url": f"{api.endpoint}/datasets/{repo}", "commit": commit.oid}
