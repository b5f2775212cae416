"""A predictor behind HTTP: any service that answers the documented JSON; knows no Django.

It is sent `{"documents": [{"text", "tokens": [{"text", "start", "end"}]}]}` by POST and answers
`{"documents": [{"tags": [...], "confidences": [...]?}]}`, a tag per token. The address is looked up once per
request and must not be private, unless allowed: what a manager types must not reach the servers beside ours.
"""

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from labeling.addresses import checked_address, connect, target
from labeling.errors import Unavailable

__all__ = ["ask", "checked_address"]

ANSWER_MAX = 50_000_000  # bytes
_RETRIES = (0.0, 0.5, 2.0)  # seconds of waiting before each attempt
_AGAIN = {429, 500, 502, 503, 504}


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
    connection = connect(parts, timeout=timeout, private=private)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("POST", target(parts), body, headers)
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


def _read(answer: bytes, documents: Sequence[dict[str, Any]]) -> list[tuple[list[str], list[float]]]:
    """What was said of each document, in shape; whether tags fit their document is for the caller to judge."""
    try:
        rows = json.loads(answer)["documents"]
        read = [(list(row["tags"]), _confidences(row)) for row in rows]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unavailable(f"The predictor's answer cannot be read: {error}", code="predictor_failed") from error
    if len(read) != len(documents):
        message = f"The predictor answered {len(read)} documents of {len(documents)}."
        raise Unavailable(message, code="predictor_failed")
    if not all(isinstance(tag, str) for tags, _ in read for tag in tags):
        raise Unavailable("The predictor gave a tag that is no text.", code="predictor_failed")
    return read


def _confidences(row: dict[str, Any]) -> list[float]:
    return [float(one) for one in row.get("confidences") or [1.0] * len(row["tags"])]
