"""Plots in a browser: drawn from their numbers, in the page's colors, and replaced without a gap."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from datasets_app import jobs
from datasets_app.models import Job
from tests import factories
from tests.e2e.staged import stage

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_models_plots_follow_the_theme_and_have_their_numbers_and_files(
    page: Page, sign_in: Callable[[User], None]
) -> None:
    staged = stage()
    sign_in(staged.manager)
    page.goto(staged.address("/models/{model}/"))
    plot = page.get_by_role("figure").filter(has_text="F1 by label on test")
    plot.scroll_into_view_if_needed()
    picture = plot.get_by_role("img", name="F1 by label on test")
    expect(picture.locator("svg text", has_text="LABEL-46")).to_be_visible()
    bar = picture.locator(".mark-rect path").first
    color = "element => getComputedStyle(element).fill"
    light = bar.evaluate(color)
    page.get_by_label("Theme").select_option("dark")
    assert bar.evaluate(color) != light
    plot.get_by_text("Numbers").click()
    expect(plot.get_by_role("row", name="PER 0.500 1.000 0.667")).to_be_visible()
    with page.expect_download() as download:
        plot.get_by_role("link", name="CSV").click()
    content = download.value.path().read_text().splitlines()
    assert download.value.suggested_filename == "test-labels.csv"
    assert content[0] == "label,precision,recall,f1,low,high,support"
    assert len(content) == len(staged.versions[0].labels) + 2


def test_without_scripts_the_numbers_are_there(
    browser: Browser, page: Page, live_server: LiveServer, sign_in: Callable[[User], None]
) -> None:
    staged = stage()
    sign_in(staged.manager)
    state = page.context.storage_state()
    context = browser.new_context(java_script_enabled=False, storage_state=state, base_url=live_server.url)
    try:
        bare = context.new_page()
        bare.goto(staged.address("/models/{model}/"))
        plot = bare.get_by_role("figure").filter(has_text="Training")
        plot.get_by_text("Numbers").click()
        expect(plot.get_by_role("row", name="5 0.400 0.800")).to_be_visible()
    finally:
        context.close()


def test_the_curve_of_a_running_training_grows_without_a_gap(page: Page, sign_in: Callable[[User], None]) -> None:
    manager = factories.user()
    project = factories.project(manager=manager)
    job = jobs.enqueue("train", project=project, user=manager, params={"hyperparameters": {}})
    curve = [{"epoch": 1, "loss": 1.0, "f1": 0.5}, {"epoch": 2, "loss": 0.5, "f1": 0.6}]
    running(job, curve)
    sign_in(manager)
    page.goto(f"/runs/{job.pk}/")
    points = page.locator("gold-plot svg .mark-symbol.role-mark path")
    expect(points).to_have_count(4)
    page.evaluate(
        "() => { window.gaps = 0; const look = () => { if (!document.querySelector('gold-plot svg')) window.gaps += 1;"
        " requestAnimationFrame(look); }; look(); }"
    )
    running(job, [*curve, {"epoch": 3, "loss": 0.3, "f1": 0.7}])
    expect(points).to_have_count(6)
    expect(page.get_by_role("row", name="3 0.300 0.700")).to_be_visible()
    assert page.evaluate("window.gaps") == 0


def running(job: Job, curve: list[dict]) -> None:
    Job.objects.filter(pk=job.pk).update(result={"curve": curve}, total=10, done=len(curve))
