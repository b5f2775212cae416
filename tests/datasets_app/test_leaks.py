"""What of one split stands in another, and what a version reports about itself."""

from io import BytesIO

import pytest

from datasets_app import card, describing, export, importing, jobs, leaks, provenance, versions
from datasets_app.models import DatasetVersion
from datasets_app.records import Gold
from labeling.models import Annotation, Document
from tests import factories

pytestmark = pytest.mark.django_db

SENTENCE = "the\tO\nminister\tO\nof\tO\ntrade\tO\nmet\tO\nreporters\tO\nin\tO\nGeneva\tB-LOC\ntoday\tO\n"
FILES = {
    "train": f"{SENTENCE}\nSOCCER\tO\n\nAda\tB-PER\n\nParis\tB-PER\n\n",
    "validation": "Geneva\tB-LOC\n\n",
    "test": f"{SENTENCE}.\tO\n\nSoccer\tO\n\nSOCCER\tO\n\nGENEVA\tB-LOC\n\nParis\tB-LOC\n\nRome\tB-LOC\n\n",
}


@pytest.fixture
def version(project, manager) -> DatasetVersion:
    for split, text in FILES.items():
        job = importing.start(project, manager, BytesIO(text.encode()), name="a.conll", split=split)
        jobs.run(job.pk)
    return versions.freeze_now(project, manager)


def pairs(rows: list[dict], *names: str) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(row["split"], row["in"]): tuple(row[name] for name in names) for row in rows}


class TestTexts:
    def test_exact_and_near(self, version):
        found = pairs(leaks.of_version(version.pk)["texts"], "exact", "near")
        # "Soccer" and "SOCCER" of test are the train text but for case; "GENEVA" is the validation's.
        assert found == {("test", "train"): (3, 1), ("test", "validation"): (1, 0), ("validation", "train"): (0, 0)}

    def test_examples_name_a_text_of_each_split(self, version):
        found = [
            {text["split"]: text["text"] for text in one["texts"]} for one in leaks.of_version(version.pk)["examples"]
        ]
        assert {"test": "Soccer", "train": "SOCCER"} in found
        assert len(found) == 4

    def test_of_the_project_what_is_not_labeled_counts_too(self, version, project, manager):
        Document.objects.filter(text="Soccer").update(status="pending")
        Annotation.objects.filter(document__text="Soccer").delete()
        Document.objects.filter(text="Paris", split="test").update(archived_at=version.created_at)
        found = pairs(leaks.of_project(project)["texts"], "exact", "near")
        assert found["test", "train"] == (2, 1)


class TestEntities:
    def test_seen_and_unseen(self, version):
        found = version.report["leaks"]["entities"]
        assert pairs(found, "mentions", "seen", "otherwise", "unseen") == {
            ("test", "train"): (4, 2, 1, 1),
            ("test", "validation"): (4, 2, 0, 2),
            ("validation", "train"): (1, 1, 0, 0),
        }
        assert found[0]["labels"] == {"LOC": {"mentions": 4, "seen": 2, "otherwise": 1, "unseen": 1}}


class TestReport:
    def test_an_older_version_is_reported_as_it_is_now(self, version):
        fresh = DatasetVersion.objects.get(pk=version.pk)
        before, fresh.report = fresh.report, None
        assert versions.report(fresh) == before

    def test_lengths(self, version):
        assert version.report["lengths"]["train"] == {"least": 1, "mean": 3.0, "median": 1, "p90": 9, "most": 9}
        assert provenance.lengths({}) == {"least": 0, "mean": 0, "median": 0, "p90": 0, "most": 0}
        assert provenance.lengths(dict.fromkeys(range(1, 101), 1)) | {"mean": 0} == {
            "least": 1, "mean": 0, "median": 50, "p90": 90, "most": 100,
        }  # fmt: skip

    def test_people_agreement_and_suggestions(self, version, project, manager):
        document = Document.objects.get(text="Rome")
        for tags in (["B-LOC"], ["B-PER"]):
            Annotation.objects.create(
                document=document, annotator=factories.member(project), tags=tags, state="submitted", revision=1
            )
        gold = document.annotations.get(accepted=True)
        gold.suggested_by, gold.suggestion_use = "m1", {"kept": 1, "edited": 0, "rejected": 3, "drawn": 2}
        gold.save()
        found = versions.freeze_now(project, manager).report["provenance"]
        assert (found["people"], found["reviewers"]) == (1, 1)
        # Three people, three pairs; one pair has the same span.
        assert found["agreement"] == {"texts": 1, "pairs": 3, "f1": round(1 / 3, 4)}
        assert found["suggestions"] == {"texts": 1, "kept": 1, "edited": 0, "rejected": 3, "drawn": 2}


class TestCard:
    def test_tells_it_all(self, version, project, manager, api):
        api(manager).patch(
            "/api/v1/projects/news/curation", {"license": "cc-by-4.0", "citation": "@misc{x}"}, format="json"
        )
        text = card.card(export._facts(versions.freeze_now(project, manager), None))
        head = text.split("---")[1]
        assert 'license: "cc-by-4.0"' in head
        assert "## Citation\n\n@misc{x}" in text
        assert "| test | train | 3 | 1 | 2 | 1 | 1 |" in text
        assert "| train | 1 | 3.0 | 1 | 9 | 9 |" in text
        assert "annotations are those of 1 person(s)" in text
        assert "kept as texts of their own" in text

    def test_what_was_not_told_is_not_there(self, version):
        text = card.card(export._facts(version, None))
        assert "license:" not in text
        assert "## Citation" not in text
        assert "Suggestions of models" not in text


class TestDoors:
    def test_version(self, api, version, reviewer, annotator, stranger, query_count):
        client = api(reviewer)
        url = f"/api/v1/versions/{version.pk}/leaks"
        with query_count() as queries:
            assert client.get(url).json() == version.report["leaks"]
        assert len(queries) <= 4
        assert api(annotator).get(url).status_code == 403
        assert api(stranger).get(url).status_code == 404
        assert client.get("/api/v1/versions/987654321/leaks").status_code == 404

    def test_project(self, api, version, reviewer, annotator, stranger):
        url = "/api/v1/projects/news/leaks"
        assert pairs(api(reviewer).get(url).json()["texts"], "exact")["test", "train"] == (3,)
        assert api(annotator).get(url).status_code == 403
        assert api(stranger).get(url).status_code == 404

    def test_project_with_its_entities_once_they_are_counted(self, api, client, version, project, reviewer):
        url = "/api/v1/projects/news/leaks"
        assert api(reviewer).get(url).json()["entities"] is None
        client.force_login(reviewer)
        assert "not counted yet" in client.get("/projects/news/leaks/").content.decode()
        jobs.run(describing.start(project, reviewer).pk)
        assert api(reviewer).get(url).json()["entities"] == version.report["leaks"]["entities"]
        page = client.get("/projects/news/leaks/").content.decode()
        assert "Entities by their surface" in page
        assert "Soccer" in page

    def test_a_version_tells_how_it_was_labeled(self, api, client, version, reviewer):
        told = api(reviewer).get(f"/api/v1/versions/{version.pk}").json()
        assert (told["guidelines"], told["provenance"]["people"]) == (version.guidelines, 1)
        client.force_login(reviewer)
        assert "How it was labeled" in client.get(f"/versions/{version.pk}/").content.decode()

    def test_page(self, client, version, reviewer, annotator):
        client.force_login(reviewer)
        page = client.get(f"/versions/{version.pk}/leaks/").content.decode()
        assert "Nearly the same" in page
        assert "Soccer" in page
        assert f"/versions/{version.pk}/leaks/" in client.get(f"/versions/{version.pk}/").content.decode()
        client.force_login(annotator)
        assert client.get(f"/versions/{version.pk}/leaks/").status_code == 403


def test_surfaces_are_the_same_but_for_case_and_blanks():
    surfaces = leaks.Surfaces()
    surfaces.add(Gold("a", "New  York", [0, 5], [3, 9], ["B-LOC", "I-LOC"], "train"))
    surfaces.add(Gold("b", "NEW YORK", [0, 4], [3, 8], ["B-LOC", "I-LOC"], "test"))
    assert surfaces.as_json()[0]["seen"] == 1
