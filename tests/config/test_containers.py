"""docker-compose.yml and the Dockerfile describe the same system as `make run`."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from config import up
from config.embedded import POSTGRES_SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = {
    "migrate": up.PREPARE,
    "web": (*up.WEB, "--bind", "0.0.0.0:8000"),
    "worker": up.WORKER,
    "model-worker": up.MODEL_WORKER,
    "serve-worker": up.SERVE_WORKER,
    "beat": up.BEAT,
}


@pytest.fixture(scope="module")
def services() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_the_services_are_the_processes_of_make_run_and_the_servers(services):
    assert sorted(services) == sorted([*PROCESSES, "postgres", "redis"])
    names = [command.name for command in up.commands(up.Options(host="::", port=1, data_dir=ROOT))]
    assert sorted({*names, "migrate"}) == sorted(PROCESSES)


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_each_runs_the_command_of_make_run(services, name):
    assert shlex.split(services[name]["command"]) == ["python", *PROCESSES[name]]


def test_the_image_runs_the_web_process():
    command = re.search(r"^CMD (\[.*\])", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE)
    assert json.loads(command[1]) == ["python", *PROCESSES["web"]]


def test_the_image_holds_every_folder_that_the_project_runs_from():
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert copied == {"config", "labeling", "datasets_app", "modelassist", "templates", "static", "locale", "demo"}
    allowed = (ROOT / ".dockerignore").read_text().split()
    assert {f"!{name}" for name in copied} <= set(allowed)


def test_what_has_state_has_a_volume_and_what_answers_has_a_check(services):
    assert all(any(volume.startswith("data:") for volume in services[name]["volumes"]) for name in PROCESSES)
    for name in ("postgres", "redis"):
        assert services[name]["volumes"][0].startswith(f"{name}:")
    for name in ("postgres", "redis", "web", "worker", "model-worker"):
        assert services[name]["healthcheck"]["test"]


def test_nobody_starts_before_the_database_is_migrated(services):
    for name in set(PROCESSES) - {"migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name


def test_only_the_model_worker_asks_for_a_gpu(services):
    assert [name for name, service in services.items() if "deploy" in service] == ["model-worker"]


def test_the_database_server_is_set_alike(services):
    settings = dict(re.findall(r"-c (\w+)=(\S+)", services["postgres"]["command"]))
    assert settings.items() <= POSTGRES_SETTINGS.items()


def test_no_secret_stands_in_the_file_and_each_has_a_line_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{(\w+)", text))
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used <= example.keys()
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY", "GOLDSET_ADMIN_PASSWORD"):
        assert example[name] == ""
    assert re.findall(r"^ +(?:SECRET_KEY|POSTGRES_PASSWORD): (?!\$\{)", text, re.MULTILINE) == []
