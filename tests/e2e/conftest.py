"""One Chromium for all journeys; each test has a context of its own and fails on any console error."""

import os
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from config.prepare import ensure_plot_library
from labeling.models import Project
from tests import factories
from tests.e2e.chromium import ARGUMENTS, executable

TIMEOUT_MS = 15_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright's loop runs in this thread, which makes Django refuse the ORM; our queries never overlap.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    ensure_plot_library()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    # Without service workers, past which Playwright does not see.
    size = {"width": 1280, "height": 800}
    context = browser.new_context(base_url=live_server.url, viewport=size, service_workers="block")
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()
    _settle()


def _settle() -> None:
    """What a page sends as it closes comes to an end, before the tables are emptied under it."""
    for _ in range(50):
        time.sleep(0.05)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone() == (0,):
                return


@pytest.fixture
def complaints() -> list[str]:
    """What the console complained about; a test that provokes an error clears it."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


@pytest.fixture
def sign_in(context: BrowserContext, live_server: LiveServer) -> Callable[[User], None]:
    """Sign a person in without the form."""

    def enter(user: User) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])

    return enter


@pytest.fixture
def project(live_server: LiveServer) -> Project:
    """A project without texts."""
    return factories.project(held_out_rate=0.0)


@pytest.fixture
def annotator(project: Project, sign_in: Callable[[User], None]) -> User:
    """A member of it, signed in."""
    person = factories.member(project)
    sign_in(person)
    return person
