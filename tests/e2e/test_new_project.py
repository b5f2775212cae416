"""A project made on one page: labels found in a file, tokens shown as they would be."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling.models import Project
from tests import factories
from tests.e2e.test_accessibility import check

pytestmark = pytest.mark.django_db(transaction=True)
CONLL = "Ada\tB-PER\nLovelace\tI-PER\n\n北\tB-LOC\n京\tI-LOC\n"


def test_a_project_from_a_file(page: Page, sign_in: Callable[[User], None]) -> None:
    sign_in(factories.user())
    page.goto("/new-project/")
    page.get_by_label("Labels", exact=True).fill("PER [p] A person")
    page.get_by_label("Find labels in a file").set_input_files(
        {"name": "x.conll", "mimeType": "text/plain", "buffer": CONLL.encode()}
    )
    expect(page.get_by_role("status")).to_contain_text("2 labels in 2 texts; 1 added")
    expect(page.get_by_label("Labels", exact=True)).to_have_value("PER [p] A person\nLOC")
    expect(page.get_by_label("Try it: paste a text")).to_have_value("Ada Lovelace")
    page.get_by_label("Try it: paste a text").fill("Ada 北京")
    expect(page.locator("[data-tokenizer=words] bdi")).to_have_text(["Ada", "北", "京"])
    expect(page.locator("[data-tokenizer=characters] bdi")).to_have_count(5)
    found = check(page, "a new project")
    page.get_by_role("button", name="Make it, then import").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is made yet")
    expect(page.get_by_label("Labels", exact=True)).to_have_value("PER [p] A person\nLOC")
    found += check(page, "a refused project")
    page.get_by_label("Name", exact=True).fill("Names")
    page.get_by_role("button", name="Make it, then import").click()
    expect(page.get_by_role("heading", name="Import texts")).to_be_visible()
    labels = Project.objects.get().labels.values_list("name", "hotkey", "description")
    assert list(labels) == [("PER", "p", "A person"), ("LOC", "", "")]
    assert found == [], "\n".join(found)
