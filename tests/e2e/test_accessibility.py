"""axe-core finds no violation on any page, in light and dark."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.driving import press
from tests.e2e.staged import stage
from tests.e2e.test_pages import OWN, PAGES

pytestmark = pytest.mark.django_db(transaction=True)

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
CONTRAST = {"runOnly": ["color-contrast"]}


def violations(page: Page, where: str, options: dict[str, Any] | None = None) -> list[str]:
    """One line per rule and element that breaks it."""
    found = page.evaluate("(options) => axe.run(document, options)", options or {})["violations"]
    return [f"{where}: {rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def check(page: Page, where: str) -> list[str]:
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    light = violations(page, where)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    return light + violations(page, f"{where} (dark)", CONTRAST)


def test_every_page(page: Page, sign_in: Callable[[User], None]) -> None:
    staged = stage()
    page.goto("/sign-in/")
    found = check(page, "/sign-in/")
    sign_in(staged.manager)
    for address in [*OWN, *(staged.address(pattern) for pattern in PAGES)]:
        page.goto(address)
        expect(page.locator("main h1, main h2").first).to_be_attached()
        found += check(page, address)
    assert found == [], "\n".join(found)


def test_the_annotate_page_at_work(page: Page, sign_in: Callable[[User], None]) -> None:
    staged = stage()
    sign_in(staged.annotator)
    page.goto(staged.address("/projects/{p}/annotate/?document={pending}"))
    expect(page.locator(".token").first).to_be_visible()
    press(page, "1", "f", "Shift+ArrowRight")
    found = check(page, "a text with a span and a selection")
    press(page, "?")
    found += check(page, "the list of keys")
    press(page, "Escape", "Space")
    found += check(page, "skipping")
    press(page, "Escape", "ArrowLeft", "g")
    expect(page.get_by_role("dialog", name="Suggest it in the whole project")).to_be_visible()
    found += check(page, "every occurrence")
    press(page, "Escape", "i")
    found += check(page, "a label's card")
    assert found == [], "\n".join(found)
