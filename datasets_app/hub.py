"""Data sets of the Hugging Face Hub: the files of one, taken out as they are, without running anything of it.

The Hub keeps most data sets as Parquet too, on a branch of its own; that is taken where it is there, and else the
files of the repository that look like data. Public ones only: no token of the server goes along.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from labeling.errors import Invalid, TooLarge, Unavailable

PARQUET = "refs/convert/parquet"
_ENDINGS = (".parquet", ".jsonl", ".json", ".conll", ".iob2", ".bio", ".csv", ".tsv", ".txt")
_NAME = re.compile(r"(?P<repo>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[\w.-]+))?(?::(?P<config>[\w.-]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A data set: `owner/name`, with `@revision` and `:configuration` where they are told."""

    repo: str
    revision: str | None
    config: str | None


def parsed(name: str) -> Wanted:
    """A data set by its name; raises `Invalid`."""
    match = _NAME.fullmatch(name)
    if match is None or ".." in name:
        raise Invalid(
            f"{name!r:.100} is no data set of the Hub; give owner/name, with @revision or :configuration if need be.",
            details={"field": "location"},
        )
    return Wanted(match["repo"], match["revision"], match["config"])


def fetch(name: str, target: Path, *, limit: int) -> Iterator[int]:
    """Write a data set's files into a ZIP; yields how many bytes are there. Raises `Unavailable`, `Invalid`."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError

    wanted = parsed(name)
    try:
        yield from _fetched(HfApi(token=False), wanted, target, limit)
    except HFValidationError as error:
        raise Invalid(f"The Hub takes {name!r:.100} for no data set: {error}", details={"field": "location"}) from error
    except _failures() as error:
        message = str(error).strip().partition("\n")[0][:300] or type(error).__name__
        raise Unavailable(
            f"The data set {wanted.repo} cannot be had from the Hub: {message}", code="hub_failed"
        ) from error


def _failures() -> tuple[type[Exception], ...]:
    import httpx2  # what huggingface_hub speaks HTTP with
    from huggingface_hub.errors import HfHubHTTPError

    return (HfHubHTTPError, httpx2.HTTPError, OSError)


def _fetched(api: Any, wanted: Wanted, target: Path, limit: int) -> Iterator[int]:
    revision, files = _files(api, wanted)
    if sum(size for _, size in files) > limit:
        raise TooLarge(
            f"The data set has more than the {limit:,} bytes that this server takes.", details={"limit": limit}
        )
    done = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive, TemporaryDirectory(dir=target.parent) as place:
        for path, size in files:
            yield done
            got = api.hf_hub_download(wanted.repo, path, repo_type="dataset", revision=revision, local_dir=place)
            archive.write(got, path)
            Path(got).unlink()
            done += size
    yield done


def _files(api: Any, wanted: Wanted) -> tuple[str | None, list[tuple[str, int]]]:
    """The revision, and its data files with their sizes."""
    from huggingface_hub.errors import HfHubHTTPError

    if wanted.revision is None:
        try:
            return PARQUET, _chosen(_listed(api, wanted.repo, PARQUET), wanted)
        except HfHubHTTPError:
            pass  # it has none, or is not there at all: then the next look says so
    return wanted.revision, _chosen(_listed(api, wanted.repo, wanted.revision), wanted)


def _listed(api: Any, repo: str, revision: str | None) -> list[tuple[str, int]]:
    tree = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type="dataset")
    files = [(entry.path, entry.size) for entry in tree if getattr(entry, "size", None) is not None]
    return [(path, size) for path, size in files if PurePosixPath(path).suffix.lower() in _ENDINGS]


def _chosen(files: list[tuple[str, int]], wanted: Wanted) -> list[tuple[str, int]]:
    """The files of one configuration, if their folders are configurations."""
    tables = [file for file in files if file[0].endswith(".parquet")] or files
    configs = sorted({path.split("/")[0] for path, _ in tables if path.count("/") == 2})
    if wanted.config or len(configs) > 1:
        config = wanted.config or ("default" if "default" in configs else None)
        tables = [(path, size) for path, size in tables if config and path.startswith(f"{config}/")]
        if not tables:
            raise Invalid(
                f"{wanted.repo} has the configurations {', '.join(configs) or 'none'}; name one as {wanted.repo}:one.",
                details={"field": "location", "allowed": configs},
            )
    if not tables:
        raise Invalid(f"{wanted.repo} holds no file that Goldset reads.", details={"field": "location"})
    return tables
