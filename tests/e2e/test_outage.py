"""A web process that really ends and comes back, and a browser that is closed meanwhile: all is there, once."""

import shutil
import signal
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.processes import Command, Process, kill, log_file, spawn
from config.up import WEB
from labeling.models import Annotation, Event
from tests import factories
from tests.e2e.chromium import ARGUMENTS, executable
from tests.e2e.driving import press
from tests.workers import ROOT, database_url, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

STATE = "[data-part=save-state]"
TEXT = "[data-part=text]"
NAMES = ("Ada", "Bob", "Cleo", "Dan")


class Web:
    """The web process as `config.up` runs it, on the test's database and a port of its own."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: Process | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        env = {"DATABASE_URL": database_url(), "WEB_CONCURRENCY": "1", "SECRET_KEY": settings.SECRET_KEY}
        argv = [sys.executable, *WEB, "--bind", f"127.0.0.1:{self.port}"]
        command = Command(name="test-web", argv=argv, env=env, cwd=ROOT, orphan_signal=signal.SIGKILL)
        self.process = spawn(command, instance=settings.DATA_DIR)
        wait_for(self._answers, says=lambda: log_file(settings.DATA_DIR, "test-web").read_text(errors="replace"))

    def kill(self) -> None:
        """`kill -9`, with all that it was doing."""
        if self.process is not None:
            kill(self.process)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.address}/healthz", timeout=5).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            return False
        return True


@pytest.fixture
def web(db: None) -> Iterator[Web]:
    web = Web()
    web.start()
    yield web
    web.kill()


@pytest.fixture
def profile() -> Iterator[Path]:
    """What a browser keeps on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="browser-", dir=settings.DATA_DIR))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def opened(browser: Browser, web: Web, profile: Path) -> tuple[BrowserContext, Page]:
    """A browser that begins with what the last one kept."""
    context = browser.browser_type.launch_persistent_context(
        profile, executable_path=executable(), args=ARGUMENTS, base_url=web.address
    )
    context.set_default_timeout(30_000)
    return context, context.pages[0]


def test_the_server_stops_and_the_browser_is_closed(browser: Browser, web: Web, profile: Path) -> None:
    project = factories.project(held_out_rate=0.0)
    annotator = factories.member(project)
    for at, name in enumerate(NAMES):
        factories.document(project, f"{name} slept .", priority=1 - at / 10)
    context, page = opened(browser, web, profile)
    page.goto(f"/projects/{project.slug}/annotate/")
    page.get_by_label("Username").fill(annotator.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(TEXT)).to_contain_text("Ada")
    page.wait_for_load_state("networkidle")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")

    web.kill()
    for name in NAMES[:2]:
        expect(page.locator(TEXT)).to_contain_text(name)
        press(page, "1", "Enter")
    expect(page.locator(TEXT)).to_contain_text("Cleo")
    press(page, "ArrowRight", "2")  # begun and not handed in
    expect(page.locator(STATE)).to_have_text("Offline: 3 texts are kept in this browser")
    context.close()

    context, page = opened(browser, web, profile)
    page.goto(f"/projects/{project.slug}/annotate/")
    expect(page.get_by_role("heading", name="The server is away")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("kept in this browser: 3.")
    assert not Annotation.objects.exists()

    web.start()
    expect(page.locator(TEXT)).to_contain_text("Cleo", timeout=30_000)  # by itself
    expect(page.locator("mark.entity")).to_have_text("sleptLOC")
    expect(page.locator(STATE)).to_have_text("Draft saved", timeout=30_000)
    press(page, "Enter")
    expect(page.locator(TEXT)).to_contain_text("Dan")
    expect(page.locator(STATE)).to_have_text("All saved", timeout=30_000)
    context.close()
    done = Annotation.objects.filter(state="submitted").values_list("document__text", "tags")
    person, place = ["B-PER", "O", "O"], ["O", "B-LOC", "O"]
    assert dict(done) == {"Ada slept .": person, "Bob slept .": person, "Cleo slept .": place}
    assert Event.objects.filter(verb="annotation.submitted").count() == 3


def test_a_process_that_dies_while_it_saves(browser: Browser, web: Web, profile: Path) -> None:
    """Killed again and again in mid-work, as by a crash: nothing is lost, nothing is there twice."""
    project = factories.project(held_out_rate=0.0)
    annotator = factories.member(project)
    for at in range(6):
        factories.document(project, f"N{at} slept .", priority=1 - at / 10)
    context, page = opened(browser, web, profile)
    page.goto(f"/projects/{project.slug}/annotate/")
    page.get_by_label("Username").fill(annotator.username)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for at in range(6):
        expect(page.locator(TEXT)).to_contain_text(f"N{at}", timeout=30_000)
        press(page, "1", "Enter")
        if at % 2:
            web.kill()
            web.start()
    expect(page.get_by_text("Nothing left to label")).to_be_visible(timeout=30_000)
    expect(page.locator(STATE)).to_have_text("All saved", timeout=30_000)
    context.close()
    assert Annotation.objects.filter(state="submitted", tags=["B-PER", "O", "O"]).count() == 6
    assert Event.objects.filter(verb="annotation.submitted").count() == 6
