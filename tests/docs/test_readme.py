"""What README and docs name exists: the map of the tree, modules, links, environment variables."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = ("config", "labeling", "datasets_app", "modelassist")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "demo" / "README.md"]


def block_after(page: Path, heading: str) -> str:
    """The first fenced block after a heading."""
    text = page.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1]
    return text.split("```", 2)[1]


def test_every_entry_of_the_map_exists() -> None:
    mapped = [line.split()[0] for line in block_after(ROOT / "README.md", "Map of the tree").splitlines() if line]
    assert len(mapped) > 10
    assert [name for name in mapped if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("app", APPS)
def test_the_architecture_names_every_module_of_an_app_and_nothing_else(app: str) -> None:
    section = re.split(
        rf"^### {app}\b.*$", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), flags=re.M
    )[1]
    table = section.split("\n### ")[0].split("\n## ")[0]
    named = {name for row in re.findall(r"^\|([^|]*)\|", table, flags=re.M) for name in re.findall(r"`([\w/]+)`", row)}
    folder = ROOT / app
    modules = [path for path in folder.rglob("*.py") if path.stem != "__init__" and "migrations" not in path.parts]
    assert named == {path.relative_to(folder).with_suffix("").as_posix() for path in modules}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_operators_guide_names_every_environment_variable() -> None:
    sources = [path.read_text(encoding="utf-8") for app in APPS for path in (ROOT / app).rglob("*.py")]
    pattern = r"""(?:environ\.get\(|environ\[|service_address\()\s*f?["']([A-Z][A-Z_]+)["']"""
    read = {name for source in sources for name in re.findall(pattern, source)}
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert read
    assert {name for name in read if f"`{name}`" not in guide} - INTERNAL == set()


INTERNAL = {"DJANGO_SETTINGS_MODULE", "GOLDSET_INSTANCE"}
