"""A person chooses Chinese, and labels, reviews and reads numbers in it; by the same keys, and accessible."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling import preferences
from labeling.models import Annotation, Project
from tests import factories
from tests.e2e.driving import press, start
from tests.e2e.staged import stage
from tests.e2e.test_accessibility import check

pytestmark = pytest.mark.django_db(transaction=True)


def test_chosen_on_the_profile_page_and_labeled_in_by_keys(page: Page, project: Project, annotator: User) -> None:
    factories.document(project)
    page.goto("/profile/")
    page.get_by_label("Language").select_option("zh-hans")
    page.get_by_role("button", name="Change language").click()
    expect(page.get_by_role("heading", name="外观")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    start(page, project)
    expect(page.locator("[data-part=model]")).to_have_text("这篇文本没有建议")
    press(page, "Shift+ArrowRight", "1")
    expect(page.locator("[data-part=save-state]")).to_have_text("草稿已保存")
    expect(page.locator("[data-part=span-count]")).to_have_text("1")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="没有可标注的文本了")).to_be_visible()
    expect(page.locator("[data-part=save-state]")).to_have_text("全部已保存")
    saved = Annotation.objects.get(annotator=annotator)
    assert (saved.state, saved.tags[:2]) == ("submitted", ["B-PER", "I-PER"])


def test_pages_in_chinese_are_accessible_and_have_no_english_left(page: Page, sign_in: Callable[[User], None]) -> None:
    staged = stage()
    preferences.set_language(staged.manager, "zh-hans")
    sign_in(staged.manager)
    found = []
    for pattern in ("/", "/profile/", "/projects/{p}/", "/projects/{p}/documents/", "/jobs/{job}/", "/models/{model}/"):
        page.goto(staged.address(pattern))
        expect(page.locator("main h1, main h2").first).to_be_attached()
        found += check(page, pattern)
    assert found == [], "\n".join(found)
    page.goto(staged.address("/projects/{p}/"))
    expect(page.locator("nav.tabs")).to_contain_text("概览")
    expect(page.locator("main")).not_to_contain_text("Accepted")
    expect(page.locator("time").first).to_contain_text("年")
