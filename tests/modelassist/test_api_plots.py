"""REST doors to plots: the files, who may have them, and what is not there."""

import csv
from typing import Any

import pytest
from rest_framework.test import APIClient

from labeling.models import Project, Role
from modelassist.models import ModelVersion
from tests import factories
from tests.modelassist.test_plots import LABELS, TAGS, metrics

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(production: ModelVersion) -> str:
    kept = production.metrics | metrics()
    ModelVersion.objects.filter(pk=production.pk).update(metrics=kept, labels=list(TAGS.names))
    return f"/api/v1/models/{production.pk}/plots"


def test_a_member_lists_them_and_has_each_as_a_file(api: Any, address: str, project: Project) -> None:
    client: APIClient = api(factories.member(project, role=Role.ANNOTATOR))
    listed = client.get(address).json()
    assert {"training", "test-labels", "test-confusion"} <= {plot["name"] for plot in listed}
    files = next(plot["files"] for plot in listed if plot["name"] == "test-labels")
    svg, numbers = client.get(files["svg"]), client.get(files["csv"])
    assert (svg.status_code, svg["Content-Type"]) == (200, "image/svg+xml")
    assert svg.content.startswith(b"<svg")
    assert "attachment" in svg["Content-Disposition"]
    rows = list(csv.DictReader(numbers.content.decode().splitlines()))
    assert [row["label"] for row in rows] == [*LABELS, "all"]


def test_strangers_and_what_is_not_there(api: Any, address: str, project: Project) -> None:
    client = api(factories.member(project))
    assert api(factories.user()).get(f"{address}/training.csv").status_code == 404
    assert api(factories.user()).get(address).status_code == 404
    assert "there are: training" in client.get(f"{address}/no-such.svg").json()["error"]["message"]
    answer = client.get(f"{address}/training.pdf")
    assert answer.status_code == 400
    assert "csv" in answer.json()["error"]["message"]
    assert APIClient().get(f"{address}/training.csv").status_code == 401
    empty = client.get(f"/api/v1/projects/{project.slug}/plots/no-such.svg")
    assert empty.status_code == 404


def test_the_learning_curve_of_a_project(api: Any, production: ModelVersion, project: Project) -> None:
    answer = api(factories.member(project)).get(f"/api/v1/projects/{project.slug}/plots/learning-curve.csv")
    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    assert [row["of"] for row in rows] == [production.name]
    assert float(rows[0]["f1"]) == production.metrics["micro"]["f1"]
