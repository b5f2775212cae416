"""Nothing that a person decided is lost: reloads, a server that is away, conflicts, ended sessions, returned texts."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling import annotate, review
from labeling.models import Annotation, Project
from tests import factories
from tests.e2e.driving import press, saved, sent, start

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_draft_survives_a_reload_and_a_server_that_is_away(
    page: Page, project: Project, annotator: User, complaints: list[str]
) -> None:
    document = factories.document(project)
    start(page, project)
    press(page, "1")
    saved(page)
    page.reload()
    expect(page.locator("mark.entity")).to_have_count(1)
    page.route("**/annotation", lambda route: route.abort())
    press(page, "End", "ArrowLeft", "2")
    expect(page.locator("[data-part=save-state]")).to_contain_text("Offline")
    assert Annotation.objects.get(document=document).tags.count("O") == 7
    page.reload()
    page.unroute("**/annotation")
    expect(page.locator("mark.entity")).to_have_count(2)
    saved(page)
    assert Annotation.objects.get(document=document).tags[6] == "B-LOC"
    complaints.clear()  # the browser logs each request that could not be made


def test_a_conflict_is_put_to_the_person(page: Page, project: Project, annotator: User, complaints: list[str]) -> None:
    document = factories.document(project)
    start(page, project)
    press(page, "1")
    saved(page)
    elsewhere = ["O", "O", "O", "O", "O", "O", "B-LOC", "O"]
    annotate.save(project, annotator, document.pk, tags=elsewhere, revision=1, submit=False)
    press(page, "ArrowRight", "2")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("LOC: London (only here)")
    expect(dialog).to_contain_text("PER: Ada (only here)")
    dialog.get_by_role("button", name="Go on with mine").click()
    saved(page)
    assert Annotation.objects.get(document=document).tags == ["B-PER", "B-LOC", "O", "O", "O", "O", "O", "O"]
    complaints.clear()  # the 409


def test_a_returned_text_comes_first_with_its_note(page: Page, project: Project, annotator: User) -> None:
    returned = factories.document(project, priority=0.1)
    factories.document(project, "Another text .", priority=0.9)
    tags = ["B-PER", *["O"] * 7]
    given = annotate.save(project, annotator, returned.pk, tags=tags, revision=0, submit=True)
    reviewer = factories.member(project, role="reviewer")
    review.give_back(project, reviewer, returned.pk, annotation_id=given.pk, note="And the last name?")
    start(page, project)
    expect(page.get_by_text("And the last name?")).to_be_visible()
    press(page, "Shift+ArrowRight", "1", "Enter")
    expect(page.locator("[data-part=text]")).to_contain_text("Another text")
    sent(page)
    given.refresh_from_db()
    assert (given.state, given.tags[:2]) == ("submitted", ["B-PER", "I-PER"])


def test_who_is_signed_out_meanwhile_loses_nothing(
    page: Page, project: Project, annotator: User, sign_in: Callable[[User], None], complaints: list[str]
) -> None:
    document = factories.document(project)
    start(page, project)
    page.context.clear_cookies()
    press(page, "1", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    sign_in(annotator)
    page.reload()
    expect(page.get_by_text("Nothing left to label")).to_be_visible()
    own = Annotation.objects.get(document=document)
    assert (own.state, own.tags[0]) == ("submitted", "B-PER")
    complaints.clear()  # the 401
