"""An import whose worker, database or broker is killed at random moments: are the rows exactly right in the end?

    make bench-kills                                     ten kills of an import of 100,000 texts
    make bench-kills ARGS="--texts 5000 --rounds 3 --seed 2"

Starts the whole product as `make run` does, in a temporary folder. One import goes through undisturbed; each other one
must come to the same rows: texts, grids, splits, groups, tags, duplicates and the keys by which they are found.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

TARGETS = ("celery", "postgres", "redis-server")
STALE_SECONDS = 10

_ROWS = {
    "documents": """
SELECT count(*), md5(string_agg(md5(row(document.key, document.text, document.token_starts, document.token_ends,
       document.split, document.group_key, document.status, document.line, document.meta)::text), ''
       ORDER BY document.key)) FROM labeling_document AS document WHERE document.project_id = %s""",
    "annotations": """
SELECT count(*), md5(string_agg(md5(row(document.key, said.tags, said.state, said.accepted, said.revision)::text), ''
       ORDER BY document.key)) FROM labeling_annotation AS said
  JOIN labeling_document AS document ON document.id = said.document_id WHERE document.project_id = %s""",
    "duplicates": """
SELECT count(*), md5(string_agg(md5(row(document.key, first.key, twin.digest, twin.similarity)::text), ''
       ORDER BY document.key)) FROM datasets_app_duplicate AS twin
  JOIN labeling_document AS document ON document.id = twin.document_id
  JOIN labeling_document AS first ON first.id = twin.first_id WHERE twin.project_id = %s""",
    "keys": """
SELECT count(*), md5(string_agg(md5(row(known.key, document.key)::text), '' ORDER BY known.key))
  FROM datasets_app_textkey AS known JOIN labeling_document AS document ON document.id = known.document_id
 WHERE known.project_id = %s""",
}  # fmt: skip


@contextmanager
def product(folder: Path) -> Iterator[psutil.Process]:
    """The supervisor with all that it starts; Django in this process uses its servers."""
    from config.embedded import free_port

    environment = {**os.environ, "DATA_DIR": str(folder), "PORT": str(free_port()), "DEMO": "0"}
    environment["JOB_STALE_SECONDS"] = str(STALE_SECONDS)
    process = subprocess.Popen(
        [sys.executable, "-m", "config.up"], env=environment, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C stops" in line:
                break
        else:
            raise AssertionError("the product does not start")
        os.environ.update(json.loads((folder / "services.json").read_text()))
        os.environ.update(DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="config.settings", LOG_LEVEL="ERROR")
        import django

        django.setup()
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def persistent(work: Callable[[], Any]) -> Any:
    """The result of a query, however often the database has to be asked again."""
    from django.db import Error, connection

    end = time.monotonic() + 300
    while True:
        try:
            return work()
        except Error:
            assert time.monotonic() < end, "the database does not come back"
            connection.close()
            time.sleep(0.2)


def start(slug: str, path: Path) -> Any:
    """Queue an import of the file into a new project."""
    from django.contrib.auth.models import User

    from datasets_app import importing
    from labeling.models import Project

    user, _ = User.objects.get_or_create(username="bench")
    project = Project.objects.create(slug=slug, name=slug, created_by=user)
    with path.open("rb") as file:
        return importing.start(project, user, file, name=path.name, format="jsonl")


def await_job(job: Any, until: Callable[[Any], bool]) -> None:
    """Poll until the job is as asked, or over."""
    end = time.monotonic() + 3600
    while True:
        persistent(job.refresh_from_db)
        if until(job) or job.state not in job.ACTIVE:
            return
        assert time.monotonic() < end, "the import does not end"
        time.sleep(0.05)


def rows(job: Any) -> dict[str, Any]:
    """Counts and digests of all that an import writes, and what its job says of it."""
    from django.db import connection

    assert job.state == "succeeded", (job.state, job.message)
    found: dict[str, Any] = {"result": dict(job.result), "errors": job.error_count}
    with connection.cursor() as cursor:
        for name, query in _ROWS.items():
            cursor.execute(query, [job.project_id])
            found[name] = cursor.fetchone()
    return found


def kill(supervisor: psutil.Process, target: str) -> int:
    """`kill -9` of every process of that kind with all its children; how many there were."""
    victims: list[psutil.Process] = []
    for process in supervisor.children():
        with suppress(psutil.Error):
            if any(target in part for part in process.cmdline()):
                victims += [process, *process.children(recursive=True)]
    for victim in victims:
        with suppress(psutil.Error):
            victim.kill()
    return len(victims)


def main() -> None:
    """Print a line for each round; 1 if any came to other rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance, wrong = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as name:
        texts = Path(name) / "texts.jsonl"
        made = [sys.executable, "-m", "tests.bench.synthetic", str(given.texts), str(texts), os.devnull]
        subprocess.run(made, check=True)
        with product(Path(name) / "data") as supervisor:
            job = start("undisturbed", texts)
            await_job(job, lambda _: False)
            right = persistent(lambda: rows(job))
            print(f"undisturbed: {right['documents'][0]:,} texts, {right['duplicates'][0]:,} in groups", flush=True)
            assert right["documents"][0] == given.texts
            for number in range(given.rounds):
                target, share = chance.choice(TARGETS), chance.uniform(0.02, 0.98)
                job = persistent(lambda number=number: start(f"round-{number}", texts))
                await_job(job, lambda job, share=share: job.done >= share * given.texts)
                at = job.done
                killed = kill(supervisor, target)
                began = time.monotonic()
                await_job(job, lambda _: False)
                same = persistent(lambda job=job: rows(job)) == right
                wrong += not same
                print(
                    f"{number + 1:>2}. {target} ({killed} processes) killed at {at:,} texts, over"
                    f" {time.monotonic() - began:.0f} s later: {'the same rows' if same else 'OTHER ROWS'}",
                    flush=True,
                )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
