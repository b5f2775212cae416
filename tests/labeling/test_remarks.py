"""Documents found by what people and models said about them, over REST and on the page."""

import pytest
from django.test import Client

from labeling import annotate, documents, predictions
from labeling.annotate import Aside
from labeling.models import Annotation, Prediction
from labeling.predictions import Predicted
from tests.labeling.conftest import World

TAGS = ["B-PER", *["O"] * 7]


def found(world: World, query: str) -> list[int]:
    response = world.client(world.reviewer).get(
        world.url(f"/documents?{query if 'order=' in query else f'order=oldest&{query}'}")
    )
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


@pytest.fixture
def ids(world: World) -> list[int]:
    """Flagged; commented and disagreed on; untouched with a suggestion."""
    world.project.overlap = 2
    world.project.save()
    one, two, three = (world.document().pk for _ in range(3))
    save = annotate.save
    save(world.project, world.annotator, one, tags=TAGS, revision=0, submit=True, aside=Aside(flagged=True))
    save(world.project, world.annotator, two, tags=TAGS, revision=0, submit=True, aside=Aside(comment="?"))
    save(world.project, world.second, two, tags=["O"] * 8, revision=0, submit=True)
    predictions.store([Predicted(three, TAGS, [0.6, *[0.9] * 7])], model="m1")
    return [one, two, three]


def test_each_filter(world: World, ids: list[int]) -> None:
    one, two, three = ids
    assert found(world, "flagged=1") == [one]
    assert found(world, "commented=1") == [two]
    assert found(world, "disagreement=1") == [two]
    assert found(world, f"annotator={world.second.username}") == [two]
    assert found(world, "annotator=nobody") == []
    assert found(world, "below=0.7") == [three]
    assert found(world, "below=0.6") == []
    assert found(world, f"flagged=1&annotator={world.annotator.username}") == [one]


def test_what_is_said_anew_counts(world: World, ids: list[int]) -> None:
    one, two, three = ids
    project, row = world.project, {row.annotator_id: row for row in Annotation.objects.filter(document=two)}
    save = annotate.save
    save(project, world.annotator, one, tags=TAGS, revision=1, submit=True, aside=Aside(flagged=False, comment="Why?"))
    assert (found(world, "flagged=1"), found(world, "commented=1")) == ([], [one, two])
    row[world.second.pk].tags = TAGS
    row[world.second.pk].save()
    assert found(world, "disagreement=1") == []
    row[world.annotator.pk].delete()
    assert found(world, "commented=1") == [one]
    predictions.store([Predicted(three, TAGS, [0.95] * 8)], model="m1")
    predictions.store([Predicted(one, TAGS, [0.8] * 8), Predicted(two, TAGS, [0.1] * 8)], model="m2")
    predictions.store([Predicted(one, TAGS, [0.0] * 8)], model=predictions.OCCURRENCES)
    assert (found(world, "below=0.9"), found(world, "below=1")) == ([one, two], [one, two, three])
    Prediction.objects.filter(document=two).delete()
    assert found(world, "below=0.9") == [one]


def test_orders_by_what_was_said_and_done(world: World, ids: list[int]) -> None:
    """Those of which nothing was said, or to which nothing was done, have no place in them."""
    one, two, three = ids
    predictions.store([Predicted(one, TAGS, [0.5] * 8)], model="m1")
    assert found(world, "order=unsure") == [one, three]
    for number in (two, one):
        documents.archive(world.project, world.manager, number)
        documents.restore(world.project, world.manager, number)
    client, seen, url = world.client(world.reviewer), [], world.url("/documents?order=changed&limit=1")
    while url:
        answer = client.get(url).json()
        seen += [row["id"] for row in answer["results"]]
        url = answer["next"]
    assert seen == [two, one]  # at one moment, here: the later one first


def test_annotators_do_not_learn_what_others_said(world: World, ids: list[int]) -> None:
    client = world.client(world.annotator)
    for query in ("flagged=1", "commented=1", "disagreement=1", f"annotator={world.second.username}"):
        assert client.get(world.url(f"/documents?{query}")).status_code == 403
    assert client.get(world.url("/documents?below=0.7")).json()["results"][0]["id"] == ids[2]


@pytest.mark.parametrize("below", ["x", "2", "-1", "nan"])
def test_a_bad_confidence_is_named(world: World, below: str) -> None:
    response = world.client(world.reviewer).get(world.url(f"/documents?below={below}"))
    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, "below")


def test_the_page_has_the_filters(world: World, ids: list[int], client: Client) -> None:
    client.force_login(world.reviewer)
    body = client.get(f"/projects/{world.project.slug}/documents/?flagged=1").content.decode()
    assert f"#{ids[0]}" in body
    assert f"#{ids[1]}" not in body
    client.force_login(world.annotator)
    assert client.get(f"/projects/{world.project.slug}/documents/?flagged=1").status_code == 403
    assert "Annotators differ" not in client.get(f"/projects/{world.project.slug}/documents/").content.decode()
