"""The progress page: its panels, whose work each viewer sees, when the work will be done, the numbers as files."""

import csv
from datetime import timedelta

import pytest
import vl_convert
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import annotate, bio, progress, progress_plots
from labeling.models import Annotation, Project, Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return factories.project(labels=("PER", "L" * 90))


def worked(project: Project, person: User, *ago: int, seconds: float = 10.0) -> None:
    """One text of the person submitted on each of the days so long ago."""
    for days in ago:
        document = factories.document(project)
        tags = bio.tags_of([bio.Span(0, 2, "PER")], len(document.token_starts))
        annotate.save(project, person, document.pk, tags=tags, revision=0, submit=True, seconds=seconds)
        at = timezone.now() - timedelta(days=days)
        Annotation.objects.filter(document=document).update(submitted_at=at)


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_what_is_left_and_when_it_will_be_done(project: Project) -> None:
    manager, person = project.created_by, factories.member(project)
    address = f"/projects/{project.slug}/progress/pace/"
    client = client_of(manager)
    assert "Nothing is left to label." in client.get(address).content.decode()
    for _ in range(6):
        factories.document(project)
    worked(project, person, 0, 1, 2)
    page = client.get(address).content.decode()
    assert "6 submissions are missing." in page
    assert "cannot be told yet" in page  # today does not count, and two days are too few
    worked(project, person, 3)
    page = client.get(address).content.decode()
    assert "labeling ends about" in page  # one a day: six days
    found = progress_plots.outlook(progress.days(project, by_hand=True), 6)
    assert found is not None
    assert (found.days, found.earliest, found.latest) == (6, 6, 6)


def test_what_files_brought_is_no_pace_and_overlap_asks_for_more(project: Project) -> None:
    person = factories.member(project)
    worked(project, person, 1)
    Annotation.objects.update(provenance={})
    assert progress.days(project, by_hand=True) == []
    assert len(progress.days(project)) == 1
    project.overlap = 2
    project.save()
    first, _ = factories.document(project), factories.document(project)
    annotate.save(
        project, person, first.pk, tags=["O"] * len(first.token_starts), revision=0, submit=True, seconds=1
    )  # fmt: skip
    assert progress.left(project, 2) == 3


def test_annotators_see_their_own_work_alone(project: Project) -> None:
    one, other = factories.member(project), factories.member(project)
    worked(project, one, 1, 2)
    worked(project, other, 1)
    api = APIClient()
    api.force_authenticate(one)
    base = f"/api/v1/projects/{project.slug}/plots"
    for name, column in (("days", "person"), ("times", "person")):
        rows = list(csv.DictReader(api.get(f"{base}/{name}.csv").content.decode().splitlines()))
        assert {row[column] for row in rows} == {one.username}
    assert "agreement" not in {plot["name"] for plot in api.get(base).json()}
    page = client_of(one).get(f"/projects/{project.slug}/progress/pace/").content.decode()
    assert other.username not in page
    assert client_of(one).get(f"/projects/{project.slug}/progress/suggestions/").status_code == 403
    reviewer = factories.member(project, role=Role.REVIEWER)
    page = client_of(reviewer).get(f"/projects/{project.slug}/progress/pace/").content.decode()
    assert one.username in page
    assert other.username in page
    assert client_of(reviewer).get(f"/projects/{project.slug}/progress/nothing/").status_code == 404
    assert client_of(factories.user()).get(f"/projects/{project.slug}/progress/pace/").status_code == 404


def test_panels_are_parts_to_htmx_and_pages_to_others(project: Project) -> None:
    client = client_of(project.created_by)
    address = f"/projects/{project.slug}/progress/labels/"
    assert "<html" in client.get(address).content.decode()
    assert "<html" not in client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_plots_are_valid_and_many_people_become_others() -> None:
    today = timezone.localdate()
    rows = [{"day": today, "annotator": f"person{n}", "submitted": n} for n in range(1, 10)]
    days = progress_plots.days(rows)
    counted = {row["person"]: row["texts"] for row in days.rows}
    assert counted == {"person9": 9, "person8": 8, "person7": 7, "person6": 6, "person5": 5, "all others": 10}
    people = [{"annotator": "a", "timed": 3, "quick": 1.0, "median": 2.0, "slow": 3.5}, {"annotator": "b", "timed": 0}]
    times = progress_plots.times(people)
    assert [row["person"] for row in times.rows] == ["a"]
    fates = [{"label": "PER", "accepted": 3, "edited": 1, "rejected": 0, "manual": 2, "agreement": 0.75}]
    splits = {"train": {"pending": 1, "submitted": 0, "accepted": 3}}
    for plot in (
        days, times, progress_plots.agreement(fates), progress_plots.splits(splits),
        progress_plots.labels({"PER": 3, "L" * 90: 0}, {"PER": "#56b4e9"}),
    ):  # fmt: skip
        vl_convert.vegalite_to_vega(plot.spec())
    assert progress_plots.labels({"PER": 0}, {}).rows == []


def test_queries_do_not_grow(project: Project, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    client = client_of(project.created_by)
    for _ in range(3):
        worked(project, factories.member(project), 1, 2, 3)
    for address, most in (
        (f"/projects/{project.slug}/progress/", 12),
        (f"/projects/{project.slug}/progress/pace/", 14),
    ):
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200


def test_what_takes_long_is_kept_for_a_while(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    @progress.kept
    def count(project: Project, *, by_hand: bool = False) -> int:
        asked.append(by_hand)
        return len(asked)

    assert [count(project), count(project)] == [1, 2]
    monkeypatch.setattr(progress, "SLOW", 0)
    monkeypatch.setattr(progress, "KEPT", 1e9)
    assert [count(project), count(project), count(project, by_hand=True)] == [3, 3, 4]
    assert count(Project(pk=0)) == 5
