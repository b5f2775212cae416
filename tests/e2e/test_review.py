"""Reviewing by key alone: differences side by side, taken whole, in parts, corrected, returned; and on to the next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from labeling import annotate, predictions
from labeling.bio import Span, spans, tags_of
from labeling.models import Annotation, Document, Event, Project, Role
from labeling.predictions import Predicted
from tests import factories
from tests.e2e.driving import press
from tests.e2e.test_accessibility import check

pytestmark = pytest.mark.django_db(transaction=True)

ADA, BABBAGE, LONDON = Span(0, 2, "PER"), Span(3, 5, "PER"), Span(6, 7, "LOC")


@dataclass
class Desk:
    """A reviewer at a project, and the people whose work comes in."""

    page: Page
    project: Project
    reviewer: User
    people: list[User]

    def text(self, *versions: Sequence[Span], text: str = "Ada Lovelace met Charles Babbage in London .") -> Document:
        """A document with a submitted version of each person."""
        document = factories.document(self.project, text)
        for person, said in zip(self.people, versions, strict=False):
            tags = tags_of(said, len(document.token_starts))
            annotate.save(self.project, person, document.pk, tags=tags, revision=0, submit=True, seconds=7)
        return document

    def suggest(self, document: Document, *said: Span) -> None:
        count = len(document.token_starts)
        predictions.store([Predicted(document.pk, tags_of(said, count), [0.5] * count)], model="m1")

    def open(self, document: Document) -> None:
        self.page.goto(f"/projects/{self.project.slug}/review/{document.pk}/")
        expect(self.page.locator(".token").first).to_be_visible()

    def arrived_at(self, document: Document) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(f"Review document {document.pk}")

    def gold(self, document: Document) -> Annotation:
        return document.annotations.select_related("annotator").get(accepted=True)


@pytest.fixture
def desk(page: Page, project: Project, sign_in: Callable[[User], None], request: pytest.FixtureRequest) -> Desk:
    people = getattr(request, "param", 2)
    project.overlap = people
    project.save()
    reviewer = factories.member(project, role=Role.REVIEWER)
    sign_in(reviewer)
    return Desk(page, project, reviewer, [factories.member(project) for _ in range(people)])


def test_parts_of_each_are_taken_and_the_next_text_comes(desk: Desk) -> None:
    first = desk.text([ADA, LONDON], [ADA, BABBAGE, Span(6, 7, "PER")])
    second = desk.text([ADA], [ADA])
    desk.open(first)
    page = desk.page
    expect(page.locator("tr.undecided")).to_have_count(2)
    expect(page.locator("[data-part=text] mark.entity")).to_have_count(1)
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Decide about this difference first")
    press(page, "2", "1")
    expect(page.locator("tr.undecided")).to_have_count(0)
    press(page, "Enter")
    desk.arrived_at(second)
    gold = desk.gold(first)
    assert spans(gold.tags) == [ADA, BABBAGE, LONDON]
    assert gold.annotator == desk.reviewer
    one, other = (person.username for person in desk.people)
    assert [span["by"] for span in gold.provenance["spans"]] == [[one, other], [other], [one]]
    assert gold.provenance["rejected"] == [{"start": 6, "end": 7, "label": "PER", "by": [other]}]
    event = Event.objects.get(verb="annotation.accepted", document=first.pk)
    assert event.actor == desk.reviewer
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Nothing waits for review")).to_be_visible()
    assert desk.gold(second).annotator == desk.people[0]


@pytest.mark.parametrize("desk", [5], indirect=True)
def test_a_whole_version_the_majority_and_undo(desk: Desk) -> None:
    versions = [[ADA, LONDON], [ADA, LONDON], [LONDON], [ADA, BABBAGE, LONDON], [BABBAGE]]
    document = desk.text(*versions)
    last = desk.text(*versions)
    desk.open(document)
    page = desk.page
    expect(page.locator(".compare thead th")).to_have_count(7)
    press(page, "m")
    expect(page.locator("[data-part=text] mark.entity")).to_have_count(2)
    press(page, "Control+z")
    expect(page.locator("tr.undecided")).to_have_count(3)
    press(page, "Shift+Digit4")
    expect(page.locator("[data-part=text] mark.entity")).to_have_count(3)
    press(page, "Enter")
    desk.arrived_at(last)
    gold = desk.gold(document)
    assert (gold.annotator, spans(gold.tags)) == (desk.people[3], [ADA, BABBAGE, LONDON])
    press(page, "Backspace")
    desk.arrived_at(document)
    expect(page.get_by_text("✓ Accepted")).to_be_visible()
    press(page, "t")
    expect(page.get_by_text("To review", exact=True)).to_be_visible()
    assert not document.annotations.filter(accepted=True).exists()


@pytest.mark.parametrize("desk", [1], indirect=True)
def test_one_annotator_beside_a_suggestion_and_none_right(desk: Desk) -> None:
    document = desk.text([ADA])
    desk.suggest(document, ADA, LONDON)
    desk.open(document)
    page = desk.page
    expect(page.locator("tr.undecided")).to_have_count(0)  # a model beside the people leaves nothing undecided
    press(page, "2")
    expect(page.locator("[data-part=text] mark.entity")).to_have_count(2)
    press(page, "0")  # none is right: into the text, at the difference
    expect(page.locator("gold-review")).to_have_attribute("data-mode", "correct")
    press(page, "ArrowLeft", "Shift+ArrowRight", "2", "Enter")
    expect(page.get_by_role("heading", name="Nothing waits for review")).to_be_visible()
    gold = desk.gold(document)
    assert spans(gold.tags) == [ADA, Span(5, 7, "LOC")]
    origins = [(span["origin"], span.get("by"), span.get("model")) for span in gold.provenance["spans"]]
    assert origins == [("taken", [desk.people[0].username], None), ("edited", None, "m1")]


def test_it_is_returned_with_a_note(desk: Desk) -> None:
    document, other = desk.text([ADA], [LONDON]), desk.text([ADA], [ADA])
    desk.open(document)
    page = desk.page
    press(page, "r")
    page.keyboard.type("Look at the places again")
    press(page, "Tab", "Tab", "Space", "Shift+Tab", "Shift+Tab", "Enter")
    desk.arrived_at(other)
    returned = document.annotations.get(state="returned")
    assert (returned.annotator, returned.note) == (desk.people[1], "Look at the places again")
    assert Event.objects.get(verb="annotation.returned").actor == desk.reviewer


def test_what_changed_meanwhile_is_not_decided_unseen(desk: Desk, complaints: list[str]) -> None:
    document = desk.text([ADA], [LONDON])
    desk.open(document)
    page = desk.page
    own = document.annotations.get(annotator=desk.people[0])
    annotate.save(desk.project, desk.people[0], document.pk, tags=["O"] * 8, revision=own.revision, submit=True)
    press(page, "1", "1", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("look at it again")
    assert not document.annotations.filter(accepted=True).exists()
    page.get_by_role("link", name="Load it anew").click()
    expect(page.locator("[data-difference]")).to_have_count(1)
    assert any("409" in each for each in complaints)
    complaints.clear()


@pytest.mark.parametrize("desk", [3], indirect=True)
def test_any_script_narrow_and_accessible(desk: Desk) -> None:
    page = desk.page
    found: list[str] = []
    hebrew = "עדה לאבלייס פגשה את צארלס בלונדון ."
    for text in ("我在北京见到了艾达。", hebrew):
        document = desk.text([Span(2, 4, "LOC")], [Span(2, 5, "LOC")], [], text=text)
        desk.suggest(document, Span(2, 4, "LOC"))
        desk.open(document)
        press(page, "3")
        expect(page.locator("tr.undecided")).to_have_count(0)
        found += check(page, text)
    press(page, "?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found += check(page, "the list of keys")
    press(page, "Escape", "r")
    found += check(page, "returning")
    press(page, "Escape")
    page.set_viewport_size({"width": 360, "height": 740})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert found == [], "\n".join(found)
