"""A small client of our own REST API, with nothing but the standard library. `config.demo` drives the loop by it:
sign in, send JSON or a file, wait for a job, download.
"""

import json
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Self

PAUSE_SECONDS = 0.3


class Refused(Exception):
    """The server said no: its status, code and message."""

    def __init__(self, call: str, status: int, code: str, message: str) -> None:
        super().__init__(f"{call}: {status} {code}: {message}")
        self.status, self.code = status, code


class JobFailed(Exception):
    """A job ended in another state than `succeeded`."""


@dataclass(frozen=True)
class Client:
    """One person's access to one server."""

    address: str
    token: str = ""

    @classmethod
    def sign_in(cls, address: str, username: str, password: str) -> Self:
        """Trade a login for a token. Raises `Refused`."""
        given = cls(address).post("auth/token", {"username": username, "password": password})
        return cls(address, given["token"])

    def get(self, path: str) -> Any:
        """The JSON at an address below /api/v1/."""
        return self._json("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        """Send JSON; None when the answer is empty (204)."""
        return self._json("POST", path, json.dumps(body or {}).encode(), "application/json")

    def put(self, path: str, body: object) -> Any:
        """Replace by JSON."""
        return self._json("PUT", path, json.dumps(body).encode(), "application/json")

    def patch(self, path: str, body: object) -> Any:
        """Change by JSON."""
        return self._json("PATCH", path, json.dumps(body).encode(), "application/json")

    def delete(self, path: str) -> Any:
        """Take away."""
        return self._json("DELETE", path)

    def upload(self, path: str, *, name: str, content: bytes, **fields: str) -> Any:
        """Send one file with form fields."""
        boundary = secrets.token_hex(16)
        parts = [
            f'Content-Disposition: form-data; name="{field}"\r\n\r\n{value}'.encode() for field, value in fields.items()
        ]
        parts.append(f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content)
        lines = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
        body = lines + f"--{boundary}--\r\n".encode()
        return self._json("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def download(self, path: str) -> bytes:
        """The bytes at an address below /api/v1/."""
        return self._send("GET", path, None, "")

    def finished(self, job: int, *, seconds: float = 1800) -> dict[str, Any]:
        """Wait for a job and give it; raises `JobFailed` when it does not succeed in time."""
        deadline = time.monotonic() + seconds
        while (shown := self.get(f"jobs/{job}"))["state"] in ("queued", "running"):
            if time.monotonic() > deadline:
                raise JobFailed(f"Job {job} ({shown['kind']}) is still {shown['state']} after {seconds:.0f} s.")
            time.sleep(PAUSE_SECONDS)
        if shown["state"] != "succeeded":
            raise JobFailed(f"Job {job} ({shown['kind']}) {shown['state']}: {shown.get('message', '')}")
        return dict(shown)

    def _json(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
        answer = self._send(method, path, body, kind)
        return json.loads(answer) if answer else None

    def _send(self, method: str, path: str, body: bytes | None, kind: str) -> bytes:
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", data=body, method=method)  # noqa: S310
        if kind:
            request.add_header("Content-Type", kind)
        if self.token:
            request.add_header("Authorization", f"Token {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as refused:
            raise _refusal(f"{method} {path}", refused) from refused


def _refusal(call: str, answer: urllib.error.HTTPError) -> Refused:
    try:
        error = json.load(answer)["error"]
        return Refused(call, answer.code, error["code"], error["message"])
    except (ValueError, LookupError):
        return Refused(call, answer.code, "unreadable", answer.reason)
