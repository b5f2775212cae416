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


def write_sentences(path: Path, documents: int) -> None:
    """A CoNLL file of short sentences of made-up words, 14 tokens each on average."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(20_000)]
    with path.open("w") as file:
        for _ in range(documents):
            for _ in range(chance.randint(8, 20)):
                tag = chance.choice(("B-PER", "B-LOC", "B-ORG")) if chance.random() < 0.1 else "O"
                file.write(f"{chance.choice(words)}\t{tag}\n")
            file.write("\n")


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def memory_mb() -> float:
    """The largest this process has been."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def copy_alone() -> float:
    """Seconds that COPY takes to write the same columns of the same rows into a table with one index."""
    from django.db import connection

    columns = "project_id, key, text, token_starts, token_ends, split, source, line"
    with connection.cursor() as cursor, tempfile.TemporaryFile() as file:
        cursor.execute(f"CREATE TABLE plain AS SELECT {columns} FROM labeling_document WHERE false")
        cursor.execute("CREATE UNIQUE INDEX ON plain (project_id, key)")
        with cursor.copy(f"COPY (SELECT {columns} FROM labeling_document) TO STDOUT") as out:
            for chunk in out:
                file.write(chunk)
        file.seek(0)

        def write() -> None:
            with cursor.copy(f"COPY plain ({columns}) FROM STDIN") as copy:
                while chunk := file.read(1 << 16):
                    copy.write(chunk)

        return seconds(write)


def measure(documents: int) -> tuple[dict[str, float], float]:
    """Seconds of each stage, and megabytes at the height of the import."""
    from django.conf import settings
    from django.contrib.auth.models import User

    from datasets_app import export, importing, jobs, versions
    from labeling.models import Project

    user = User.objects.create_user("bench")
    project = Project.objects.create(slug="bench", name="Bench", created_by=user)
    path = Path(settings.DATA_DIR) / "bench.conll"
    write_sentences(path, documents)

    def bring_in(name: str) -> None:
        with path.open("rb") as file:
            job = importing.start(project, user, file, name="bench.conll", format="conll")
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.result.get(name) == documents, (job.state, job.message, job.result)

    def out(download: export.Download) -> None:
        for _ in download.chunks:
            pass

    found = {"import": seconds(lambda: bring_in("documents"))}
    memory = memory_mb()
    found["COPY"] = copy_alone()
    found["import again"] = seconds(lambda: bring_in("existing"))
    for format in ("conll", "jsonl"):
        found[f"export {format}"] = seconds(lambda format=format: out(export.project_now(project, format=format)))
    found["freeze"] = seconds(lambda: versions.freeze_now(project, user))
    version = project.versions.get()
    for format in ("hf", "parquet"):
        found[f"version {format}"] = seconds(lambda format=format: out(export.frozen(version, format=format)))
    return found, memory


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20_000)
    documents = parser.parse_args().documents
    with database():
        found, peak = measure(documents)
    print(f"{'stage':<16}{'seconds':>9}{'docs/s':>10}{'times COPY':>12}")
    for stage, took in found.items():
        print(f"{stage:<16}{took:>9.2f}{documents / took:>10,.0f}{took / found['COPY']:>12.1f}")
    print(f"memory at the height of the import {peak:.0f} MB, of all stages {memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
