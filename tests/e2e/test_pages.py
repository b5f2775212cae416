"""Every page, for a manager with real rows: it opens, it fits a narrow window, and it keeps others out."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils.functional import SimpleLazyObject
from playwright.sync_api import Page, expect

from datasets_app import curation
from datasets_app import page_urls as data_pages
from labeling import annotate, bio, projects
from labeling import page_urls as labeling_pages
from labeling.errors import Unavailable
from labeling.models import Document, Label, Membership, Project, Role
from modelassist import page_urls as model_pages
from tests import factories
from tests.e2e.staged import Stage, stage

# Address and the least role that may open it.
PAGES = {
    "/projects/{p}/": Role.ANNOTATOR,
    "/projects/{p}/progress/": Role.ANNOTATOR,
    "/projects/{p}/progress/pace/": Role.ANNOTATOR,
    "/projects/{p}/progress/labels/": Role.ANNOTATOR,
    "/projects/{p}/progress/suggestions/": Role.REVIEWER,
    "/projects/{p}/learning/": Role.ANNOTATOR,
    "/projects/{p}/annotate/": Role.ANNOTATOR,
    "/projects/{p}/annotate/?document={pending}": Role.ANNOTATOR,
    "/projects/{p}/documents/": Role.ANNOTATOR,
    "/projects/{p}/documents/?q=no+such+text": Role.ANNOTATOR,
    "/projects/{p}/documents/{accepted}/": Role.ANNOTATOR,
    "/projects/{p}/documents/{pending}/": Role.ANNOTATOR,
    "/projects/{p}/labels/": Role.ANNOTATOR,
    "/projects/{p}/members/": Role.ANNOTATOR,
    "/projects/{p}/models/": Role.ANNOTATOR,
    "/models/{model}/": Role.ANNOTATOR,
    "/projects/{p}/jobs/": Role.ANNOTATOR,
    "/jobs/{job}/": Role.ANNOTATOR,
    "/projects/{p}/review/": Role.REVIEWER,
    "/projects/{p}/review/{waiting}/": Role.REVIEWER,
    "/projects/{p}/versions/": Role.REVIEWER,
    "/versions/{version}/": Role.REVIEWER,
    "/versions/{version}/diff/{other}/": Role.REVIEWER,
    "/projects/{p}/export/": Role.REVIEWER,
    "/projects/{p}/duplicates/": Role.REVIEWER,
    "/projects/{p}/leaks/": Role.REVIEWER,
    "/projects/{p}/statistics/": Role.REVIEWER,
    "/projects/{p}/consistency/": Role.REVIEWER,
    "/projects/{p}/consistency/surface/?surface=Ada+Lovelace": Role.REVIEWER,
    "/projects/{p}/changes/": Role.REVIEWER,
    "/projects/{p}/label-issues/": Role.REVIEWER,
    "/versions/{version}/leaks/": Role.REVIEWER,
    "/versions/{version}/diff/now/": Role.REVIEWER,
    "/models/{model}/errors/": Role.REVIEWER,
    "/runs/{run}/": Role.ANNOTATOR,
    "/projects/{p}/curation/": Role.MANAGER,
    "/projects/{p}/labels/operation/?label=PER": Role.MANAGER,
    "/projects/{p}/patterns/": Role.MANAGER,
    "/projects/{p}/assistance/": Role.MANAGER,
    "/projects/{p}/import/": Role.MANAGER,
    "/projects/{p}/settings/": Role.MANAGER,
}
# No pages of their own: a part of one, a text.
PARTS = {
    "/projects/{p}/documents/{accepted}/versions/": Role.REVIEWER,
    "/versions/{version}/card/": Role.REVIEWER,
}
OWN = ["/", "/?q=no+such+project", "/new-project/", "/profile/", "/trash/"]
# Those that only take what a form sends, that lead elsewhere, or that have a test of their own.
NOT_SHOWN = {
    "login", "logout", "profile-language", "profile-token", "label", "member", "document-archive", "review-next",
    "annotate-offline", "bulk", "version-restore-document", "change-undo", "job-cancel",
}  # fmt: skip
Empty = Callable[[], Project]


@pytest.mark.django_db
def test_no_page_is_forgotten() -> None:
    staged = stage()
    addresses = [*OWN, *(staged.address(pattern) for pattern in (*PAGES, *PARTS))]
    seen = {resolve(address.partition("?")[0]).url_name for address in addresses}
    every = {each.name for app in (labeling_pages, data_pages, model_pages) for each in app.page_urlpatterns}
    assert every - seen == NOT_SHOWN


@pytest.mark.django_db(transaction=True)
def test_every_page_opens_and_fits_a_narrow_window(page: Page, sign_in: Callable[[User], None]) -> None:
    staged = stage()
    empty = factories.project(manager=staged.manager, labels=())
    sign_in(staged.manager)
    page.set_viewport_size({"width": 390, "height": 800})
    within = [pattern for pattern in PAGES if "{p}" in pattern and pattern.count("{") == 1 and "label=" not in pattern]
    addresses = [*OWN, *(staged.address(pattern) for pattern in PAGES), *(p.format(p=empty.slug) for p in within)]
    for address in addresses:
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        expect(page.locator("main h1, main h2").first).to_be_attached()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{address} is {wide} px too wide"


@pytest.mark.django_db(transaction=True)
def test_who_is_signed_out_meanwhile_signs_in_and_comes_back(page: Page, sign_in: Callable[[User], None]) -> None:
    project = factories.project(manager=(manager := factories.user()))
    sign_in(manager)
    page.goto(f"/projects/{project.slug}/progress/")
    expect(page.locator("#panel-labels")).to_be_attached()
    page.context.clear_cookies()
    page.evaluate("htmx.ajax('GET', `${location.pathname}pace/`, '#main')")
    page.wait_for_url(f"**/sign-in/?next=/projects/{project.slug}/progress/")


@pytest.mark.django_db
def test_pages_keep_out_who_may_not_see_them(client: Client) -> None:
    staged = stage()
    people = [staged.annotator, staged.reviewer, staged.manager]
    for pattern, needs in (PAGES | PARTS).items():
        address = staged.address(pattern)
        client.logout()
        assert client.get(address).headers["Location"].startswith("/sign-in/"), address
        client.force_login(factories.user())
        assert client.get(address).status_code == 404, address
        for person, role in zip(people, Role):
            client.force_login(person)
            assert client.get(address).status_code == (200 if role.rank >= needs.rank else 403), (address, role)


@pytest.mark.django_db
def test_annotators_do_not_see_each_other(client: Client) -> None:
    staged = stage()
    second = staged.project.memberships.filter(role=Role.ANNOTATOR).exclude(user=staged.annotator).get().user
    client.force_login(staged.annotator)
    for pattern in (
        "/projects/{p}/",
        "/projects/{p}/progress/pace/",
        "/projects/{p}/documents/",
        "/projects/{p}/documents/{accepted}/",
    ):
        assert second.username not in client.get(staged.address(pattern)).content.decode()


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_rows(client: Client, django_assert_max_num_queries: Callable) -> None:
    staged = stage()
    for _ in range(30):
        factories.document(staged.project)
        factories.project(manager=staged.manager)
    client.force_login(staged.manager)
    for address in ("/", "/projects/{p}/documents/", "/projects/{p}/review/", "/projects/{p}/jobs/"):
        with django_assert_max_num_queries(10):
            client.get(staged.address(address))


@pytest.fixture
def staged(client: Client, db: None) -> Stage:
    """The stage, with its manager signed in."""
    made = stage()
    client.force_login(made.manager)
    return made


def messages(response: object) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_a_project_is_made_on_one_page(client: Client, db: None) -> None:
    person = factories.user()
    client.force_login(person)
    given = {
        "name": "Names", "labels": "PER A person\n\nLOC\n", "tokenizer": "words", "overlap": 2, "review": "always",
        "validation_share": "10", "test_share": "20",
    }  # fmt: skip
    twice = client.post("/new-project/", given | {"labels": "PER\nPER"})
    assert "Line 2" in twice.content.decode()
    assert not Project.objects.exists()
    taken = client.post("/new-project/", given | {"labels": "PER [a] A person", "overlap": 0, "guidelines": "Typed."})
    assert set(taken.context["form"].errors) == {"labels", "overlap"}
    assert "Typed." in taken.content.decode()
    client.post("/new-project/", given | {"split_by": "author"})
    project = Project.objects.get()
    assert curation.of(project).split_by == "author"
    assert (project.overlap, project.validation_share, project.test_share) == (2, 0.1, 0.2)
    assert list(project.labels.values_list("name", "description")) == [("PER", "A person"), ("LOC", "")]
    assert Membership.objects.get().role == Role.MANAGER


def test_labels_are_added_changed_moved_and_deleted(client: Client, staged: Stage) -> None:
    url = f"/projects/{staged.project.slug}/labels/"
    change = f"{url}change/"
    client.post(url, {"name": "NEW", "color": "#112233", "hotkey": "n", "description": "New."})
    assert "belongs to the annotate page" in client.post(url, {"name": "OTHER", "hotkey": "a"}).content.decode()
    client.post(
        change, {"label": "NEW", "action": "save", "name": "NEWER", "color": "#445566", "hotkey": "", "description": ""}
    )
    client.post(change, {"label": "LOC", "action": "up"})
    assert list(staged.project.labels.values_list("name", flat=True))[:2] == ["LOC", "PER"]
    assert Label.objects.filter(project=staged.project, name="NEWER", color="#445566", hotkey="").exists()
    client.post(change, {"label": "NEWER", "action": "delete"})
    refused = client.post(change, {"label": "PER", "action": "delete"}, follow=True)
    assert "is used by annotations" in messages(refused)
    names = set(staged.project.labels.values_list("name", flat=True))
    assert "PER" in names
    assert not names & {"NEW", "NEWER", "OTHER"}


def test_a_label_in_use_is_not_renamed(client: Client, staged: Stage) -> None:
    url = f"/projects/{staged.project.slug}/labels/change/"
    refused = client.post(url, {"label": "PER", "action": "save", "name": "PERSON", "color": "#445566"}, follow=True)
    assert refused.status_code == 200
    assert "PER" in messages(refused)
    assert staged.project.labels.filter(name="PER").exists()


def test_settings_are_saved_or_explained(client: Client, staged: Stage) -> None:
    url = f"/projects/{staged.project.slug}/settings/"
    form = client.get(url).context["form"]
    given = {name: form[name].value() for name in form.fields}
    bad = client.post(url, given | {"overlap": 0, "test_share": 80})
    assert bad.status_code == 200
    assert set(bad.context["form"].errors) == {"overlap", "test_share"}
    client.post(url, given | {"overlap": 3, "held_out_rate": "35", "retrain_hour": 4})
    staged.project.refresh_from_db()
    found = staged.project.overlap, staged.project.held_out_rate, staged.project.retrain_hour
    assert found == (3, 0.35, 4)


def test_members_come_change_and_go(client: Client, staged: Stage) -> None:
    url, guest = f"/projects/{staged.project.slug}/members/change/", factories.user()
    client.post(url, {"username": guest.username, "role": "annotator"})
    client.post(url, {"username": guest.username, "role": "reviewer"})
    assert staged.project.memberships.get(user=guest).role == Role.REVIEWER
    client.post(url, {"username": guest.username, "action": "remove"})
    assert not staged.project.memberships.filter(user=guest).exists()
    assert "There is no account" in messages(client.post(url, {"username": "nobody", "role": "reviewer"}))
    client.force_login(factories.user(superuser=True))
    client.post(url, {"username": "nobody", "role": "reviewer", "password": "a long pass phrase"})
    assert staged.project.memberships.get(user__username="nobody").role == Role.REVIEWER


def test_a_manager_archives(client: Client, staged: Stage) -> None:
    base = f"/projects/{staged.project.slug}"
    client.post(f"{base}/documents/{staged.pending.pk}/archive/", {"action": "archive"})
    assert Document.objects.get(pk=staged.pending.pk).archived_at is not None
    client.post(f"{base}/documents/{staged.pending.pk}/archive/", {"action": "restore"})
    assert Document.objects.get(pk=staged.pending.pk).archived_at is None


def test_a_token_is_made_replaced_and_revoked(client: Client, staged: Stage) -> None:
    client.post("/profile/token/", {"action": "create"})
    first = staged.manager.auth_token.key
    client.post("/profile/token/", {"action": "create"})
    staged.manager.refresh_from_db()
    assert staged.manager.auth_token.key != first
    client.post("/profile/token/", {"action": "revoke"})
    assert not User.objects.filter(pk=staged.manager.pk, auth_token__isnull=False).exists()


def test_errors_are_pages_with_a_way_on(client: Client, staged: Stage) -> None:
    for address, status in (("/nowhere/", 404), ("/projects/no-such/", 404), ("/jobs/999999/", 404)):
        answer = client.get(address)
        assert answer.status_code == status
        assert "To the projects" in answer.content.decode()
    assert client.get(f"/projects/{staged.project.slug}/annotate/?document=x").status_code == 400


def test_what_people_write_is_never_markup(client: Client, db: None) -> None:
    evil = "<script>alert(1)</script><b>'\""
    manager = factories.user()
    labels = [{"name": f"X{evil}"[:40], "description": evil}]
    project = projects.create(manager, name=evil, labels=labels, guidelines=f"**{evil}** [a](javascript:alert(1))")
    document = factories.document(project, f"Ada {evil}", meta={"note": evil})
    tags = bio.tags_of([bio.Span(0, 1, labels[0]["name"])], len(document.token_starts))
    annotate.save(project, manager, document.pk, tags=tags, revision=0, submit=True)
    client.force_login(manager)
    pages = ("", "annotate/", "review/", f"review/{document.pk}/", "documents/", f"documents/{document.pk}/", "labels/")
    for path in pages:
        answer = client.get(f"/projects/{project.slug}/{path}")
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode(), path
        assert 'href="javascript' not in answer.content.decode(), path


def test_the_error_page_needs_no_database(rf: RequestFactory) -> None:
    """No fixture gives this test a database: a query would fail it."""
    request = rf.get("/")
    request.session = SessionStore("some-session-key")
    request.user = SimpleLazyObject(lambda: User.objects.get())
    request._messages = FallbackStorage(request)
    shown = render_to_string("error.html", {"error": Unavailable("The database does not answer.")}, request)
    assert "The database does not answer." in shown
