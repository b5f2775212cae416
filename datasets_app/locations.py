"""Files that the server fetches itself: from a path of its own, over HTTPS, from a store or from the Hugging Face Hub.

Only from where the operator permits it: `settings.IMPORT_FROM` lists beginnings such as `/srv/texts/`,
`https://data.example.org/public/`, `s3://bucket/` and `hf://`. Nothing is fetched from private addresses of the
network unless that is permitted too (`PRIVATE_LOCATIONS`).
"""

import http.client
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from django.conf import settings

from datasets_app import hub
from labeling.addresses import checked_address, connect, target
from labeling.errors import GoldsetError, Invalid, TooLarge, Unavailable

CHUNK = 1 << 20
TIMEOUT = 30.0  # seconds without a byte
REDIRECTS = 5
STORES = ("s3", "gs", "az", "abfs")
_SCHEME = re.compile(r"([a-z][a-z0-9]*)://", re.ASCII)


def checked(location: str) -> str:
    """The location if the operator permits it; raises `Invalid`. `owner/name` stands for a data set of the Hub."""
    location = _written_out(location.strip())
    if not settings.IMPORT_FROM:
        raise _refused("This server imports from no other place than an upload.", "locations_off")
    scheme = _scheme(location)
    if "\0" in location or "::" in location or scheme not in _FETCHERS:
        known = ", ".join(f"{name}://" for name in _FETCHERS if name)
        raise _refused(f"{location!r:.100} is neither a path nor begins with one of {known}.", "bad_location")
    if scheme == "":
        _permitted_path(location)
    elif not any(_begins(location, allowed) for allowed in settings.IMPORT_FROM):
        raise _refused(f"Importing from {_shown(location)} is not permitted here.", "location_not_allowed")
    if scheme in ("http", "https"):
        checked_address(location, field="location")
    if scheme == "hf":
        hub.parsed(location.removeprefix("hf://"))
    return location


def _written_out(location: str) -> str:
    for page in ("https://huggingface.co/datasets/", "hf://datasets/"):
        if location.startswith(page):
            return f"hf://{location.removeprefix(page).rstrip('/')}"
    named = location.count("/") == 1 and not location.startswith((".", "/")) and "//" not in location
    return f"hf://{location}" if named else location


def _scheme(location: str) -> str | None:
    """The scheme of an address, "" for an absolute path, None for what is neither."""
    if match := _SCHEME.match(location):
        return match[1]
    return "" if location.startswith("/") else None


def _begins(location: str, allowed: str) -> bool:
    """Whether a location lies below a permitted one, by whole parts of its path."""
    if _scheme(location) != _scheme(allowed):
        return False
    given, prefix = urlsplit(location), urlsplit(allowed)
    if allowed.endswith("://"):  # all of the scheme
        return True
    path = unquote(given.path)
    if ".." in path.split("/") or "\\" in path or given.netloc.lower() != prefix.netloc.lower():
        return False
    below = prefix.path.rstrip("/")
    return path == below or path.startswith(f"{below}/")


def _permitted_path(location: str) -> Path:
    """The file that a path leads to, links followed, if that lies in a permitted folder and not in our own data."""
    path = Path(location).resolve()
    folders = [Path(allowed).resolve() for allowed in settings.IMPORT_FROM if _scheme(allowed) == ""]
    own = Path(settings.DATA_DIR).resolve()
    # One answer for all: what lies elsewhere on the server is nobody's business.
    if not any(path.is_relative_to(folder) for folder in folders) or path.is_relative_to(own) or not path.is_file():
        raise _refused(f"There is no file {location!r:.200} that may be imported from here.", "location_not_allowed")
    return path


def _refused(message: str, code: str) -> Invalid:
    return Invalid(message, code=code, details={"field": "location"})


def _shown(location: str) -> str:
    """The location without what may be secret in it."""
    return location.partition("?")[0].partition("#")[0][:200]


def name_of(location: str) -> str:
    """The name of the file that will be there."""
    if location.startswith("hf://"):
        return f"{location.removeprefix('hf://').replace('/', '-')}.zip"
    return Path(unquote(urlsplit(location).path if _scheme(location) else location)).name[-200:] or "file"


# Fetching ------------------------------------------------------------------------------------------------


def fetch(location: str, target: Path) -> Iterator[int]:
    """Write what is there to a file; yields how many bytes are there. Raises `Invalid`, `TooLarge`, `Unavailable`."""
    location = checked(location)  # what was permitted when it was asked for may not be any more
    return _FETCHERS[_scheme(location) or ""](location, target)


def _from_path(location: str, target: Path) -> Iterator[int]:
    with _permitted_path(location).open("rb") as source:
        yield from _poured(source, target)


def _from_hub(location: str, target: Path) -> Iterator[int]:
    yield from hub.fetch(location.removeprefix("hf://"), target, limit=settings.UPLOAD_MAX_BYTES)


def _from_store(location: str, target: Path) -> Iterator[int]:
    """A store that fsspec knows, with what the server's environment says about it."""
    import fsspec

    try:
        with fsspec.open(location, "rb") as source:
            yield from _poured(source, target)
    except ImportError as error:
        raise Unavailable(f"This server cannot read {_scheme(location)}://: {error}", code="no_store") from error
    except GoldsetError:
        raise
    except Exception as error:  # each store's library has errors of its own, such as one for missing credentials
        raise _failed(location, error) from error


def _from_web(location: str, target: Path) -> Iterator[int]:
    try:
        with _Answer(location) as answer:
            yield from _poured(answer, target, length=answer.length)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(location, error) from error


def _failed(location: str, error: Exception) -> Unavailable:
    why = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)[:300] or type(error).__name__
    return Unavailable(f"{_shown(location)} cannot be fetched: {why}", code="fetch_failed")


class _Answer:
    """The body of what a GET answers, redirects followed as far as they are permitted."""

    def __init__(self, location: str) -> None:
        for _ in range(REDIRECTS + 1):
            self.connection, self.response = self._asked(urlsplit(location))
            to = self.response.headers.get("Location")
            if self.response.status not in (301, 302, 303, 307, 308) or not to:
                break
            self.connection.close()
            location = checked(urljoin(location, to))
        length = self.response.headers.get("Content-Length") or ""
        self.length = int(length) if length.isdecimal() else None
        if self.response.status != 200:
            self.connection.close()
            raise OSError(f"the server answers {self.response.status}")
        self.read = self.response.read

    def _asked(self, parts: SplitResult) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        if parts.scheme not in ("http", "https"):
            raise OSError("it leads to another kind of place")
        connection = connect(parts, timeout=TIMEOUT, private=settings.PRIVATE_LOCATIONS, field="location")
        try:
            connection.request("GET", target(parts), headers={"Accept": "*/*", "User-Agent": "goldset"})
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> "_Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def _poured(source: "IO[bytes] | _Answer", target: Path, *, length: int | None = None) -> Iterator[int]:
    limit, done = settings.UPLOAD_MAX_BYTES, 0
    with target.open("wb") as out:
        while True:
            if max(done, length or 0) > limit:
                message = f"The file is larger than the {limit:,} bytes that this server takes; split it into parts."
                raise TooLarge(message, details={"limit": limit})
            yield done
            if not (chunk := source.read(CHUNK)):
                break
            out.write(chunk)
            done += len(chunk)
    if length is not None and done != length:
        raise OSError(f"only {done:,} of {length:,} bytes have come")


_FETCHERS: dict[str, Callable[[str, Path], Iterator[int]]] = {
    "": _from_path,
    "https": _from_web,
    "http": _from_web,
    "hf": _from_hub,
    **dict.fromkeys(STORES, _from_store),
}
