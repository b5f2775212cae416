"""Pictures of every page of a running Goldset, in light, dark and narrow, to look at and for the documentation.

    python -m tests.e2e.screenshots --project demo --out docs/screenshots
    python -m tests.e2e.screenshots --only annotate --themes light

Signs in as GOLDSET_ADMIN_USER with GOLDSET_ADMIN_PASSWORD, or with the password that DATA_DIR keeps.
"""

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.chromium import ARGUMENTS, executable

THEMES = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 390)}
# A page's name and its address; in it, {p} is the project, <x> is the first link on the page before whose href fits.
PAGES = {
    "projects": "/",
    "new-project": "/new-project/",
    "overview": "/projects/{p}/",
    "annotate": "/projects/{p}/annotate/",
    "review": "/projects/{p}/review/",
    "review-document": r"</review/\d+/$>",
    "documents": "/projects/{p}/documents/",
    "document": r"</documents/\d+/$>",
    "labels": "/projects/{p}/labels/",
    "import": "/projects/{p}/import/",
    "export": "/projects/{p}/export/",
    "versions": "/projects/{p}/versions/",
    "version": r"</versions/\d+/$>",
    "diff": r"</versions/\d+/diff/\d+/$>",
    "models": "/projects/{p}/models/",
    "model": r"</models/\d+/$>",
    "jobs": "/projects/{p}/jobs/",
    "job": r"</jobs/\d+/$>",
    "members": "/projects/{p}/members/",
    "settings": "/projects/{p}/settings/",
    "profile": "/profile/",
    "error": "/projects/{p}/documents/0/",
}


def main() -> None:
    """Read the arguments, open the browser, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default=f"http://127.0.0.1:{os.environ.get('PORT', '8000')}")
    parser.add_argument("--project", default="demo")
    parser.add_argument("--document", help="which text the annotate page shows; otherwise the next one")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--only", nargs="*", choices=PAGES, default=list(PAGES))
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=list(THEMES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        for theme in options.themes:
            for name, page in shots(browser, options, theme):
                path = options.out / f"{name}{'' if theme == 'light' else '-' + theme}.png"
                page.screenshot(path=path, full_page=theme != "narrow" and name != "annotate")
                print(path)
        browser.close()


def shots(browser: Browser, options: argparse.Namespace, theme: str) -> Iterator[tuple[str, Page]]:
    """Each page in turn, loaded and ready for its picture."""
    scheme, width = THEMES[theme]
    page = browser.new_page(
        base_url=options.address, color_scheme=scheme, viewport={"width": width, "height": 800}, locale="en-US"
    )
    sign_in(page)
    for name, pattern in PAGES.items():
        if name not in options.only and not pattern.startswith("/"):
            continue
        address = found(page, pattern) if pattern.startswith("<") else pattern.format(p=options.project)
        if address is None:
            continue
        page.goto(address)
        if name == "annotate":
            if options.document:
                page.goto(f"{address}?document={options.document}")
            prepare(page)
        if name in options.only:
            yield name, page
    page.close()


def sign_in(page: Page) -> None:
    """Through the form, as anybody does."""
    page.goto("/sign-in/")
    page.get_by_label("Username").fill(os.environ.get("GOLDSET_ADMIN_USER") or "admin")
    page.get_by_label("Password").fill(password())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def password() -> str:
    """The first manager's."""
    if given := os.environ.get("GOLDSET_ADMIN_PASSWORD"):
        return given
    return (Path(os.environ.get("DATA_DIR") or ".data") / "admin_password").read_text().strip()


def found(page: Page, pattern: str) -> str | None:
    """The first link on the present page that leads where the pattern says."""
    links = page.locator("main a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return next((link for link in links if re.search(pattern[1:-1], link)), None)


def prepare(page: Page) -> None:
    """Some work in progress: a suggestion accepted where there is one, a selection open."""
    page.locator(".token:visible, .empty h2:visible").first.wait_for()
    if page.locator("mark.suggested").count():
        page.keyboard.press("a")
    page.keyboard.press("a")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(1500)  # the draft is saved


if __name__ == "__main__":
    main()
