"""Label issues: spans that were spoiled on purpose come first; the list, its page, and dismissing."""

import math
import random
from collections.abc import Sequence

import pytest

from labeling.models import Annotation, Document, Event, Project, Role
from modelassist import auditing
from modelassist.label_issues import fold_of, issues, usual
from modelassist.models import LabelIssue
from tests import factories
from tests.modelassist.conftest import FAST, done, fill

USUAL = dict.fromkeys(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"), -0.1)


def average_precision(ranked: Sequence[bool]) -> float:
    """Of a ranking, best first: the mean precision at each place where there is a real one."""
    hits, total = 0, 0.0
    for place, real in enumerate(ranked, 1):
        if real:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0


def test_where_tags_differ() -> None:
    gold, predicted = ["B-PER", "I-PER", "O", "B-LOC", "O"], ["B-PER", "O", "O", "B-PER", "B-LOC"]
    found = issues(gold, predicted, [0, -1.1, 0, -2.1, -3.1], USUAL)
    assert [issue.kind for issue in found] == ["spurious", "label", "boundary"]
    assert [issue.score for issue in found] == pytest.approx([1 / (1 + math.exp(-less)) for less in (3, 2, 1)])
    assert issues(gold, gold, [-9.0] * 5, USUAL) == []


def test_what_is_hard_for_the_model_is_less_suspect() -> None:
    gold, predicted = ["B-PER", "O", "B-LOC"], ["O", "O", "O"]
    hard = USUAL | {"B-LOC": -2.0}
    assert [issue.gold.label for issue in issues(gold, predicted, [-2, 0, -3], hard) if issue.gold] == ["PER", "LOC"]


def test_an_entity_that_differs_only_in_where_it_ends() -> None:
    # The first of two touching entities: its own tag is alike on both sides, the next one's is not.
    found = issues(["B-PER", "B-PER", "I-PER"], ["B-PER", "I-PER", "I-PER"], [-0.1, -4.1, -0.1], USUAL)
    assert {(issue.kind, round(issue.score, 3)) for issue in found} == {("boundary", 0.982), ("missed", 0.982)}


def test_impossible_tags_have_scores_too() -> None:
    (found,) = issues(["B-PER"], ["O"], [-math.inf], usual([(["B-PER"], [-math.inf])]))
    assert found.score == 0.5
    assert usual([(["O", "B-PER"], [-1, -2]), (["O"], [-3])]) == {"O": -2, "B-PER": -2}


def test_average_precision_and_folds() -> None:
    assert average_precision([True, False, True]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([]) == average_precision([False]) == 0
    folds = [fold_of(f"group{i}") for i in range(3000)]
    assert all(900 < folds.count(fold) < 1100 for fold in range(3))


@pytest.fixture
def spoiled(db, tiny_bert) -> tuple[Project, set[int]]:  # type: ignore[no-untyped-def]
    """A project of which some texts have an entity of the wrong label."""
    project = factories.project(base_model=str(tiny_bert))
    fill(project, train=150)
    draw, wrong = random.Random(3), set()
    for annotation in Annotation.objects.filter(document__project=project):
        if draw.random() < 0.1 and any(tag.endswith("-PER") for tag in annotation.tags):
            annotation.tags = [tag.replace("-PER", "-LOC") for tag in annotation.tags]
            annotation.save()
            wrong.add(annotation.document_id)
    assert len(wrong) > 5
    return project, wrong


def test_spoiled_labels_come_first_and_are_dealt_with(api, client, spoiled) -> None:  # type: ignore[no-untyped-def]
    project, wrong = spoiled
    job = auditing.start(project, project.created_by)
    assert auditing.start(project, project.created_by) == job  # one at a time
    job.params = {"hyperparameters": FAST}
    job.save()
    job = done(job)
    assert job.state == "succeeded", job.message
    reviewer = factories.member(project, role=Role.REVIEWER)
    address = f"/api/v1/projects/{project.slug}/label-issues"
    found = api(reviewer).get(address, {"limit": 500}).json()["results"]
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    ranked = [row["document"] in wrong for row in found]
    assert average_precision(ranked) > 0.8
    assert len({row["document"] for row in found} & wrong) > 0.8 * len(wrong)

    client.force_login(reviewer)
    page = client.get(f"/projects/{project.slug}/label-issues/").content.decode()
    assert f"/review/{found[0]['document']}/" in page
    assert "wrong label" in page
    for _ in range(2):
        assert api(reviewer).delete(f"{address}/{found[0]['id']}").status_code == 204
    assert Event.objects.filter(verb="label_issue.dismissed").count() == 1
    mended = Annotation.objects.get(document=found[-1]["document"], accepted=True)
    mended.tags = ["O"] * len(mended.tags)
    mended.save()
    counts = auditing.counts(project)
    assert counts["dismissed"] == 1
    assert counts["changed"] >= 1
    assert sum(counts.values()) == len(found) == LabelIssue.objects.count()


@pytest.mark.django_db
def test_who_may_and_when(api, tiny_bert) -> None:  # type: ignore[no-untyped-def]
    project = factories.project(base_model=str(tiny_bert))
    base = f"/api/v1/projects/{project.slug}"
    annotator, reviewer = factories.member(project), factories.member(project, role=Role.REVIEWER)
    assert api(reviewer).post(f"{base}/audits").status_code == 403
    assert api(annotator).get(f"{base}/label-issues").status_code == 403
    assert api(annotator).delete(f"{base}/label-issues/1").status_code == 403
    for method, path in (("post", "audits"), ("get", "label-issues"), ("delete", "label-issues/1")):
        assert getattr(api(factories.user()), method)(f"{base}/{path}").status_code == 404
    assert api(reviewer).delete(f"{base}/label-issues/1").status_code == 404
    assert api(reviewer).get(f"{base}/label-issues").json() == {"results": [], "next": None}
    answer = api(project.created_by).post(f"{base}/audits")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "nothing_accepted")
    assert Document.objects.count() == 0
