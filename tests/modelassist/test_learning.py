"""GET progress: the counts of labeling with the models' learning curve."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasets_app.models import DatasetVersion
from labeling import projects
from labeling.events import record
from modelassist.models import ModelVersion


@pytest.fixture
def client(db: None) -> APIClient:
    user = User.objects.create_user("manager")
    projects.create(user, name="Curve", labels=[{"name": "PER"}])
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_progress_with_its_learning_curve(client: APIClient, django_assert_max_num_queries) -> None:
    project = projects.Project.objects.get()
    for number, f1 in ((1, 0.5), (2, None)):
        version = DatasetVersion.objects.create(
            project=project, number=number, fingerprint="f", labels=[], policy={},
            counts={"splits": {"train": {"documents": 10 * number, "spans": 20 * number}}},
        )  # fmt: skip
        ModelVersion.objects.create(
            project=project, number=number, dataset_version=version, base_model="b", hyperparameters={}, labels=["O"],
            metrics={"evaluated_on": "test" if f1 else None, "micro": {"f1": f1} if f1 else None}, path=str(number),
        )  # fmt: skip
    with django_assert_max_num_queries(10):
        body = client.get(f"/api/v1/projects/{project.slug}/progress").json()
    assert [(point["documents"], point["f1"]) for point in body["learning_curve"]] == [(10, 0.5), (20, None)]
    assert body["by_status"] == {"pending": 0, "submitted": 0, "accepted": 0}


def test_a_stranger_sees_nothing(client: APIClient) -> None:
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    assert stranger.get("/api/v1/projects/curve/progress").status_code == 404


def test_the_page_tells_whether_more_labels_are_worth_it(client: APIClient) -> None:
    project = projects.Project.objects.get()
    client.force_login(User.objects.get(username="manager"))
    for number, f1 in enumerate((0.5, 0.62, 0.7), 1):
        counts = {"splits": {"train": {"documents": 10, "spans": 100 * 2**number}}}
        version = DatasetVersion.objects.create(
            project=project, number=number, fingerprint="f", labels=[], policy={}, counts=counts
        )
        intervals = {"micro": {"f1": [f1 - 0.02, f1 + 0.02]}}
        ModelVersion.objects.create(
            project=project, number=number, dataset_version=version, base_model="b", hyperparameters={}, labels=["O"],
            metrics={"evaluated_on": "test", "micro": {"f1": f1}, "test": {"intervals": intervals}}, path=str(number),
        )  # fmt: skip
    page = client.get("/projects/curve/learning/").content.decode()
    assert "Are more labels worth it?" in page
    assert "1,600 labeled spans would raise F1 to about 0." in page
    assert page.count('<td dir="auto">model-') == 3
    assert "so there is nothing to compare" in page
    record(project, None, "queue.prioritized", data={"strategy": "random"})
    record(project, None, "queue.prioritized", data={"strategy": "margin"})
    assert "No model was judged since" in client.get("/projects/curve/learning/").content.decode()
    version = DatasetVersion.objects.create(
        project=project, number=4, fingerprint="f", labels=[], policy={},
        counts={"splits": {"train": {"documents": 10, "spans": 900}}},
    )  # fmt: skip
    ModelVersion.objects.create(
        project=project, number=4, dataset_version=version, base_model="b", hyperparameters={}, labels=["O"],
        metrics={"evaluated_on": "test", "micro": {"f1": 0.75}}, path="4",
    )  # fmt: skip
    page = client.get("/projects/curve/learning/").content.decode()
    assert "900 labeled spans reached an F1 of 0.750." in page
    assert "In random order it would have taken" in page
    ModelVersion.objects.filter(number=3).delete()
    assert "was measured at 2 numbers of labels" in client.get("/projects/curve/learning/").content.decode()
