"""How fast texts come in, are frozen, compared and go out, beside what the same machine does at best in the same run.

    make bench-data                              10,000, 100,000 and a million texts
    make bench-data ARGS="--sizes 10000 100000"

Starts servers of its own in a temporary folder. Each stage is done as a worker or the web process does it, and stands
beside its floor: PostgreSQL's own COPY of the same rows, or `cat` of the same bytes. The ratio says more than the
rate: both move with the machine, the ratio with the program. Of each process stand there how large it was at most, in
MB, and how much processor time it took for each text: on a machine that does other work too, that says most. This
process does the worker's part.
"""

import argparse
import gc
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from tests.bench.watching import Watch

SIZES = (10_000, 100_000, 1_000_000)
PAGES = 60  # requests of each kind
ORDERS = ("newest", "priority", "unsure", "changed")
NARROWED = {
    "archived": "archived=1",
    "unsure": "below=0.3",
    "by one": "annotator=other",
    "disputed": "disagreement=1",
    "flagged": "flagged=1",
    "commented": "commented=1",
    "of one split": "split=test",
}
# Of the texts of one project, in the order of their numbers.
REMARKS = """
CREATE TEMPORARY TABLE picked AS SELECT document.id, row_number() OVER (ORDER BY document.id) AS n
  FROM labeling_document AS document JOIN labeling_project AS project ON project.id = project_id AND slug = 'jsonl';
UPDATE labeling_annotation AS gold SET flagged = n %% 50 = 1, comment = CASE WHEN n %% 30 = 2 THEN 'Why?' ELSE '' END
  FROM picked WHERE picked.id = gold.document_id AND (n %% 50 = 1 OR n %% 30 = 2);
INSERT INTO labeling_annotation (document_id, annotator_id, tags, state, accepted, revision, seconds, note,
  suggested_by, suggestion_use, provenance, created_at, updated_at, submitted_at)
  SELECT document_id, %(other)s, CASE WHEN n %% 100 = 3 THEN array_fill('O'::text, ARRAY[cardinality(tags)]) ELSE tags
  END, 'submitted', false, 1, 20, '', '', '{}', '{"spans": [], "rejected": []}', now(), now(), now()
  FROM labeling_annotation JOIN picked ON picked.id = document_id WHERE n %% 10 = 3;
INSERT INTO labeling_prediction (document_id, model, tags, confidences)
  SELECT document_id, 'model-1', tags, array_fill(0.25 + (n %% 70) / 100.0, ARRAY[cardinality(tags)])
  FROM labeling_annotation JOIN picked ON picked.id = document_id WHERE accepted AND n %% 3 = 0;
UPDATE labeling_document SET archived_at = now() WHERE id IN (SELECT id FROM picked WHERE n %% 100 = 4);
UPDATE labeling_document SET status = 'accepted' WHERE id IN (SELECT id FROM picked WHERE n %% 20 = 5);
DROP TABLE picked
"""


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


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    stage: str
    seconds: float
    documents: int = 0
    floor: float = 0.0  # seconds
    floor_name: str = ""
    memory: str = ""
    remark: str = ""

    def __str__(self) -> str:
        rate = f"{self.documents / self.seconds:,.0f}/s" if self.documents else ""
        ratio = f"{self.seconds / self.floor:,.1f} × {self.floor_name}" if self.floor else ""
        return f"{self.stage:<22}{_time(self.seconds):>10}{rate:>12}{ratio:>22}  {self.memory:<58}{self.remark}"


def _time(took: float) -> str:
    return f"{took:,.1f} s" if took >= 1 else f"{1000 * took:,.1f} ms"


# The stages ----------------------------------------------------------------------------------------------


class Bench:
    """All stages on one fresh server with one number of texts."""

    def __init__(self, documents: int, folder: Path) -> None:
        from django.contrib.auth.models import User
        from django.db import connection

        self.documents, self.folder = documents, folder
        self.user = User.objects.create_user("bench")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.backend: int = cursor.fetchone()[0]

    def rows(self) -> Iterator[Row]:
        """Every stage in turn."""
        files = {name: self.folder / f"texts.{name}" for name in ("jsonl", "conll")}
        arguments = [str(self.documents), str(files["jsonl"]), str(files["conll"])]
        subprocess.run([sys.executable, "-m", "tests.bench.synthetic", *arguments], check=True)
        floors: dict[str, float] = {}
        for format, path in files.items():
            project = self.project(format)
            row = self.importing(project, path, format)
            floors = floors or self.copies(project)
            yield row(floors["in"], "COPY")
            path.unlink()
        project = self.project("jsonl")
        yield self.one_more(project)
        self.vacuum()
        with Web(self.folder, self.user) as web:
            for name in ("conll", "jsonl"):
                yield self.export(web, f"export {name}", f"/api/v1/projects/jsonl/export?format={name}")
            yield from self.pages(web)
            yield self.frozen(project, floors["items"])
            version = project.versions.get(number=1)
            for name in ("hf", "parquet"):
                yield self.export(web, f"version {name}", f"/api/v1/versions/{version.pk}/export?format={name}")
        self.relabel(project)
        self.frozen(project, floors["items"])
        yield self.diff(project, floors["items"])
        yield self.restoring(project, floors["items"])
        self.remarks()
        with Web(self.folder, self.user) as web:
            yield from self.narrowed(web)

    def project(self, slug: str) -> Any:
        from labeling.models import Membership, Project

        project, fresh = Project.objects.get_or_create(slug=slug, defaults={"name": slug, "created_by": self.user})
        if fresh:
            Membership.objects.create(project=project, user=self.user, role="manager")
        return project

    def watch(self, **others: int) -> Watch:
        gc.collect()
        return Watch(worker=os.getpid(), postgres=self.backend, **others)

    def taken(self, watch: Watch) -> str:
        """Memory and processor time of each process that was watched."""
        return ", ".join(
            f"{name} {peak:,.0f} MB {1e6 * watch.processor[name] / self.documents:,.1f} µs"
            for name, peak in watch.peaks.items()
        )

    def job(self, job: Any) -> float:
        from datasets_app import jobs

        took = seconds(lambda: jobs.run(job.pk))
        job.refresh_from_db()
        assert job.state == "succeeded", (job.state, job.message)
        return took

    def importing(self, project: Any, path: Path, format: str) -> Callable[[float, str], Row]:
        from datasets_app import importing

        with path.open("rb") as file:
            job = importing.start(project, self.user, file, name=path.name, format=format)
        with self.watch() as watch:
            took = self.job(job)
        assert job.result["documents"] == job.result["annotations"] == self.documents, job.result
        remark = f"{job.result['duplicates']:,} duplicates found"
        return lambda floor, name: Row(f"import {format}", took, self.documents, floor, name, self.taken(watch), remark)

    def copies(self, project: Any) -> dict[str, float]:
        """Seconds that COPY takes for the same rows: into plain tables with their keys, and the gold out of one."""
        from django.db import connection

        documents = "id, project_id, key, text, token_starts, token_ends, split, group_key, source, line"
        gold = "id, document_id, annotator_id, tags"
        took = {}
        with connection.cursor() as cursor:
            for table, columns in (("labeling_document", documents), ("labeling_annotation", gold)):
                plain = f"plain_{table}"
                cursor.execute(f"CREATE TABLE {plain} AS SELECT {columns} FROM {table} WHERE false")
                cursor.execute(f"CREATE UNIQUE INDEX ON {plain} (id)")
                with tempfile.TemporaryFile(dir=self.folder) as file:
                    with cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as out:
                        for chunk in out:
                            file.write(chunk)
                    file.seek(0)

                    def write(plain: str = plain, file: Any = file) -> None:
                        with cursor.copy(f"COPY {plain} FROM STDIN") as copy:
                            while chunk := file.read(1 << 16):
                                copy.write(chunk)

                    took[table] = seconds(write)
                cursor.execute(f"DROP TABLE {plain}")
        return {"in": sum(took.values()), "items": took["labeling_annotation"]}

    def one_more(self, project: Any) -> Row:
        """The work of an import of one text, from claim to result."""
        from io import BytesIO

        from datasets_app import importing

        took = []
        for number in range(20):
            line = b'{"text": "One more text that number %d names", "spans": []}\n' % number
            took.append(self.job(importing.start(project, self.user, BytesIO(line), name="one.jsonl", format="jsonl")))
        return Row("import of one text", statistics.median(took), remark=f"slowest of 20: {_time(max(took))}")

    def vacuum(self) -> None:
        """As autovacuum does sooner or later."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def export(self, web: "Web", stage: str, address: str) -> Row:
        with Watch(web=web.worker) as watch:
            target = self.folder / "download"
            first, took = web.download(address, target)
        with target.open("rb") as file:
            cat = seconds(lambda: subprocess.run(["cat"], stdin=file, stdout=subprocess.DEVNULL, check=True))
        size = target.stat().st_size / 1e6
        target.unlink()
        remark = f"first byte {_time(first)}, {size:,.0f} MB"
        grown = max(0, watch.peaks["web"] - watch.first["web"])
        return Row(stage, took, self.documents, cat, "cat", f"{self.taken(watch)}, {grown:,.0f} MB more", remark)

    def pages(self, web: "Web") -> Iterator[Row]:
        """Pages as a browser asks for them, each with other words."""
        from tests.bench.synthetic import vocabulary

        words = vocabulary()
        ranks = [round(3 * 1.17**n) for n in range(PAGES)]
        kinds = {
            "page documents": [f"?order={('newest', 'oldest', 'priority')[n % 3]}" for n in range(PAGES)],
            "page search": [f"?q={words[rank]}" for rank in ranks],
            "page by label": [f"?label={('PER', 'ORG', 'LOC', 'MISC')[n % 4]}" for n in range(PAGES)],
            "page by status": [f"?status={('accepted', 'pending', 'submitted')[n % 3]}" for n in range(PAGES)],
        }
        for stage, queries in kinds.items():
            yield _quantiles(stage, [web.page(f"/projects/jsonl/documents/{query}") for query in queries])
        yield _quantiles("page overview", [web.page("/projects/jsonl/") for _ in range(5)])

    def narrowed(self, web: "Web") -> Iterator[Row]:
        """Lists narrowed by what was said of their texts, in each order, and the panels of the progress page."""
        for (stage, narrowed), order in product(NARROWED.items(), ORDERS):
            asked = f"/projects/jsonl/documents/?{narrowed}&order={order}"
            yield _quantiles(f"page {stage}, {order}", [web.page(asked) for _ in range(5)])
        for panel in ("pace", "labels", "suggestions"):
            yield _quantiles(f"panel {panel}", [web.page(f"/projects/jsonl/progress/{panel}/") for _ in range(5)])

    def remarks(self) -> None:
        """Something to narrow lists by: a few percent flagged, commented, disagreed on, put aside, not yet labeled."""
        from django.contrib.auth.models import User
        from django.db import connection

        other = User.objects.create_user("other")
        with connection.cursor() as cursor:
            for statement in REMARKS.split(";"):
                cursor.execute(statement, {"other": other.pk})
            cursor.execute("VACUUM ANALYZE")

    def frozen(self, project: Any, floor: float) -> Row:
        from datasets_app import versions

        with self.watch() as watch:
            took = self.job(versions.freeze(project, self.user))
        return Row("freeze", took, self.documents, floor, "COPY of tags", self.taken(watch))

    def relabel(self, project: Any) -> None:
        """Another label for a span of every hundredth text."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE labeling_annotation SET tags = array_replace(array_replace(tags, 'B-PER', 'B-LOC'), 'I-PER',"
                " 'I-LOC') WHERE document_id %% 100 = 0 AND document_id IN"
                " (SELECT id FROM labeling_document WHERE project_id = %s)",
                [project.pk],
            )

    def diff(self, project: Any, floor: float) -> Row:
        from datasets_app import differences

        old, new = project.versions.order_by("number")
        found: dict[str, Any] = {}
        with self.watch() as watch:
            took = seconds(lambda: found.update(differences.diff(old, new)))
        remark = f"{found['documents']['changed']:,} texts differ"
        return Row("diff of two versions", took, self.documents, floor, "COPY of tags", self.taken(watch), remark)

    def restoring(self, project: Any, floor: float) -> Row:
        from datasets_app import restoring

        with self.watch() as watch:
            took = self.job(restoring.start(project.versions.get(number=1), self.user))
        return Row("restore of a version", took, self.documents, floor, "COPY of tags", self.taken(watch))


def _quantiles(stage: str, took: list[float]) -> Row:
    p95 = sorted(took)[round(0.95 * (len(took) - 1))]
    return Row(stage, p95, remark=f"p95 of {len(took)}; median {_time(statistics.median(took))}")


# The web process -----------------------------------------------------------------------------------------


class Web:
    """A web process as in production, and one signed-in client."""

    def __init__(self, folder: Path, user: Any) -> None:
        from django.conf import settings
        from django.test import Client

        from config.embedded import free_port

        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self.headers = {"Cookie": f"{name}={client.cookies[name].value}"}
        self.port, self.folder = free_port(), folder

    def __enter__(self) -> "Web":
        import psutil
        from django.conf import settings

        arguments = ["-m", "gunicorn", "config.wsgi", "--worker-class", "gthread", "--threads", "8"]
        arguments += ["--workers", "1", "--bind", f"127.0.0.1:{self.port}", "--log-level", "error"]
        environment = {**os.environ, "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": "127.0.0.1"}
        self.process = subprocess.Popen([sys.executable, *arguments], env=environment)
        try:
            self._await()
            self.worker = psutil.Process(self.process.pid).children()[0].pid
        except BaseException:
            self.__exit__()
            raise
        return self

    def _await(self) -> None:
        end = time.monotonic() + 120
        while True:
            try:
                self.page("/healthz")
                return
            except OSError:
                assert time.monotonic() < end, "the web process does not start"
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def _ask(self, address: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1200)
        connection.request("GET", address, headers=self.headers)
        answer = connection.getresponse()
        assert answer.status == 200, (address, answer.status, answer.getheader("Location"), answer.read(500))
        return connection, answer

    def page(self, address: str) -> float:
        """Seconds until all of a page is there."""

        def read() -> None:
            connection, answer = self._ask(address)
            answer.read()
            connection.close()

        return seconds(read)

    def download(self, address: str, target: Path) -> tuple[float, float]:
        """Seconds until the first byte and until the last."""
        begin = time.perf_counter()
        connection, answer = self._ask(address)
        with target.open("wb") as file:
            file.write(answer.read(1))
            first = time.perf_counter() - begin
            while chunk := answer.read(1 << 16):
                file.write(chunk)
        connection.close()
        return first, time.perf_counter() - begin


def main() -> None:
    """Print a table for each size, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # one size, in this process
    given = parser.parse_args()
    if given.one is None:
        failed = [subprocess.run([sys.executable, "-m", __spec__.name, "--one", str(size)]).returncode
                  for size in given.sizes]  # fmt: skip
        sys.exit(max(failed))
    with database():
        from django.conf import settings

        now = datetime.now(UTC)
        print(f"\n{given.one:,} texts, {now:%F %H:%M} UTC, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for row in Bench(given.one, Path(settings.DATA_DIR)).rows():
            print(f"{row}  (load {os.getloadavg()[0]:.1f})", flush=True)


if __name__ == "__main__":
    main()
