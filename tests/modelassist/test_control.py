"""How random order would have gone on: measured on the texts that chance put before people, and told on a page."""

from typing import Any

import pytest

from datasets_app.models import Job
from labeling.events import record
from labeling.models import Document, Project
from modelassist import control, learning, runs
from modelassist.models import ModelVersion
from tests.modelassist.conftest import done, fill

pytestmark = pytest.mark.django_db


def trained(project: Project, fast: dict[str, Any]) -> ModelVersion:
    job = done(runs.start(project, project.created_by, fast | {"epochs": 3}))
    return ModelVersion.objects.get(job=job)


def test_the_random_slice_alone_is_measured_as_it_grows(project: Project, fast: dict[str, Any], client: Any) -> None:
    trained(project, fast)
    assert not Job.objects.filter(kind="control").exists()  # nothing was chosen by a strategy yet
    record(project, None, "queue.prioritized", data={"strategy": "margin"})
    fill(project, seed=3, train=30)
    texts = Document.objects.filter(project=project, split="train").order_by("-id")
    Document.objects.filter(pk__in=texts.values("pk")[:20]).update(chosen=True)
    model = trained(project, fast)
    job = Job.objects.get(kind="control", params={"model": model.pk})
    assert done(job).state == "succeeded", job.message
    model.refresh_from_db()
    found = model.metrics["control"]
    assert found == job.result
    assert found["documents"] == 50  # of 70
    assert found["spans"] < model.dataset_version.counts["splits"]["train"]["spans"]
    assert 0 < found["interval"][0] <= found["f1"] <= found["interval"][1] <= 1
    assert ModelVersion.objects.filter(project=project).count() == 2  # what measured is thrown away

    fill(project, seed=4, train=2)
    assert control.start_if_due(trained(project, fast)) is None  # it has hardly grown
    saved = learning.outlook(project)["saved"]
    assert (saved["kind"], saved["random"]) == ("too_few", 2)
    client.force_login(project.created_by)
    page = client.get(f"/projects/{project.slug}/learning/").content.decode()
    assert "was measured at 2 numbers of labels" in page
    assert "A short training on the random slice" in page

    fill(project, seed=5, train=30)
    due = control.start_if_due(trained(project, fast))
    assert due is not None
    assert done(due).state == "succeeded"
    saved = learning.outlook(project)["saved"]
    assert saved["kind"] in ("saved", "unclear")
    assert saved["random"] == 3
    assert (
        "From 3 models of texts in random order" in client.get(f"/projects/{project.slug}/learning/").content.decode()
    )
