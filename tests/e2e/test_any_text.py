"""Any text: from right to left, tokens longer than a line, blanks as they are; and keys that are not meant for it."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling import bio
from labeling.models import Annotation, Project
from tests import factories
from tests.e2e.driving import press, sent, start

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "[data-part=text]"
HEBREW = "דוד בן גוריון נולד בפלונסק ב 1886 ."
ARABIC = "قابلت ليلى أحمد في القاهرة يوم الثلاثاء ."


def submitted(document_text: str) -> list[bio.Span]:
    return bio.spans(Annotation.objects.get(document__text=document_text, state="submitted").tags)


def test_from_right_to_left(page: Page, project: Project, annotator: User) -> None:
    factories.document(project, HEBREW, priority=0.9)
    factories.document(project, ARABIC, priority=0.8)
    start(page, project)
    press(page, "Shift+ArrowLeft", "Shift+ArrowLeft", "1")  # on, which here is to the left
    expect(page.locator("mark.entity .token")).to_have_text(["דוד", "בן", "גוריון"])
    tokens = page.locator(".token")
    first, third = tokens.nth(0).bounding_box(), tokens.nth(2).bounding_box()
    assert first
    assert third
    assert first["x"] > third["x"]
    press(page, "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight", "2")  # one too far, and back
    expect(page.locator("mark.entity").nth(1)).to_have_text("בפלונסקLOC")
    press(page, "]", "Shift+BracketRight", "Enter")  # edges: out at the end, in again
    expect(page.locator(TEXT)).to_contain_text("ليلى")
    press(page, "ArrowLeft", "Shift+ArrowLeft", "1", "End", "ArrowRight", "ArrowRight", "ArrowRight", "2")
    expect(page.locator("mark.entity").nth(1)).to_have_text("القاهرةLOC")
    press(page, "Enter")
    sent(page)
    assert submitted(HEBREW) == [bio.Span(0, 3, "PER"), bio.Span(4, 5, "LOC")]
    assert submitted(ARABIC) == [bio.Span(1, 3, "PER"), bio.Span(4, 5, "LOC")]


def test_long_tokens_blank_lines_and_tabs(page: Page, project: Project, annotator: User) -> None:
    long = f"The {'x' * 300} of {'长' * 3} ."
    blank = "First .\n\n\tSecond  behind a tab .\n"
    factories.document(project, long, priority=0.9)
    factories.document(project, blank, priority=0.8)
    start(page, project)
    press(page, "ArrowRight", "1")
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    press(page, "Enter")
    lines = page.locator(".line")
    expect(lines).to_have_text(["First .", "", "\tSecond  behind a tab .", ""], use_inner_text=False)
    heights = [line.bounding_box()["height"] for line in lines.all()[:3]]
    assert heights[1] == pytest.approx(heights[0], abs=1)  # an empty line is as high as others
    indent = (
        page.locator(".token", has_text="Second").bounding_box()["x"] - page.locator(".token").first.bounding_box()["x"]
    )
    assert indent > 20
    press(page, "Enter")
    sent(page)
    assert submitted(long) == [bio.Span(1, 2, "PER")]


def test_keys_that_are_not_for_the_text(page: Page, project: Project, annotator: User) -> None:
    factories.document(project)
    start(page, project)
    composed = """(key) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", { key, code: "Digit1", isComposing: true, bubbles: true, cancelable: true }))"""
    for key in ("1", "Process"):
        page.evaluate(composed, key)
    page.get_by_role("button", name="Flag").focus()
    press(page, "1", "ArrowRight", "g")
    page.locator("summary", has_text="Guidelines").focus()
    press(page, "1")
    page.get_by_role("button", name="Comment").click()
    page.keyboard.type("a1xgA")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value("a1xgA")
    press(page, "1", "Escape")
    expect(page.locator("mark.entity")).to_have_count(0)
    expect(page.locator(".token.caret")).to_have_text("Ada")
    expect(page.locator(".token.caret")).to_be_focused()
    page.locator(".token", has_text="Ada").click()
    page.locator(".token", has_text="met").click(modifiers=["Shift"])
    expect(page.locator(".token.selected")).to_have_text(["Ada", "Lovelace", "met"])
    press(page, "Escape", "/")  # two labels have no field to find them by, until it is asked for
    page.keyboard.type("nothing")
    expect(page.get_by_text("No label is called that.")).to_be_visible()
    press(page, "Enter")
    page.get_by_label("Find a label").fill("lo")
    press(page, "Enter")
    expect(page.locator("mark.entity")).to_have_text("metLOC")
    expect(page.get_by_label("Find a label")).to_be_hidden()
