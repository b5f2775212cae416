"""The demo project of a first start, and `make demo` against the running service."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.rest import Client
from tests.docs.service import Service

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manager(service: Service) -> Client:
    return Client.sign_in(service.address, "admin", service.password)


def run_module(name: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", name, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_a_first_start_shows_a_project_with_texts_to_label(service: Service, manager: Client) -> None:
    end = time.monotonic() + 60
    while (statuses := manager.get("projects/demo/progress")["by_status"]) != {
        "pending": 142, "submitted": 0, "accepted": 60,
    }:  # fmt: skip
        assert time.monotonic() < end, statuses
        time.sleep(0.2)
    project = manager.get("projects/demo")
    assert [label["name"] for label in project["labels"]] == ["PER", "ORG", "LOC", "PRODUCT"]
    assert "Label every name" in project["guidelines"]


def test_another_start_makes_no_second_one(service: Service, manager: Client) -> None:
    before = manager.get("projects")["results"]
    prepared = run_module("config.prepare", environment=service.environment)
    assert prepared.returncode == 0, prepared.stderr
    assert manager.get("projects")["results"] == before


def test_the_loop_runs_and_leaves_its_project_and_files(service: Service, manager: Client) -> None:
    ran = run_module("config.demo", "--rounds", "1", environment=service.environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    table = [line.split() for line in ran.stdout.splitlines() if line.strip()[:1].isdigit()]
    assert [row[0] for row in table] == ["0", "1"]
    assert int(table[1][1]) > int(table[0][1])  # trained on more
    slug = next(line.split()[1] for line in ran.stdout.splitlines() if line.startswith("Project"))
    progress = manager.get(f"projects/{slug}/progress")
    assert progress["by_status"] == {"pending": 78, "submitted": 0, "accepted": 124}
    folder = Path(service.environment["DATA_DIR"]) / "demo" / slug
    assert {path.suffix for path in folder.iterdir() if path.is_file()} == {".zip", ".parquet", ".conll", ".jsonl"}
    rows = [json.loads(line) for line in next(folder.glob("*.jsonl")).read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 124
    assert all(row["text"][span["start"] : span["end"]].strip() for row in rows for span in row["spans"])


def test_a_wrong_login_ends_it_with_a_clear_word(service: Service) -> None:
    ran = run_module("config.demo", environment=service.environment | {"GOLDSET_ADMIN_PASSWORD": "wrong"})
    assert ran.returncode == 1
    assert "cannot sign in" in ran.stderr
    assert "GOLDSET_ADMIN_PASSWORD" in ran.stderr
