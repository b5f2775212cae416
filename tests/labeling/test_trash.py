"""The trash of projects: out of sight for everybody, and back with all that was in it."""

import pytest

from datasets_app.models import Job
from labeling import trash
from labeling.errors import Forbidden, NotFound
from labeling.models import Event, Role
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/news"


@pytest.fixture
def manager():
    return factories.user("mara")


@pytest.fixture
def project(manager):
    made = factories.project(manager=manager, slug="news", name="News")
    factories.document(made, "Ada met Bob")
    return made


def test_away_and_back(api, project, manager):
    client = api(manager)
    job = Job.objects.create(kind="version", project=project)
    for _ in range(2):
        assert client.delete(URL).status_code in (204, 404)
    for path in (URL, f"{URL}/documents", f"/api/v1/jobs/{job.pk}"):
        assert client.get(path).status_code == 404
    assert client.get("/api/v1/projects").json()["results"] == []
    assert [row["slug"] for row in client.get("/api/v1/trash").json()["results"]] == ["news"]
    for _ in range(2):
        assert client.post(f"{URL}/restoration").status_code == 200
    assert client.get("/api/v1/trash").json()["results"] == []
    assert len(client.get(f"{URL}/documents").json()["results"]) == 1
    verbs = Event.objects.filter(verb__startswith="project.").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["project.trashed", "project.restored"]


def test_who_may(api, project, manager):
    reviewer, stranger = factories.member(project, role=Role.REVIEWER), factories.user()
    assert api(reviewer).delete(URL).status_code == 403
    assert api(stranger).delete(URL).status_code == 404
    trash.put_away(project, manager)
    with pytest.raises(Forbidden):
        trash.take_back(reviewer, "news")
    with pytest.raises(NotFound):
        trash.take_back(stranger, "news")
    assert not trash.trashed_of(reviewer).exists()
    assert trash.trashed_of(factories.user(superuser=True)).exists()
    assert api(manager).post("/api/v1/projects/no/restoration").status_code == 404


def test_page(client, project, manager):
    client.force_login(manager)
    assert "The trash is empty" in client.get("/trash/").content.decode()
    trash.put_away(project, manager)
    assert "News" in client.get("/trash/").content.decode()
    assert client.get("/projects/news/").status_code == 404
