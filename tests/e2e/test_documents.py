"""Choosing documents and doing something to all of them, as a manager does it."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling.models import Document
from tests.e2e.staged import stage
from tests.e2e.test_accessibility import check

pytestmark = pytest.mark.django_db(transaction=True)


def test_ticked_documents_are_archived_and_come_back(page: Page, sign_in: Callable[[User], None]) -> None:
    staged = stage()
    sign_in(staged.manager)
    page.goto(staged.address("/projects/{p}/documents/?split=train"))
    expect(page.get_by_label("To whom")).to_be_hidden()
    page.get_by_label("All on this page").check()
    page.get_by_label(f"Choose document {staged.accepted.pk}").uncheck()
    expect(page.get_by_label("All on this page")).not_to_be_checked()
    page.get_by_role("button", name="See what it touches").click()
    expect(page.get_by_role("heading", name="It touches 2 documents")).to_be_visible()
    found = check(page, "the preview")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("2 documents")
    assert page.url.endswith("?split=train")
    assert Document.objects.filter(archived_at=None).get() == staged.accepted
    page.get_by_role("link", name="It can be undone here").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("status")).to_have_text("Undone.")
    assert Document.objects.filter(archived_at=None).count() == 3
    assert found == [], "\n".join(found)
