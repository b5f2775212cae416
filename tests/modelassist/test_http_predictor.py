"""Against a real HTTP server: what is sent, what comes back, retries, limits, and private addresses."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from labeling.errors import Invalid, Unavailable
from modelassist import http_predictor

DOCUMENT = {
    "text": "Ada left",
    "tokens": [{"text": "Ada", "start": 0, "end": 3}, {"text": "left", "start": 4, "end": 8}],
}
GOOD = {"documents": [{"tags": ["B-PER", "O"], "confidences": [0.9, 1.0]}]}


class Service:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = [(200, GOOD)]
        self.asked: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.asked.append({"body": body, "token": self.headers.get("Authorization"), "path": self.path})
                status, answer = service.answers[min(len(service.asked), len(service.answers)) - 1]
                raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tag?x=1"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(http_predictor, "_RETRIES", (0.0, 0.01, 0.01))
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def ask(service: Service) -> Callable[..., list[tuple[list[str], list[float]]]]:
    return lambda **options: http_predictor.ask(service.url, [DOCUMENT], private=True, **options)


def test_it_asks_and_reads(service: Service, ask) -> None:  # type: ignore[no-untyped-def]
    assert ask(token="s3cret") == [(["B-PER", "O"], [0.9, 1.0])]
    assert service.asked == [{"body": {"documents": [DOCUMENT]}, "token": "Bearer s3cret", "path": "/tag?x=1"}]
    service.answers = [(200, {"documents": [{"tags": ["O", "O"]}]})]
    assert ask() == [(["O", "O"], [1.0, 1.0])]


def test_it_tries_again_where_that_helps(service: Service, ask) -> None:  # type: ignore[no-untyped-def]
    service.answers = [(503, {}), (429, {}), (200, GOOD)]
    assert ask()
    assert len(service.asked) == 3
    service.asked.clear()
    service.answers = [(401, {})]
    with pytest.raises(Unavailable, match="answered 401"):
        ask()
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [b"<html>", [], {"documents": []}, {"documents": [{"tags": ["O", 1]}]}, {"documents": [{"confidences": [1, 1]}]},
     {"documents": [{"tags": ["O", "O"], "confidences": "high"}]}, {"documents": None}, b"\xff", b"[" * 5000],
    ids=repr,
)  # fmt: skip
def test_a_bad_answer_is_told(service: Service, ask, answer: Any) -> None:  # type: ignore[no-untyped-def]
    service.answers = [(200, answer)]
    with pytest.raises(Unavailable):
        ask()


def test_an_answer_in_drops_ends() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\na drop")
        response = http.client.HTTPResponse(ours)
        response.begin()
        with pytest.raises(TimeoutError, match="too long"):
            http_predictor._received(response, until=0.0)


def test_nobody_there_and_too_slow(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="failed"):
        http_predictor.ask("http://127.0.0.1:9/", [DOCUMENT], private=True, timeout=0.5)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "10.0.0.1",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
        "224.0.0.1",
        "2130706433",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_private_addresses_are_refused(service: Service, host: str) -> None:
    with pytest.raises(Invalid, match="private") as caught:
        http_predictor.ask(f"http://{host}:{service.server.server_port}/", [DOCUMENT])
    assert caught.value.code == "private_address"
    assert service.asked == []


def test_a_redirect_is_not_followed(service: Service, ask) -> None:  # type: ignore[no-untyped-def]
    service.answers = [(302, {})]
    with pytest.raises(Unavailable, match="answered 302"):
        ask()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x/",
        "http://",
        "x",
        "http://a:b@c/",
        "http://h:99999/",
        "file:///etc/passwd",
        "http://[::1",
        "http://[x]/",
        f"http://{'a' * 300}/",
        "http://h/ü",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(Invalid, match="no address"):
        http_predictor.checked_address(url)
