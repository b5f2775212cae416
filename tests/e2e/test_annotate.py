"""The annotate page in a real browser: keyboard, mouse, finger, suggestions, code points, long texts."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling import predictions
from labeling.models import Annotation, Assignment, Document, Event, Label, Project
from tests import factories
from tests.e2e.driving import drag, press, saved, start, swipe

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_sign_in_to_acceptance(page: Page, project: Project) -> None:
    annotator, reviewer = factories.member(project), factories.member(project, role="reviewer")
    first = factories.document(project, priority=1.0)
    second = factories.document(project, "Grace Hopper lived in Arlington .", priority=0.5)

    page.goto("/")
    page.get_by_label("Username").fill(annotator.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=project.name).click()
    page.get_by_role("link", name="Label", exact=True).first.click()
    expect(page.locator(".token").first).to_be_focused()
    press(page, "Shift+ArrowRight", "1")  # Ada Lovelace
    press(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "1")  # Charles Babbage
    press(page, "ArrowRight", "ArrowRight", "2")  # London
    expect(page.locator("mark.entity")).to_have_count(3)
    expect(page.locator("mark.entity").first).to_contain_text("PER")
    press(page, "Enter")
    expect(page.locator("[data-part=text]")).to_contain_text("Grace Hopper")
    press(page, "Shift+ArrowRight", "1", "Enter")
    expect(page.get_by_text("Nothing left to label")).to_be_visible()

    done = Annotation.objects.get(document=first, annotator=annotator)
    assert (done.state, done.accepted) == ("submitted", False)
    assert done.tags == ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]
    assert done.seconds > 0

    page.get_by_text("Account").locator("..").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Username").fill(reviewer.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"/projects/{project.slug}/review/")
    page.get_by_role("link", name="Start reviewing").click()
    expect(page.locator(".token").first).to_be_visible()
    page.get_by_role("button", name="Accept, next").click()
    expect(page.locator("[data-part=text]")).to_contain_text("Grace Hopper")  # the next one
    page.get_by_role("button", name="Correct by hand").click()
    expect(page.locator("mark.entity")).to_have_count(1)
    press(page, "End", "ArrowLeft", "2", "Enter")  # Arlington
    expect(page.get_by_text("Nothing waits for review")).to_be_visible()

    done.refresh_from_db()
    assert done.accepted
    assert done.accepted_by == reviewer
    corrected = Annotation.objects.get(document=second, accepted=True)
    assert corrected.annotator == reviewer
    assert corrected.tags == ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]
    assert set(Document.objects.values_list("status", flat=True)) == {"accepted"}


def test_mouse_undo_redo_and_relabel(page: Page, project: Project, annotator: User) -> None:
    document = factories.document(project)
    start(page, project)
    drag(page, "Ada", "Lovelace")
    expect(page.locator(".token.selected")).to_have_count(2)
    page.locator(".palette-label", has_text="PER").click()
    drag(page, "London", "London")
    press(page, "1")
    expect(page.locator("mark.entity")).to_have_count(2)
    press(page, "2")  # the span at the cursor gets another label
    expect(page.locator("mark.entity").nth(1)).to_contain_text("LOC")
    press(page, "Control+z", "Control+z")
    expect(page.locator("mark.entity")).to_have_count(1)
    press(page, "Control+y", "Control+Shift+z")
    expect(page.locator("mark.entity").nth(1)).to_contain_text("LOC")
    page.locator(".token", has_text="Ada").click()
    press(page, "Delete")
    saved(page)
    own = Annotation.objects.get(document=document)
    assert (own.state, own.tags) == ("draft", ["O", "O", "O", "O", "O", "O", "B-LOC", "O"])


def test_suggestions(page: Page, project: Project, annotator: User) -> None:
    document = factories.document(project)
    tags = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "B-LOC", "B-LOC", "O"]
    predictions.store([predictions.Predicted(document.pk, tags, [0.9, 0.8, 1, 0.7, 0.7, 0.4, 0.6, 1])], model="m1")
    start(page, project)
    expect(page.locator("mark.suggested")).to_have_count(4)
    expect(page.locator("mark.suggested").first).to_contain_text("PER? 80%")
    press(page, "a", "a", "x")  # both persons, not `in`
    expect(page.locator("mark.suggested")).to_have_count(1)
    press(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Suggestions still open: 1")
    dialog.get_by_role("button", name="Go back").click()
    press(page, "Shift+A", "Enter")
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    own = Annotation.objects.get(document=document)
    assert own.tags == ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]
    assert (own.suggested_by, own.suggestion_use) == ("m1", {"kept": 3, "edited": 0, "rejected": 1, "drawn": 0})


def test_where_spans_come_from(page: Page, project: Project, annotator: User, sign_in: Callable[[User], None]) -> None:
    document = factories.document(project)
    tags = ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "O", "O"]
    predictions.store([predictions.Predicted(document.pk, tags, [0.9, 0.8, 1, 0.7, 1, 0.4, 1, 1])], model="m1")
    project.open_suggestions = "reject"
    project.save()
    start(page, project)
    press(page, "a")  # Ada Lovelace, accepted
    press(page, "Shift+ArrowRight", "1")  # Charles becomes Charles Babbage
    press(page, "ArrowRight", "ArrowRight", "2")  # London, by hand; `in` stays open
    press(page, "f", "c")
    page.keyboard.type("Look at “in”.")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("[data-part=comment-text]")).to_have_text("Look at “in”.")
    press(page, "Enter")
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    own = Annotation.objects.get(document=document)
    assert [(each["start"], each["origin"]) for each in own.provenance["spans"]] == [
        (0, "accepted"), (3, "edited"), (6, "manual"),
    ]  # fmt: skip
    assert own.provenance["rejected"] == [{"start": 5, "end": 6, "label": "LOC", "model": "m1", "confidence": 0.4}]
    assert (own.flagged, own.comment) == (True, "Look at “in”.")
    sign_in(factories.member(project, role="reviewer"))
    page.goto(f"/projects/{project.slug}/review/{document.pk}/")
    page.get_by_text("1 accepted, 1 edited, 1 manual, 1 rejected").click()
    expect(page.get_by_role("row", name="Charles Babbage PER edited")).to_contain_text("PER: Charles")
    expect(page.get_by_text("Flagged")).to_be_visible()


def test_offsets_are_code_points_and_blanks_are_kept(page: Page, project: Project, annotator: User) -> None:
    text = "👩‍👩‍👧 在\t北京\n\n𠮷野家  很好 😀吗"
    document = factories.document(project, text)
    start(page, project)
    assert page.locator(".token").all_text_contents() == document.tokens
    assert "\n".join(page.locator(".line").all_text_contents()) == text
    at = document.tokens.index("𠮷")
    press(page, *["ArrowRight"] * at, "Shift+ArrowRight", "Shift+ArrowRight", "2")
    expect(page.locator("mark.entity")).to_have_text("𠮷野家LOC")
    saved(page)
    own = Annotation.objects.get(document=document)
    assert own.tags[at : at + 3] == ["B-LOC", "I-LOC", "I-LOC"]
    assert own.tags.count("O") == len(document.tokens) - 3


def test_the_palette_finds_a_label_by_name(page: Page, project: Project, annotator: User) -> None:
    for number in range(20):
        Label.objects.create(project=project, name=f"KIND-{number}", color="#aabbcc", position=10 + number)
    factories.document(project)
    start(page, project)
    press(page, "/")
    page.keyboard.type("kind-17")
    press(page, "Enter")
    expect(page.locator("mark.entity")).to_have_text("AdaKIND-17")
    expect(page.locator(".token").first).to_be_focused()
    saved(page)


def test_skip_says_why(page: Page, project: Project, annotator: User) -> None:
    document = factories.document(project)
    start(page, project)
    press(page, "Space")
    page.get_by_role("dialog").get_by_role("button", name="Unclear").click()
    press(page, "Enter")
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    assert Assignment.objects.get(document=document).skip_reason == "Unclear"
    assert Event.objects.filter(verb="document.skipped", document=document.pk).count() == 1


def test_a_long_text_stays_usable(page: Page, project: Project, annotator: User) -> None:
    factories.document(project, "word " * 20_000)
    start(page, project)
    press(page, "End", "Shift+ArrowLeft", "1")
    expect(page.locator("mark.entity")).to_have_count(1)
    saved(page)
    own = Annotation.objects.get()
    assert own.tags[-2:] == ["B-PER", "I-PER"]


def test_with_a_finger_on_a_narrow_window(
    browser: Browser, context: BrowserContext, live_server: LiveServer, project: Project, annotator: User
) -> None:
    document = factories.document(project)
    size = {"width": 390, "height": 800}
    phone = browser.new_context(
        base_url=live_server.url, storage_state=context.storage_state(), viewport=size, has_touch=True
    )
    page = phone.new_page()
    start(page, project)
    page.locator(".token", has_text="Charles").tap()
    page.get_by_role("button", name="Extend").tap()
    page.locator(".token", has_text="Babbage").tap()
    expect(page.locator(".token.selected")).to_have_count(2)
    page.locator(".palette-label", has_text="PER").tap()
    expect(page.locator(".token.selected")).to_have_count(0)
    swipe(page, "Ada", "Lovelace")
    expect(page.locator(".token.selected")).to_have_text(["Ada", "Lovelace"])
    # The first tap after a synthetic swipe gives no click.
    page.locator(".palette-label", has_text="PER").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    phone.close()
    own = Annotation.objects.get(document=document)
    assert own.tags == ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "O", "O"]
