"""A stand-in for the Hugging Face Hub: enough of its HTTP to list, download and commit files of data sets."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from unittest import mock
from urllib.parse import unquote


class Hub:
    """What the stub holds, `{(repo, revision): {path: bytes}}`, and what it was asked: method, path, token."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], dict[str, bytes]] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.refuses = 0  # a status with which commits are answered
        self.private: dict[str, bool] = {}


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        self._note()
        path = unquote(self.path.partition("?")[0])
        if path.startswith("/api/datasets/") and "/tree/" in path:
            repo, _, revision = path.removeprefix("/api/datasets/").partition("/tree/")
            files = self.hub.files.get((repo, revision))
            if files is None:
                return self._answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            rows = [{"type": "file", "path": name, "size": len(data), "oid": "x"} for name, data in files.items()]
            return self._answer(200, rows)
        if path.startswith("/datasets/") and "/resolve/" in path:
            return self._file(path)
        return self._answer(404, {"error": path})

    do_HEAD = do_GET

    def _file(self, path: str) -> None:
        repo, _, rest = path.removeprefix("/datasets/").partition("/resolve/")
        for (name, revision), files in self.hub.files.items():
            if (
                name == repo
                and rest.startswith(f"{revision}/")
                and (data := files.get(rest.removeprefix(f"{revision}/")))
            ):
                headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": "c" * 40}
                return self._answer(200, data, headers)
        return self._answer(404, {"error": path}, {"X-Error-Code": "EntryNotFound"})

    def do_POST(self) -> None:
        self._note()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        if self.path == "/api/repos/create":
            given = json.loads(body)
            name = f"{given.get('organization')}/{given['name']}"
            self.hub.private[name] = given.get("private", given.get("visibility") == "private")
            self.hub.files.setdefault((name, "main"), {})
            return self._answer(200, {"url": f"{self._home}/datasets/x/y", "id": "x/y"})
        if self.path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(body)["files"]
            ]
            return self._answer(200, {"files": files, "commitOid": "c" * 40})
        if "/commit/" in self.path:
            if self.hub.refuses:
                return self._answer(self.hub.refuses, {"error": "You may not write here"})
            repo, _, revision = self.path.removeprefix("/api/datasets/").partition("?")[0].partition("/commit/")
            kept = self.hub.files.setdefault((repo, revision), {})
            for line in filter(None, body.split(b"\n")):
                one = json.loads(line)
                if one["key"] == "file":
                    kept[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
                elif one["key"].startswith("deleted"):
                    kept.pop(one["value"]["path"], None)
            commit = f"{self._home}/datasets/{repo}/commit/{'c' * 40}"
            return self._answer(200, {"commitUrl": commit, "commitOid": "c" * 40, "pullRequestUrl": None})
        return self._answer(404, {"error": self.path})

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    @property
    def _home(self) -> str:
        return f"http://{self.headers['Host']}"

    def _note(self) -> None:
        self.hub.requests.append((self.command, self.path, self.headers.get("Authorization")))

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(data)),
            "Content-Type": "application/json",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Hub]:
    """The stub in the place of the Hub, for this process."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with at(f"http://127.0.0.1:{server.server_port}"):
            yield hub
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def at(address: str) -> Iterator[None]:
    """The Hub at another address."""
    import huggingface_hub.constants as constants

    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    with (
        mock.patch.object(constants, "ENDPOINT", address),
        mock.patch.object(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template),
        mock.patch.object(constants, "HF_HUB_OFFLINE", False),
    ):
        yield
