"""How fast texts come in and go out, beside what PostgreSQL's own COPY does in the same run.

    python -m tests.bench.bench_data --documents 20000

Starts servers of its own in a temporary folder and prints one table. The ratio to COPY says more than the
rates: both move with the machine, the ratio with the program.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path


@contextmanager
def database() -> Iterator[None]:
    """A migrated database on an embedded server, gone afterwards."""
    from config.embedded import Services

    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder:
        services = Services(Path(folder), durable=True)
        os.environ["DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        os.environ.update(services.start())
        try:
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield
        finally:
            services.stop()


def sentences(documents: int) -> bytes:
    """A CoNLL file of short sentences of made-up words, 14 tokens each on average."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(20_000)]
    lines: list[str] = []
    for _ in range(documents):
        for _ in range(chance.randint(8, 20)):
            tag = chance.choice(("B-PER", "B-LOC", "B-ORG")) if chance.random() < 0.1 else "O"
            lines.append(f"{chance.choice(words)}\t{tag}\n")
        lines.append("\n")
    return "".join(lines).encode()


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def memory_mb() -> float:
    """The largest this process has been."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def copy_alone(documents: int) -> float:
    """Seconds that COPY takes to write the same columns of the same rows into a table with one index."""
    from django.db import connection

    columns = "project_id, key, text, token_starts, token_ends, split, source, line"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE plain AS SELECT {columns} FROM labeling_document WHERE false")
        cursor.execute("CREATE UNIQUE INDEX ON plain (project_id, key)")
        with cursor.copy(f"COPY (SELECT {columns} FROM labeling_document) TO STDOUT") as out:
            rows = b"".join(bytes(chunk) for chunk in out)

        def write() -> None:
            with cursor.copy(f"COPY plain ({columns}) FROM STDIN") as copy:
                copy.write(rows)

        return seconds(write)


def measure(documents: int) -> dict[str, float]:
    """Seconds of each stage."""
    from django.contrib.auth.models import User

    from datasets_app import export, importing, jobs, versions
    from labeling.models import Project

    user = User.objects.create_user("bench")
    project = Project.objects.create(slug="bench", name="Bench", created_by=user)
    content = sentences(documents)

    def bring_in() -> None:
        job = importing.start(project, user, BytesIO(content), name="bench.conll", format="conll")
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.result["documents"] == documents, (job.state, job.message, job.result)

    def out(download: export.Download) -> None:
        for _ in download.chunks:
            pass

    found = {"import": seconds(bring_in), "import again": 0.0, "COPY": copy_alone(documents)}
    found["memory"] = memory_mb()
    begin = time.perf_counter()
    job = importing.start(project, user, BytesIO(content), name="bench.conll", format="conll")
    jobs.run(job.pk)
    found["import again"] = time.perf_counter() - begin
    found["export conll"] = seconds(lambda: out(export.project_now(project, format="conll")))
    found["export jsonl"] = seconds(lambda: out(export.project_now(project, format="jsonl")))
    begin = time.perf_counter()
    version = versions.freeze_now(project, user)
    found["freeze"] = time.perf_counter() - begin
    for format in ("hf", "parquet"):
        found[f"version {format}"] = seconds(lambda format=format: out(export.frozen(version, format=format)))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20_000)
    documents = parser.parse_args().documents
    with database():
        found = measure(documents)
    peak, copy = found.pop("memory"), found["COPY"]
    print(f"{'stage':<16}{'seconds':>9}{'docs/s':>10}{'times COPY':>12}")
    for stage, took in found.items():
        print(f"{stage:<16}{took:>9.2f}{documents / took:>10,.0f}{took / copy:>12.1f}")
    print(f"peak memory after the import: {peak:.0f} MB")


if __name__ == "__main__":
    main()
