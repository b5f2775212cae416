"""How soon a text that is sent is tagged: through a real web process and the workers that serve.

    python -m tests.bench.bench_predict [--requests 300] [--clients 16]

One client alone, then as many at once; each asks again when it is answered, with one text. Without a corpus, the
bundled sentences serve.
"""

import argparse
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from modelassist.hyperparameters import Hyperparameters
from tests.bench import conll
from tests.bench.bench_data import Web, database
from tests.bench.bench_model import prepared, sentences, trained

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Print latencies and requests per second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    conll.add_data_option(parser)
    parser.add_argument("--corpus", default="wnut17")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--clients", type=int, default=16)
    asked = parser.parse_args()
    learned, _ = sentences(asked.data, asked.corpus)
    texts = [" ".join(words) for words, _ in learned]
    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder, database():
        trained(learned[:64], Hyperparameters(epochs=1), labels=conll.labels_of(learned)).save(Path(folder))
        project = prepared(folder, [words for words, _ in learned], 100)
        with Web(Path(folder), project.created_by) as web, _serve_worker():
            asking = _Asking(web, project)
            for text in texts[:40]:  # both workers load the network
                asking.seconds(text)
            for clients in (1, asked.clients):
                asking.table(itertools.islice(itertools.cycle(texts), asked.requests), clients)


@contextmanager
def _serve_worker() -> Iterator[None]:
    from django.conf import settings

    from config.up import SERVE_WORKER

    environment = {**os.environ, "SECRET_KEY": settings.SECRET_KEY}
    worker = subprocess.Popen([sys.executable, *SERVE_WORKER, "--loglevel", "ERROR"], env=environment, cwd=ROOT)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


class _Asking:
    """`POST predict` with one text, as a person's script does it."""

    def __init__(self, web: Web, project: object) -> None:
        from rest_framework.authtoken.models import Token

        token = Token.objects.create(user=project.created_by)
        self.port, self.address = web.port, f"/api/v1/projects/{project.slug}/predict"
        self.headers = {"Authorization": f"Token {token.key}", "Content-Type": "application/json"}

    def seconds(self, text: str) -> float:
        """Until the answer is there."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("POST", self.address, json.dumps({"texts": [text]}), self.headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, (answer.status, body[:500])
        return time.perf_counter() - began

    def table(self, texts: Iterator[str], clients: int) -> None:
        """One line of figures."""
        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            took = sorted(pool.map(self.seconds, texts))
        rate = len(took) / (time.perf_counter() - began)
        tail = took[int(len(took) * 0.95)]
        print(
            f"{clients:>3} clients: p50 {statistics.median(took) * 1e3:.0f} ms, p95 {tail * 1e3:.0f} ms,"
            f" {rate:.1f} requests/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
