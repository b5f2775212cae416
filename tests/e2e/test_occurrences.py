"""`g`: every occurrence, in the text and in the project, and back."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling.models import Prediction, Project
from tests import factories
from tests.e2e.driving import press, start

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_occurrence_with_undo(page: Page, project: Project, annotator: User) -> None:
    factories.document(project, "Ada met Ada and Adam . Ada !", priority=0.9)
    other = factories.document(project, "Here is Ada again .", priority=0.1)
    start(page, project)
    press(page, "1", "g")
    expect(page.locator("mark.entity")).to_have_text(["AdaPER"] * 3)
    press(page, "Control+z")
    expect(page.locator("mark.entity")).to_have_count(1)
    press(page, "g", "g")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 place in 1 open text.")
    expect(dialog.get_by_role("listitem")).to_have_text("Here is Ada again .")
    dialog.get_by_role("button", name="Suggest").click()
    expect(page.get_by_text("PER: suggested at 1 place in 1 open text.")).to_be_visible()
    assert Prediction.objects.get().document == other
    page.locator("[data-part=suggested]").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-part=suggested]")).to_be_hidden()
    assert not Prediction.objects.exists()
    press(page, "g")
    dialog.get_by_role("button", name="Suggest").click()
    expect(page.locator("[data-part=suggested]")).to_be_visible()
    press(page, "Enter")  # the text that was fetched ahead shows it as well
    expect(page.locator("mark.suggested")).to_contain_text("AdaPER?")
