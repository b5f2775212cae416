"""The outbox: a server that is away, a browser that is closed, two tabs, a lease that runs out. Nothing is lost."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from labeling import annotate, queue
from labeling.models import Annotation, Assignment, Document, Event, Project
from tests import factories
from tests.e2e.driving import press, saved, start

pytestmark = pytest.mark.django_db(transaction=True)

STATE = "[data-part=save-state]"
TEXT = "[data-part=text]"


class Server:
    """The server as the browser finds it: `stop` cuts every connection, also that of other tabs."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context

    def stop(self) -> None:
        self.context.route("**/*", lambda route: route.abort("connectionrefused"))

    def start(self) -> None:
        self.context.unroute("**/*")


@pytest.fixture
def server(context: BrowserContext, complaints: list[str]) -> Iterator[Server]:
    yield Server(context)
    complaints.clear()  # the browser logs each request that could not be made


@pytest.fixture
def texts(project: Project) -> list[Document]:
    names = ("Ada", "Bob", "Cleo", "Dan")
    return [factories.document(project, f"{name} slept .", priority=1 - at / 10) for at, name in enumerate(names)]


def test_texts_labeled_while_the_server_is_away_arrive_once(
    page: Page, project: Project, annotator: User, texts: list[Document], server: Server
) -> None:
    start(page, project)
    expect(page.locator(TEXT)).to_contain_text("Ada")
    page.wait_for_load_state("networkidle")
    server.stop()
    for name in ("Ada", "Bob", "Cleo"):  # the first, and the two that were fetched ahead
        expect(page.locator(TEXT)).to_contain_text(name)
        press(page, "1", "Enter")
    expect(page.get_by_text("No text could be fetched")).to_be_visible()
    expect(page.locator(STATE)).to_have_text("Offline: 3 texts are kept in this browser")
    assert not Annotation.objects.exists()
    server.start()
    expect(page.locator(TEXT)).to_contain_text("Dan", timeout=15_000)
    expect(page.locator(STATE)).to_have_text("All saved", timeout=15_000)
    done = Annotation.objects.filter(state="submitted", tags=["B-PER", "O", "O"], revision=1)
    assert set(done.values_list("document", flat=True)) == {text.pk for text in texts[:3]}
    assert Event.objects.filter(verb="annotation.submitted").count() == 3


def test_a_browser_closed_while_the_server_is_away_sends_when_it_is_opened_again(
    page: Page, context: BrowserContext, project: Project, annotator: User, texts: list[Document], server: Server
) -> None:
    start(page, project)
    page.wait_for_load_state("networkidle")
    server.stop()
    press(page, "1", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Bob")
    press(page, "ArrowRight", "2")
    expect(page.locator(STATE)).to_have_text("Offline: 2 texts are kept in this browser")
    page.close()
    Assignment.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    server.start()
    again = context.new_page()
    start(again, project)
    expect(again.locator(TEXT)).to_contain_text("Bob")
    expect(again.locator("mark.entity")).to_have_text("sleptLOC")
    saved(again)
    states = dict(Annotation.objects.values_list("document", "state"))
    assert states == {texts[0].pk: "submitted", texts[1].pk: "draft"}


def test_somebody_else_takes_the_text_when_the_lease_runs_out(
    page: Page, project: Project, annotator: User, texts: list[Document]
) -> None:
    """Who was given a text may finish it: both versions are there, for a reviewer to compare."""
    start(page, project)
    press(page, "1")
    saved(page)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    other = factories.member(project)
    lease = queue.lease(project, other)
    assert lease is not None
    assert lease.document == texts[0]
    annotate.save(project, other, texts[0].pk, tags=["O", "B-LOC", "O"], revision=0, submit=True)
    press(page, "ArrowRight", "2", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Bob")
    expect(page.locator(STATE)).to_have_text("All saved")
    rows = texts[0].annotations.filter(state="submitted").values_list("annotator", "tags")
    assert dict(rows) == {annotator.pk: ["B-PER", "B-LOC", "O"], other.pk: ["O", "B-LOC", "O"]}
    texts[0].refresh_from_db()
    assert texts[0].status == Document.Status.SUBMITTED


def test_an_answer_that_is_lost_on_its_way_is_no_conflict(
    page: Page, project: Project, annotator: User, texts: list[Document], server: Server
) -> None:
    start(page, project)

    def arrive_without_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/annotation", arrive_without_answer)
    press(page, "1")
    expect(page.locator(STATE)).to_contain_text("Offline")
    page.unroute("**/annotation")
    press(page, "ArrowRight", "2", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Bob")
    expect(page.locator(STATE)).to_have_text("All saved")
    own = Annotation.objects.get(document=texts[0])
    assert (own.state, own.tags, own.revision) == ("submitted", ["B-PER", "B-LOC", "O"], 2)


def test_the_same_text_in_two_tabs(
    page: Page, context: BrowserContext, project: Project, annotator: User, complaints: list[str]
) -> None:
    document = factories.document(project)
    start(page, project)
    other = context.new_page()
    start(other, project)
    press(page, "1")
    saved(page)
    press(other, "ArrowRight", "2", "Enter")  # hands in, over what the first tab has saved
    dialog = other.get_by_role("dialog")
    expect(dialog).to_contain_text("PER: Ada (only here)")
    expect(dialog).to_contain_text("LOC: Lovelace (only here)")
    dialog.get_by_role("button", name="Go on with mine").click()
    expect(other.locator(STATE)).to_have_text("All saved")
    own = Annotation.objects.get(document=document)
    assert (own.state, own.tags[:2]) == ("submitted", ["O", "B-LOC"])
    press(page, "End", "1")
    expect(page.get_by_role("dialog")).to_contain_text("LOC: Lovelace (only here)")
    page.get_by_role("dialog").get_by_role("button", name="Go on with the saved one").click()
    expect(page.locator("mark.entity")).to_have_text(["LovelaceLOC"])
    own.refresh_from_db()
    assert (own.state, own.tags[:2]) == ("submitted", ["O", "B-LOC"])
    complaints.clear()  # the 409s


def test_what_the_server_refuses_stays_and_says_why(
    page: Page, project: Project, annotator: User, texts: list[Document], complaints: list[str]
) -> None:
    start(page, project)
    Document.objects.filter(pk=texts[0].pk).update(archived_at=timezone.now())
    press(page, "1", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("The document is archived")
    Document.objects.filter(pk=texts[0].pk).update(archived_at=None)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(STATE)).to_have_text("All saved")
    assert Annotation.objects.get(document=texts[0]).state == "submitted"
    complaints.clear()  # the 409


def test_the_next_text_is_there_at_once(page: Page, project: Project, annotator: User, texts: list[Document]) -> None:
    """With a server that never answers a save, the next text is on the page."""
    start(page, project)
    page.wait_for_load_state("networkidle")
    held: list[Callable[[], None]] = []
    page.route("**/annotation", lambda route: held.append(route.continue_))
    press(page, "1", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Bob")
    expect(page.locator(STATE)).to_have_text("Saving…")
    for go_on in held:
        go_on()
    page.unroute("**/annotation")
    expect(page.locator(STATE)).to_have_text("All saved")
