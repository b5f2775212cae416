"""Pictures of every page of a running Goldset, in light, dark and narrow, to look at and for the documentation.

    python -m tests.e2e.screenshots --furnish                   all of them, and docs/screenshots.md that lists them
    python -m tests.e2e.screenshots --only annotate --themes light --out /tmp/look --language zh-hans

Signs in as GOLDSET_ADMIN_USER with GOLDSET_ADMIN_PASSWORD, or with the password that DATA_DIR keeps. `--furnish` first
adds to the demo project what the pictures show. A project of `make demo` on the same server gives the pictures of
models; without one, they are left out.
"""

import argparse
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from config.demo_stages import job_id
from config.rest import Client
from tests.e2e.chromium import ARGUMENTS, executable
from tests.e2e.furnish import EMPTY, HARD, furnish

THEMES = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 390)}
TALLEST = 2400  # pixels; what is below shows nothing new
COLORS = 128


@dataclass(frozen=True)
class Shot:
    """One picture: what it shows, where that is ({name} is filled in from `places`), and what is done there first."""

    title: str
    address: str
    steps: Callable[[Page], None] | None = None
    whole: bool = True  # the page to its end, not only what a window shows


def keys(*pressed: str) -> Callable[[Page], None]:
    """Steps that press keys on the annotate or review page."""

    def steps(page: Page) -> None:
        page.locator(".token:visible, .empty h2:visible").first.wait_for()
        for key in pressed:
            page.keyboard.press(key)
        page.wait_for_timeout(900)  # the draft is saved, a dialog has opened

    return steps


def opened(selector: str) -> Callable[[Page], None]:
    """Steps that click something open."""

    def steps(page: Page) -> None:
        page.locator(selector).first.click()
        page.wait_for_timeout(300)

    return steps


def bulk(page: Page) -> None:
    """Steps that ask what archiving all of this page would touch."""
    page.locator("[data-all=document]").check()
    page.locator("fieldset.bulk button").click()
    page.wait_for_load_state("networkidle")


ANNOTATE = "/projects/{a}/annotate/?document={open}"
SHOTS = {
    "sign-in": Shot("Signing in", "/sign-in/"),
    "projects": Shot("Projects", "/"),
    "new-project": Shot("A new project", "/new-project/"),
    "overview": Shot("A project's overview", "/projects/{p}/"),
    "progress": Shot("How far a project is", "/projects/{p}/progress/"),
    "learning": Shot("Whether more labels are worth it", "/projects/{m}/learning/"),
    "annotate": Shot("Labeling a text", ANNOTATE, keys("a", "Shift+ArrowRight"), whole=False),
    "annotate-help": Shot("The keys", ANNOTATE, keys("?"), whole=False),
    "annotate-skip": Shot("Skipping a text", ANNOTATE, keys("Space"), whole=False),
    "annotate-comment": Shot("Commenting on a text", ANNOTATE, keys("c"), whole=False),
    "annotate-open": Shot("Submitting with open suggestions", ANNOTATE, keys("Enter"), whole=False),
    "annotate-hard": Shot(
        "Fifty labels, a long text", "/projects/{h}/annotate/?document={long}", keys("1"), whole=False
    ),
    "review": Shot("What waits for review", "/projects/{p}/review/"),
    "review-document": Shot("Reviewing a text", "/projects/{p}/review/{waiting}/"),
    "documents": Shot("Documents", "/projects/{p}/documents/"),
    "documents-hard": Shot("Documents of many scripts", "/projects/{h}/documents/"),
    "document": Shot("A document", "/projects/{p}/documents/{accepted}/"),
    "bulk": Shot("Many documents at once", "/projects/{p}/documents/?status=submitted", bulk),
    "labels": Shot("Labels", "/projects/{p}/labels/"),
    "labels-hard": Shot("Fifty labels", "/projects/{h}/labels/", whole=False),
    "label-operation": Shot("What changing a label touches", "/projects/{p}/labels/operation/?label=PER"),
    "import": Shot("Importing", "/projects/{p}/import/"),
    "import-trial": Shot("The trial of an import", "/jobs/{trial}/"),
    "job": Shot("An import with errors", "/jobs/{errors}/"),
    "jobs": Shot("Jobs", "/projects/{p}/jobs/"),
    "export": Shot("Exporting", "/projects/{p}/export/"),
    "versions": Shot("Dataset versions", "/projects/{p}/versions/"),
    "version": Shot("A version", "/versions/{version}/"),
    "diff": Shot("Two versions compared", "/versions/{version}/diff/{newer}/"),
    "leaks": Shot("Leaks between splits", "/versions/{newer}/leaks/"),
    "project-leaks": Shot("Leaks of a project as it is", "/projects/{p}/leaks/"),
    "statistics": Shot("Statistics", "/projects/{p}/statistics/"),
    "consistency": Shot("Consistency", "/projects/{p}/consistency/"),
    "surface": Shot("One surface in all texts", "/projects/{p}/consistency/surface/?surface={surface}"),
    "duplicates": Shot("Duplicates", "/projects/{p}/duplicates/"),
    "changes": Shot("Changes", "/projects/{p}/changes/"),
    "curation": Shot("How data are curated", "/projects/{p}/curation/"),
    "models": Shot("Models", "/projects/{m}/models/"),
    "model": Shot("A model", "/models/{model}/"),
    "model-errors": Shot("A model's errors", "/models/{model}/errors/"),
    "run": Shot("A training", "/runs/{run}/"),
    "label-issues": Shot("Label issues", "/projects/{m}/label-issues/"),
    "patterns": Shot("Patterns", "/projects/{p}/patterns/"),
    "assistance": Shot("Assistance", "/projects/{p}/assistance/"),
    "members": Shot("Members", "/projects/{p}/members/"),
    "settings": Shot("Settings", "/projects/{p}/settings/"),
    "profile": Shot("Profile", "/profile/"),
    "account-menu": Shot("The account menu", "/", opened("details.menu > summary"), whole=False),
    "trash": Shot("Trash", "/trash/"),
    "error": Shot("An address with nothing at it", "/projects/{p}/documents/0/"),
    "empty-overview": Shot("A project without texts", "/projects/{e}/"),
    "empty-annotate": Shot("Labeling without labels", "/projects/{e}/annotate/"),
    "empty-documents": Shot("No documents", "/projects/{e}/documents/"),
    "empty-labels": Shot("No labels", "/projects/{e}/labels/"),
    "empty-review": Shot("Nothing to review", "/projects/{e}/review/"),
    "empty-models": Shot("No models", "/projects/{e}/models/"),
    "empty-versions": Shot("No versions", "/projects/{e}/versions/"),
    "empty-statistics": Shot("Nothing counted", "/projects/{e}/statistics/"),
    "empty-jobs": Shot("No jobs", "/projects/{e}/jobs/"),
}


def main() -> None:
    """Read the arguments, open the browser, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default=f"http://127.0.0.1:{os.environ.get('PORT', '8000')}")
    parser.add_argument("--project", default="demo")
    parser.add_argument("--furnish", action="store_true", help="add what the pictures show to the server's data")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--only", nargs="*", choices=SHOTS, default=list(SHOTS))
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=list(THEMES))
    parser.add_argument("--language", default="en-US", help="what the browser asks for, such as zh-CN")
    options = parser.parse_args()
    admin = Client.sign_in(options.address, user(), password())
    if options.furnish:
        furnish(admin, options.project)
    there = places(admin, options.project)
    if options.furnish and "m" in there and not admin.get(f"projects/{there['m']}/label-issues")["results"]:
        admin.finished(job_id(admin.post(f"projects/{there['m']}/audits")))
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        for theme in options.themes:
            for name, picture in shots(browser, options, theme, there):
                path = options.out / f"{name}{'' if theme == 'light' else '-' + theme}.webp"
                path.write_bytes(picture)
                print(path, len(picture), flush=True)
        browser.close()
    if options.out == Path("docs/screenshots"):
        Path("docs/screenshots.md").write_text(listing(options.out), encoding="utf-8")


def user() -> str:
    """The first manager."""
    return os.environ.get("GOLDSET_ADMIN_USER") or "admin"


def password() -> str:
    """The first manager's."""
    if given := os.environ.get("GOLDSET_ADMIN_PASSWORD"):
        return given
    return (Path(os.environ.get("DATA_DIR") or ".data") / "admin_password").read_text().strip()


def places(admin: Client, slug: str) -> dict[str, Any]:
    """What the addresses of the shots name, as far as it is there."""
    projects = admin.get("projects")["results"]
    slugs = {project["name"]: project["slug"] for project in projects}
    hard, base = slugs.get(HARD, slug), f"projects/{slug}"
    there: dict[str, Any] = {"p": slug, "surface": "London", "h": slugs.get(HARD), "e": slugs.get(EMPTY)}
    for project in reversed(projects):
        models = admin.get(f"projects/{project['slug']}/models")["results"]
        for model in [each for each in models if each["state"] == "production"]:
            runs = [job for job in admin.get(f"projects/{project['slug']}/jobs")["results"] if job["kind"] == "train"]
            there |= {"m": project["slug"], "model": model["id"], "run": runs[0]["id"] if runs else None}
    there["a"] = there.get("m", slug)
    for name, documents in {
        "accepted": f"{base}/documents?status=accepted",
        "waiting": f"{base}/documents?status=submitted&disagreement=1",
        "open": f"projects/{there['a']}/documents?status=pending&split=train&below=0.9",
        "long": f"projects/{hard}/documents?q=Sentence",
    }.items():
        there[name] = next((row["id"] for row in admin.get(documents)["results"]), None)
    there["newer"], there["version"], *_ = [
        *(row["id"] for row in admin.get(f"{base}/versions")["results"]),
        None,
        None,
    ]
    for job in reversed(admin.get(f"{base}/jobs")["results"]):
        if job["kind"] == "import":
            name = "trial" if (job["result"] or {}).get("dry_run") else "errors" if job["error_count"] else "import"
            there[name] = job["id"]
    return {name: value for name, value in there.items() if value is not None}


def shots(
    browser: Browser, options: argparse.Namespace, theme: str, there: dict[str, Any]
) -> Iterator[tuple[str, bytes]]:
    """Each picture in turn."""
    scheme, width = THEMES[theme]
    page = browser.new_page(
        base_url=options.address, color_scheme=scheme, viewport={"width": width, "height": 800}, locale=options.language
    )
    for number, name in enumerate(sorted(options.only, key=list(SHOTS).index)):
        shot = SHOTS[name]
        if name != "sign-in" and (number == 0 or "sign-in" in page.url):
            sign_in(page)
        wanted = set(re.findall(r"\{(\w+)\}", shot.address))
        if wanted - set(there):
            print(f"{name}: left out, there is no {', '.join(wanted - set(there))}")
            continue
        page.goto(shot.address.format(**there))
        page.wait_for_load_state("networkidle")
        for plot in page.locator("gold-plot").all():  # they are drawn when they come into sight
            plot.scroll_into_view_if_needed()
            plot.locator("svg").first.wait_for()
        page.evaluate("scrollTo(0, 0)")
        if shot.steps:
            shot.steps(page)
        yield name, compact(page.screenshot(full_page=shot.whole))
    page.close()


def sign_in(page: Page) -> None:
    """Through the form, as anybody does."""
    page.goto("/sign-in/")
    page.locator("[name=username]").fill(user())
    page.locator("[name=password]").fill(password())
    page.locator("main form button").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def compact(png: bytes) -> bytes:
    """The picture with few colors, as WebP without loss."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
    out = BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB").save(out, "WEBP", lossless=True, method=6)
    return out.getvalue()


def listing(folder: Path) -> str:
    """The page of the documentation that shows them."""
    lines = ["# Every page, in light, dark and narrow", "", "Made by `python -m tests.e2e.screenshots --furnish`.", ""]
    for name, shot in SHOTS.items():
        if (folder / f"{name}.webp").exists():
            others = [theme for theme in ("dark", "narrow") if (folder / f"{name}-{theme}.webp").exists()]
            links = ", ".join(f"[{theme}](screenshots/{name}-{theme}.webp)" for theme in others)
            lines += [f"## {shot.title}", "", f"![{shot.title}](screenshots/{name}.webp)", "", links, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
