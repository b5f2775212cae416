"""The keyboard map beyond the first steps, changed keys, and the mouse at a span's edge."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling import predictions, review
from labeling.models import Annotation, Label, Project
from tests import factories
from tests.e2e.driving import drag, press, saved, sent, start

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "[data-part=text]"


def marks(page: Page, *texts: str) -> None:
    expect(page.locator("mark.entity:not(.suggested)")).to_have_text(list(texts))


def test_edges_and_jumps(page: Page, project: Project, annotator: User) -> None:
    document = factories.document(project)
    start(page, project)
    press(page, "ArrowRight", "1")  # Lovelace
    press(page, "[")
    marks(page, "Ada LovelacePER")
    press(page, "]", "}", "Shift+BracketLeft")
    marks(page, "LovelacePER")
    press(page, "End", "ArrowLeft", "2", "Home", "Control+ArrowRight", "Control+ArrowRight")
    expect(page.locator(".token.caret")).to_have_text("London")
    press(page, "Control+ArrowLeft", "Backspace")
    marks(page, "LondonLOC")
    saved(page)
    assert Annotation.objects.get(document=document).tags == [*["O"] * 6, "B-LOC", "O"]


def test_tab_goes_to_the_least_certain_first(page: Page, project: Project, annotator: User) -> None:
    document = factories.document(project)
    tags = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]
    predictions.store([predictions.Predicted(document.pk, tags, [0.9, 0.9, 1, 0.5, 0.5, 1, 0.7, 1])], model="m1")
    start(page, project)
    caret = page.locator(".token.caret")
    for word in ("Charles", "London", "Ada", "Charles"):
        press(page, "Tab")
        expect(caret).to_have_text(word)
    press(page, "Shift+A", "Tab")
    expect(page.locator(".token").first).not_to_be_focused()  # nothing is open: Tab leaves the text


def test_the_second_page_of_labels(page: Page, project: Project, annotator: User) -> None:
    Label.objects.filter(project=project).delete()
    for number in range(1, 51):
        Label.objects.create(project=project, name=f"L{number}", color="#aabbcc", position=number)
    factories.document(project)
    start(page, project)
    press(page, "Shift+Digit2")
    marks(page, "AdaL12")
    press(page, "q")  # behind the digits, the letters that no command has
    marks(page, "AdaL21")


def test_back_to_the_text_before_and_on_again(page: Page, project: Project, annotator: User) -> None:
    first = factories.document(project, "Ada slept .", priority=0.9)
    factories.document(project, "Bob slept .", priority=0.8)
    start(page, project)
    press(page, "1", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Bob")
    press(page, "ArrowRight", "2")  # begun
    press(page, "ArrowRight", "Backspace")
    expect(page.locator(TEXT)).to_contain_text("Ada")
    marks(page, "AdaPER")
    press(page, "2", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Bob")
    marks(page, "sleptLOC")
    sent_first = Annotation.objects.get(document=first)
    press(page, "Enter")
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    sent_first.refresh_from_db()
    assert (sent_first.state, sent_first.tags[0]) == ("submitted", "B-LOC")
    page.goto(f"/projects/{project.slug}/annotate/?document={first.pk}")
    page.get_by_text("Last texts").click()
    rows = page.get_by_label("Last texts").get_by_role("button")
    expect(rows).to_have_count(2)
    rows.filter(has_text="Bob slept .submitted").click()
    expect(page.locator(TEXT)).to_contain_text("Bob")
    press(page, "1")
    expect(page.get_by_text("Changed; submit again to save")).to_be_visible()


def test_mouse_edge_double_click_and_sticky_label(page: Page, project: Project, annotator: User) -> None:
    document = factories.document(project)
    start(page, project)
    page.locator(".token", has_text="London").dblclick()
    marks(page, "LondonPER")
    drag(page, "Ada", "Ada")
    press(page, "1")
    ada = page.locator(".token", has_text="Ada").bounding_box()
    last = page.locator(".token", has_text="met").bounding_box()
    page.mouse.move(ada["x"] + ada["width"] - 1, ada["y"] + 5)
    page.mouse.down()
    page.mouse.move(last["x"] + 5, last["y"] + 5, steps=5)
    page.mouse.up()
    marks(page, "Ada Lovelace metPER", "LondonPER")
    press(page, "Control+z")
    marks(page, "AdaPER", "LondonPER")
    page.locator(".palette-label", has_text="LOC").dblclick()
    expect(page.get_by_text("LOC is put on every selection")).to_be_visible()
    drag(page, "Charles", "Babbage")
    expect(page.locator("mark.entity", has_text="Charles Babbage")).to_contain_text("LOC")
    saved(page)
    assert Annotation.objects.get(document=document).tags[3:5] == ["B-LOC", "I-LOC"]


def test_a_person_changes_their_keys(page: Page, project: Project, annotator: User) -> None:
    factories.document(project)
    page.goto("/profile/")
    field = page.get_by_label("Submit", exact=True)
    expect(field).to_have_value("Enter")
    field.press("Control+s")
    expect(field).to_have_value("Ctrl s")
    page.get_by_label("Skip", exact=True).press("a")
    page.get_by_role("button", name="Save shortcuts").click()
    expect(page.get_by_text("a is given twice.")).to_be_visible()
    page.get_by_label("Skip", exact=True).press("n")
    page.get_by_role("button", name="Save shortcuts").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    start(page, project)
    press(page, "1", "Enter")
    marks(page, "AdaPER")  # Enter no longer submits
    press(page, "Control+s")
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    sent(page)


def test_what_a_label_is_for(page: Page, project: Project, annotator: User, complaints: list[str]) -> None:
    Label.objects.filter(name="LOC").update(description="Places one can go to.")
    done = factories.document(project, "Grace lived in Arlington .", priority=0.1)
    reviewer = factories.member(project, role="reviewer")
    review.correct(project, reviewer, done.pk, tags=["B-PER", "O", "O", "B-LOC", "O"])
    factories.document(project)
    start(page, project)
    press(page, "End", "ArrowLeft", "2", "i")  # the card of the span's label
    dialog = page.get_by_role("dialog", name="What the label is for")
    expect(dialog.get_by_label("Label", exact=True)).to_have_value("LOC")
    expect(dialog).to_contain_text("Places one can go to.")
    expect(dialog.get_by_role("listitem")).to_have_text(["Grace lived in Arlington ."])
    expect(dialog.locator("mark")).to_have_text("Arlington")
    page.keyboard.press("ArrowUp")  # the choice has the focus
    expect(dialog.locator("mark")).to_have_text("Grace")
    page.route("**/examples?*", lambda route: route.abort())
    press(page, "ArrowDown")
    expect(dialog).to_contain_text("Places one can go to.")  # it stands in the page
    expect(dialog).to_contain_text("The server cannot be reached.")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    press(page, "h", "1")  # in the guidelines, keys label nothing
    expect(page.get_by_role("region", name="Guidelines")).to_be_focused()
    marks(page, "LondonLOC")
    press(page, "Escape", "1")
    marks(page, "LondonPER")
    page.get_by_role("region", name="Guidelines").get_by_role("button", name="LOC").click()
    expect(dialog.get_by_label("Label", exact=True)).to_have_value("LOC")
    complaints.clear()  # the request that could not be made
