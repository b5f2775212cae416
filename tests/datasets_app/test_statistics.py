"""Statistics and the consistency board: what is counted, where a surface stands, and labeling it alike everywhere."""

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from datasets_app import consistency, describing, jobs, splits, statistics_plots, surfaces, undoing
from datasets_app.models import Change, Job
from datasets_app.statistics import Statistics, main_script
from labeling import review, tokens
from labeling.errors import Invalid, NotFound
from labeling.models import Annotation, Document, Event, Prediction
from tests import factories
from tests.datasets_app.test_differences import gold

TEXTS = {
    "Ada saw New York": "B-PER O B-LOC I-LOC",
    "new  york slept": "B-PER I-PER O",
    "In New York Times Square": "O B-LOC I-LOC I-LOC I-LOC",
    "NEW YORK": "O O",
    "Nothing at all": "O O O",
}


@pytest.fixture
def filled(project, manager):
    for text, tags in TEXTS.items():
        document = factories.document(project, text)
        review.correct(project, manager, document.pk, tags=tags.split())
    factories.document(project, "New York waits", split="test")
    return project


def grid(text: str) -> tuple[list[int], list[int]]:
    return tokens.tokenize(text, "words")


class TestPure:
    def test_counts(self):
        counted = Statistics()
        for text, tags in TEXTS.items():
            counted.add(text, grid(text), tags.split(), split="train")
        found = counted.as_json()
        assert (found["texts"], found["tokens"], found["spans"], found["splits"]) == (5, 17, 4, {"train": 5})
        assert found["density"] == {
            "spans_per_100_tokens": round(400 / 17, 2),
            "labeled_tokens": round(9 / 17, 4),
            "texts_without_entities": 2,
        }
        assert found["lengths"][0] == {"from": 1, "to": 4, "texts": 4}
        assert sum(row["texts"] for row in found["entities_per_text"]) == 5
        assert found["span_tokens"] == {"1": 1, "2": 2, "4": 1}
        loc, per = found["labels"]
        assert (loc["label"], loc["spans"], loc["surfaces"], loc["once"]) == ("LOC", 2, 2, 2)
        assert {row["surface"] for row in per["common"]} == {"Ada", "New York"}

    def test_nothing(self):
        assert Statistics().as_json()["density"]["spans_per_100_tokens"] == 0

    @pytest.mark.parametrize(
        ("text", "script"),
        [("Ada 12", "latin"), ("Привет, Ada", "cyrillic"), ("我们 a", "cjk"), ("12 !", "none"), ("", "none")],
    )
    def test_scripts(self, text, script):
        assert main_script(text) == script

    @pytest.mark.parametrize(
        ("surface", "text", "expected"),
        [
            ("new york", "New  York and NEW YORK", [(0, 2), (3, 5)]),
            ("U.N.", "the U.N. met", [(1, 5)]),
            ("york", "Yorkshire York", [(1, 2)]),
            ("a a", "a a a", [(0, 2)]),
            ("x", "", []),
            (" ", "a b", []),
        ],
    )
    def test_occurrences(self, surface, text, expected):
        assert list(surfaces.occurrences(surface, text, grid(text))) == expected

    @given(
        st.lists(st.sampled_from(["ada", "bob", "x", "İ", "ß", "é"]), max_size=8),
        st.sampled_from(["ada", "bob x", "SS"]),
    )
    def test_an_occurrence_is_the_surface(self, words, surface):
        text = " ".join(words)
        starts, ends = grid(text)
        for first, last in surfaces.occurrences(surface, text, (starts, ends)):
            assert splits.normal(text[starts[first] : ends[last - 1]]) == splits.normal(surface)

    @pytest.mark.parametrize(
        ("tags", "label", "expected"),
        [
            ("O O O", "LOC", "B-LOC I-LOC O"),
            ("B-PER I-PER O", "LOC", "B-LOC I-LOC O"),
            ("B-PER I-PER O", "", "O O O"),
            ("B-PER I-PER I-PER", "LOC", "B-PER I-PER I-PER"),
            ("B-PER O O", "LOC", "B-PER O O"),
        ],
    )
    def test_relabeled(self, tags, label, expected):
        text = "New York sleeps"
        assert surfaces.relabeled("new york", text, grid(text), tags.split(), label) == expected.split()


@pytest.mark.django_db
class TestCounting:
    def test_job(self, filled, manager):
        job = describing.start(filled, manager)
        assert describing.start(filled, manager) == job
        assert describing.latest(filled) is None
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.result == {"texts": 5, "surfaces": 1}
        found = describing.latest(filled)
        assert found.statistics["texts"] == 5
        assert found.statistics["unlabeled"]["texts"] == {"test": 1}
        assert {row["label"] for row in found.statistics["unlabeled"]["labels"]} == {"PER", "LOC"}
        (row,) = found.board
        assert (row["surface"].casefold().split(), row["total"], row["odd"]) == (["new", "york"], 3, 2)
        assert {(one["label"], one["count"]) for one in row["labels"]} == {("LOC", 1), ("PER", 1), ("", 1)}

    def test_of_nothing(self, project, manager):
        job = describing.start(project, manager)
        jobs.run(job.pk)
        assert describing.latest(project).board == []


@pytest.mark.django_db
class TestFixing:
    def test_contexts(self, filled):
        found = {row["text"]: row["label"] for row in consistency.contexts(filled, "New York")}
        assert found == {"New York": None, "NEW YORK": "", "new  york": "PER"}
        first = consistency.contexts(filled, "new york")[0]
        assert (first["before"], first["after"], first["label"], first["split"]) == ("Ada saw ", "", "LOC", "train")
        assert consistency.contexts(filled, "100%_\\") == []
        for bad in ("", "  ", "a\0"):
            with pytest.raises(Invalid):
                consistency.contexts(filled, bad)

    def test_corrections_and_back(self, filled, manager):
        before = gold()
        job = consistency.fix(filled, manager, surface="new york", label="LOC", way="corrections")
        for _ in range(2):
            Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
            jobs.run(job.pk)
        assert gold() == before | {"NEW YORK": ("B-LOC", "I-LOC"), "new  york slept": ("B-LOC", "I-LOC", "O")}
        event = Event.objects.get(verb="consistency.corrected")
        assert (event.data["surface"], event.data["label"], event.data["documents"]) == ("new york", "LOC", 2)
        undoing.undo(Change.objects.get(), manager)
        assert gold() == before

    def test_suggestions_and_back(self, filled, manager):
        before = gold()
        change = consistency.apply(filled, manager, surface="Ada", label="", way="suggestions")
        document = Document.objects.get(text="Ada saw New York")
        assert document.status == "submitted"
        assert not Annotation.objects.filter(document=document, accepted=True).exists()
        assert Prediction.objects.get().tags == ["O", "O", "B-LOC", "I-LOC"]
        undoing.undo(change, manager)
        assert gold() == before
        assert Prediction.objects.count() == 0

    def test_refusals(self, filled, manager):
        with pytest.raises(NotFound):
            consistency.fix(filled, manager, surface="Ada", label="NO", way="corrections")
        with pytest.raises(Invalid, match="way"):
            consistency.fix(filled, manager, surface="Ada", label="PER", way="magic")
        assert Job.objects.count() == 0


@pytest.mark.django_db
class TestDoors:
    def test_all(self, api, filled, manager, reviewer, query_count):
        client = api(reviewer)
        base = "/api/v1/projects/news"
        assert client.get(f"{base}/statistics").json() == {"counted_at": None, "statistics": None}
        jobs.run(client.post(f"{base}/statistics").json()["job"])
        with query_count() as queries:
            assert client.get(f"{base}/statistics").json()["statistics"]["texts"] == 5
        assert len(queries) <= 5
        assert len(client.get(f"{base}/consistency").json()["board"]) == 1
        assert len(client.get(f"{base}/consistency/contexts?surface=new%20york").json()["results"]) == 4
        assert client.get(f"{base}/consistency/contexts").status_code == 400
        body = {"surface": "new york", "label": "LOC", "way": "corrections"}
        assert client.post(f"{base}/consistency/fixes", body, format="json").status_code == 403
        assert api(manager).post(f"{base}/consistency/fixes", body, format="json").status_code == 202
        assert api(manager).post(f"{base}/consistency/fixes", {}, format="json").status_code == 400

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "statistics"),
            ("post", "statistics"),
            ("get", "consistency"),
            ("get", "consistency/contexts"),
            ("post", "consistency/fixes"),
        ],
    )
    def test_roles(self, api, project, annotator, stranger, method, path):
        assert getattr(api(annotator), method)(f"/api/v1/projects/news/{path}").status_code == 403
        assert getattr(api(stranger), method)(f"/api/v1/projects/news/{path}").status_code == 404

    def test_pages(self, client, filled, manager):
        client.force_login(manager)
        for page in ("statistics", "consistency"):
            assert "Count now" in client.get(f"/projects/news/{page}/").content.decode()
        jobs.run(describing.start(filled, manager).pk)
        assert "Seen once" in client.get("/projects/news/statistics/").content.decode()
        assert "not labeled" in client.get("/projects/news/consistency/").content.decode()
        assert "<mark>" in client.get("/projects/news/consistency/surface/?surface=New+York").content.decode()


@pytest.mark.django_db
def test_the_plots(filled, manager, client):
    client.force_login(manager)
    url = f"/api/v1/projects/{filled.slug}/statistics/plots"
    assert client.get(url).json() == []
    jobs.run(describing.start(filled, manager).pk)
    there = statistics_plots.of_statistics(describing.latest(filled).statistics, {"PER": "#56b4e9"})
    for plot in there:
        vl_convert.vegalite_to_vega(plot.spec())
    names = ["labels", "surfaces", "lengths", "entities", "span-tokens", "scripts"]
    assert [plot.name for plot in there] == [plot["name"] for plot in client.get(url).json()] == names
    assert client.get(f"{url}/lengths.csv").content.decode() == "value,count\n1–4,4\n5–9,1\n"
    assert client.get(f"{url}/none.csv").status_code == 404
    page = client.get(f"/projects/{filled.slug}/statistics/").content.decode()
    assert all(f'id="plot-{name}"' in page for name in names)
