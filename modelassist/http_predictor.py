"""A predictor behind HTTP: any service that answers the documented JSON; knows no Django.

It is sent `{"documents": [{"text", "tokens": [{"text", "start", "end"}]}]}` by POST and answers
`{"documents": [{"tags": [...], "confidences": [...]?}]}`, a tag per token. The address is looked up once per
request and must not be private, unless allowed: what a manager types must not reach the servers beside ours.
"""

import http.client
import ipaddress
import json
import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from labeling import bio
from labeling.errors import Invalid, Unavailable

ANSWER_MAX = 50_000_000  # bytes
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in another's clothes
_RETRIES = (0.0, 0.5, 2.0)  # seconds of waiting before each attempt
_AGAIN = {429, 500, 502, 503, 504}


def checked_address(url: str) -> str:
    """The address if it can be one; raises `Invalid`."""
    try:
        parts = urlsplit(url)
        parts.netloc.encode("idna")
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        good = good and url.isascii() and not (parts.username or parts.password)
    except ValueError:
        good = False
    if not good:
        raise Invalid(
            f"{url!r:.100} is no address of a service; give http:// or https:// with a host, all of it in ASCII,"
            " and no password in it.",
            code="bad_address",
            details={"field": "url"},
        )
    return url


def ask(
    url: str, documents: Sequence[dict[str, Any]], *, token: str = "", timeout: float = 30.0, private: bool = False
) -> list[tuple[list[str], list[float]]]:
    """Tags and confidences of each document; raises `Unavailable` where the service does not answer as it should."""
    parts = urlsplit(checked_address(url))
    body = json.dumps({"documents": documents}).encode()
    reason = ""
    for wait in _RETRIES:
        time.sleep(wait)
        try:
            status, answer = _post(parts, body, token=token, timeout=timeout, private=private)
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            continue
        if status == 200:
            return _read(answer, documents)
        reason = f"it answered {status}"
        if status not in _AGAIN:
            break
    raise Unavailable(f"The predictor at {parts.netloc} failed: {reason}.", code="predictor_failed")


def _post(parts: SplitResult, body: bytes, *, token: str, timeout: float, private: bool) -> tuple[int, bytes]:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _public(parts.hostname or "", port, private=private)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", port, timeout=timeout)
    # To the very address that was looked at: the name might stand for another one a moment later.
    connection._create_connection = lambda _, *rest: socket.create_connection((address, port), *rest)  # type: ignore[attr-defined]
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, headers)
        response = connection.getresponse()
        answer = _received(response, until=time.monotonic() + timeout)
    finally:
        connection.close()
    return response.status, answer


def _received(response: http.client.HTTPResponse, *, until: float) -> bytes:
    """The body, which must not come in drops for ever; raises `TimeoutError`, or `Unavailable` if it is too long."""
    pieces, length = [], 0
    while piece := response.read1(1 << 16):
        pieces.append(piece)
        length += len(piece)
        if length > ANSWER_MAX:
            raise Unavailable("The predictor's answer is too long.", code="predictor_failed")
        if time.monotonic() > until:
            raise TimeoutError("it takes too long to answer")
    return b"".join(pieces)


def _public(host: str, port: int, *, private: bool) -> str:
    """An address of the host; raises `Invalid` where one of them is private and that is not allowed."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if not private and not _is_public(address):
            message = f"{host} is at {address}, a private address; the operator can allow those."
            raise Invalid(message, code="private_address", details={"field": "url"})
    return found[0]


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    if parsed in _NAT64:
        inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return (inner or parsed).is_global and not (inner or parsed).is_multicast


def _read(answer: bytes, documents: Sequence[dict[str, Any]]) -> list[tuple[list[str], list[float]]]:
    try:
        rows = json.loads(answer)["documents"]
        read = [(list(row["tags"]), _confidences(row)) for row in rows]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unavailable(f"The predictor's answer cannot be read: {error}", code="predictor_failed") from error
    lengths = [len(document["tokens"]) for document in documents]
    if [len(tags) for tags, _ in read] != lengths or [len(sure) for _, sure in read] != lengths:
        raise Unavailable("The predictor did not give one tag per token.", code="predictor_failed")
    for tags, sure in read:
        if not all(isinstance(tag, str) for tag in tags) or bio.illegal_index(tags) is not None:
            raise Unavailable("The predictor gave tags that are not IOB2.", code="predictor_failed")
        if not all(0 <= one <= 1 for one in sure):
            raise Unavailable("The predictor gave a confidence outside 0 to 1.", code="predictor_failed")
    return read


def _confidences(row: dict[str, Any]) -> list[float]:
    return [float(one) for one in row.get("confidences") or [1.0] * len(row["tags"])]
