"""Groups of duplicates: found as texts come in, on one side of a split, and what the policy makes of them."""

import json
import re
from io import BytesIO

import pytest

from datasets_app import curation, duplicates, importing, jobs, leaks
from datasets_app.models import Duplicate, Job, TextKey
from labeling import review
from labeling.errors import Invalid
from labeling.models import Document, Event, Prediction
from tests import factories

pytestmark = pytest.mark.django_db

LONG = "The minister of trade met reporters in Geneva on Tuesday morning"
NEAR = LONG + " ."
FAR = "Rain fell on the northern hills while farmers waited for the bus"


@pytest.fixture
def bring(project, manager):
    """Import records of JSON; gives the job."""

    def run(*records: dict | str, **options) -> Job:
        lines = [record if isinstance(record, dict) else {"text": record} for record in records]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        job = importing.start(project, manager, BytesIO(data), name="a.jsonl", **options)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "succeeded", job.message
        return job

    return run


def groups() -> list[list[str]]:
    """The texts of each group, in the order in which they came in."""
    found: dict[int, list[str]] = {}
    for one in Duplicate.objects.select_related("document").order_by("document_id"):
        found.setdefault(one.first_id, []).append(one.document.text)
    return list(found.values())


class TestFinding:
    def test_within_a_file(self, bring):
        job = bring(LONG, FAR, NEAR, LONG.upper(), "Hello", "hello", "Hello you")
        assert groups() == [[LONG, NEAR, LONG.upper()], ["Hello", "hello"]]
        assert job.result["duplicates"] == 3

    def test_across_batches_and_files(self, bring, monkeypatch):
        monkeypatch.setattr(importing, "BATCH_RECORDS", 1)
        bring(LONG, FAR)
        bring(NEAR, "Hello")
        bring(LONG.lower())
        assert groups() == [[LONG, NEAR, LONG.lower()]]
        same, near = (Duplicate.objects.get(document__text=text) for text in (LONG.lower(), NEAR))
        assert (same.similarity, same.digest == Duplicate.objects.get(document__text=LONG).digest) == (1.0, True)
        assert 0.7 < near.similarity < 1
        assert near.digest != same.digest

    def test_the_same_file_again_makes_no_groups(self, bring):
        bring(LONG, FAR)
        keys = TextKey.objects.count()
        job = bring(LONG, FAR)
        assert (groups(), job.result["existing"], job.result["duplicates"]) == ([], 2, 0)
        assert TextKey.objects.count() == keys

    def test_another_projects_texts_are_not_looked_at(self, bring, project):
        bring(LONG)
        other = factories.project()
        job = importing.start(other, other.created_by, BytesIO(LONG.encode()), name="a.txt")
        jobs.run(job.pk)
        assert groups() == []

    def test_texts_that_came_before_are_found_by_a_search_that_may_run_twice(self, project, manager, monkeypatch):
        monkeypatch.setattr(duplicates, "SCAN_DOCUMENTS", 2)
        for text in (LONG, FAR, NEAR, "Hello", LONG):
            factories.document(project, text)
        job = duplicates.find(project, manager)
        for _ in range(2):
            Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None, cursor=None)
            jobs.run(job.pk)
            assert groups() == [[LONG, NEAR, LONG]]
        job.refresh_from_db()
        assert (job.state, job.result["documents"]) == ("succeeded", 5)


class TestSplits:
    def test_a_duplicate_follows_its_group(self, bring):
        bring({"text": LONG, "split": "test"})
        bring(NEAR, LONG.upper(), *(f"{LONG} {n}" for n in range(8)))
        assert set(Document.objects.values_list("split", flat=True)) == {"test"}
        assert len(set(Document.objects.values_list("group_key", flat=True))) == 1

    def test_within_one_batch_too(self, bring):
        bring({"text": FAR, "split": "validation"}, LONG, {"text": f"x {FAR}"}, NEAR)
        by_text = dict(Document.objects.values_list("text", "split"))
        assert by_text[f"x {FAR}"] == "validation"
        assert by_text[LONG] == by_text[NEAR]

    def test_splits_of_the_file_are_kept(self, bring):
        bring({"text": LONG, "split": "train"}, {"text": NEAR, "split": "test"})
        assert list(Document.objects.order_by("line").values_list("split", flat=True)) == ["train", "test"]
        assert groups() == [[LONG, NEAR]]

    def test_texts_with_one_value_of_a_key_stay_together(self, bring, project, manager):
        curation.change(project, manager, {"split_by": "writer"})
        bring(*({"text": f"text {n} by {n % 30}", "meta": {"writer": n % 30}} for n in range(90)))
        found: dict[int, set[str]] = {}
        for document in Document.objects.all():
            found.setdefault(document.meta["writer"], set()).add(document.split)
        assert all(len(each) == 1 for each in found.values())
        assert len(set.union(*found.values())) > 1

    def test_a_new_source_goes_where_a_duplicate_of_one_of_its_texts_is(self, bring, project, manager):
        bring({"text": LONG, "split": "test"})
        curation.change(project, manager, {"split_by": "writer"})
        bring(
            {"text": "Short", "meta": {"writer": "a"}},
            {"text": NEAR, "meta": {"writer": "a"}},
            {"text": FAR, "meta": {"writer": "a"}},
        )
        assert set(Document.objects.values_list("split", flat=True)) == {"test"}

    def test_a_heading_does_not_bring_sources_together(self, bring, project, manager):
        curation.change(project, manager, {"split_by": "writer"})
        bring(*({"text": "SOCCER", "meta": {"writer": n}} for n in range(40)))
        assert len(set(Document.objects.values_list("split", flat=True))) > 1


class TestLinked:
    """A text that is like two groups makes one of them."""

    A, BETWEEN, B, LINK, C = (" ".join(f"word{n}" for n in range(at, at + 12)) for at in range(1, 6))

    def test_across_imports(self, bring):
        bring({"text": self.A, "split": "train"}, {"text": self.B, "split": "test"}, FAR)
        assert groups() == []
        job = bring(self.BETWEEN)
        assert groups() == [[self.A, self.B, self.BETWEEN]]
        assert (Document.objects.get(text=self.BETWEEN).split, job.result["duplicates"]) == ("train", 1)
        (row,) = [row for row in leaks.of_project(Document.objects.first().project)["texts"] if row["near"]]
        assert (row["split"], row["in"], row["near"]) == ("test", "train", 1)

    def test_groups_with_members(self, bring):
        bring(self.A, f"{self.A} .", self.B, f"{self.B} .", FAR, f"{FAR} .")
        assert len(groups()) == 3
        bring(self.BETWEEN)
        assert [len(group) for group in groups()] == [5, 2]
        listed = duplicates.groups(Document.objects.first().project).order_by("id")
        assert [(first.text, first.size) for first in listed] == [(self.A, 5), (FAR, 2)]

    def test_within_a_batch_and_chains_of_links(self, bring):
        bring(self.B, self.A, self.BETWEEN, self.C, self.LINK)
        assert groups() == [[self.B, self.A, self.BETWEEN, self.C, self.LINK]]


class TestPolicy:
    def test_archive(self, bring, project, manager):
        curation.change(project, manager, {"duplicates": "archive"})
        bring(LONG, NEAR, FAR)
        assert list(Document.objects.filter(archived_at=None).order_by("line").values_list("text", flat=True)) == [
            LONG,
            FAR,
        ]

    def test_archived_duplicates_keep_their_labels(self, bring, project, manager):
        curation.change(project, manager, {"duplicates": "archive"})
        labeled = {"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
        bring(labeled, labeled)
        assert [document.annotations.get().tags for document in Document.objects.all()] == [["B-PER"]] * 2

    def test_label_once(self, bring, project, manager):
        curation.change(project, manager, {"duplicates": "copy"})
        bring({"text": LONG, "split": "train"}, NEAR, LONG.upper(), {"text": f"{LONG} !", "split": "test"})
        first, *copies = Document.objects.order_by("line")
        assert duplicates.copy_labels() == 0
        assert {copy.priority for copy in copies[:2]} == {curation.LAST} != {first.priority}
        place = first.tokens.index("Geneva")
        tags = ["B-LOC" if number == place else "O" for number in range(len(first.tokens))]
        review.correct(project, manager, first.pk, tags=tags)
        assert duplicates.copy_labels() == 2
        near, upper = Prediction.objects.order_by("document_id")
        assert (near.document, near.model, near.tags) == (copies[0], "duplicate", [*tags, "O"])
        assert set(upper.tags) == {"O"}  # the tokens are written otherwise: nothing is guessed
        Prediction.objects.update(created_at=first.annotations.get().accepted_at)
        assert duplicates.copy_labels() == 0

    def test_keep_is_the_default(self, bring):
        bring(LONG, NEAR)
        assert duplicates.copy_labels() == 0
        assert not Document.objects.exclude(archived_at=None).exists()


@pytest.mark.parametrize(
    ("tags", "source", "target", "expected"),
    [
        (["B-A", "I-A", "O"], "x y z", "x y z", ["B-A", "I-A", "O"]),
        (["B-A", "I-A", "O"], "x y z", "new x y z", ["O", "B-A", "I-A", "O"]),
        (["B-A", "I-A", "B-B"], "x y z", "x new y z", ["O", "O", "O", "B-B"]),
        (["B-A", "B-B"], "x y", "y", ["B-B"]),
        (["B-A"], "x", "q r", ["O", "O"]),
    ],
)
def test_carried(tags, source, target, expected):
    assert duplicates.carried(tags, source.split(), target.split()) == expected


class TestDoors:
    URL = "/api/v1/projects/news/duplicates"

    def test_lists_groups(self, api, bring, reviewer, query_count):
        bring(LONG, FAR, NEAR, "Hello", {"text": "hello", "split": "test"}, {"text": "Hello ", "split": "train"})
        client = api(reviewer)
        with query_count() as queries:
            first = client.get(f"{self.URL}?limit=1").json()
        assert len(queries) <= 6
        second = client.get(first["next"]).json()
        assert second["next"] is None
        (one,), (two,) = first["results"], second["results"]
        assert (one["size"], [member["text"] for member in one["members"]]) == (2, [LONG, NEAR])
        assert one["members"][0]["document"] == one["group"]
        assert (two["size"], two["members"][0]["similarity"]) == (3, 1.0)
        across = client.get(f"{self.URL}?across=1").json()["results"]
        assert [row["group"] for row in across] == [two["group"]]

    def test_long_groups_are_shown_in_part(self, api, bring, reviewer, monkeypatch):
        bring(*["Hello"] * 30)
        (row,) = api(reviewer).get(self.URL).json()["results"]
        assert (row["size"], len(row["members"])) == (30, duplicates.SHOWN)

    def test_settings(self, api, project, manager, annotator):
        url = "/api/v1/projects/news/curation"
        assert api(annotator).get(url).json() == {
            "duplicates": "keep",
            "split_by": "",
            "stratify": False,
            "license": "",
            "citation": "",
        }
        changed = api(manager).patch(url, {"duplicates": "copy", "license": "cc-by-4.0"}, format="json").json()
        assert (changed["duplicates"], changed["license"]) == ("copy", "cc-by-4.0")
        assert Event.objects.get(verb="curation.changed").data == {
            "duplicates": ["keep", "copy"],
            "license": ["", "cc-by-4.0"],
        }
        api(manager).patch(url, {"duplicates": "copy"}, format="json")
        assert Event.objects.filter(verb="curation.changed").count() == 1
        refused = api(manager).patch(url, {"duplicates": "burn"}, format="json")
        assert refused.status_code == 400
        with pytest.raises(Invalid):
            curation.change(project, manager, {"color": "red"})

    @pytest.mark.parametrize(
        ("method", "path", "needs"),
        [
            ("get", "duplicates", "reviewer"),
            ("post", "duplicates", "manager"),
            ("get", "curation", "annotator"),
            ("patch", "curation", "manager"),
        ],
    )
    def test_roles(self, api, manager, reviewer, annotator, stranger, method, path, needs):
        allowed = False
        for role, person in {"annotator": annotator, "reviewer": reviewer, "manager": manager}.items():
            allowed = allowed or role == needs
            response = getattr(api(person), method)(f"/api/v1/projects/news/{path}")
            assert (response.status_code in (200, 202)) == allowed
            assert allowed or response.status_code == 403
        assert getattr(api(stranger), method)(f"/api/v1/projects/news/{path}").status_code == 404

    def test_pages(self, client, bring, reviewer, manager):
        bring(LONG, NEAR)
        client.force_login(reviewer)
        html = client.get("/projects/news/duplicates/").content.decode()
        assert NEAR in html
        assert "Archive the ticked ones" not in html
        assert (
            "No group lies in more than one split" in client.get("/projects/news/duplicates/?across=1").content.decode()
        )
        assert client.get("/projects/news/curation/").status_code == 403
        client.force_login(manager)
        html = client.get("/projects/news/duplicates/").content.decode()
        ticked = re.findall(r'name="document" value="(\d+)"[^>]* checked', html)
        assert set(map(int, ticked)) == {one.pk for one in Duplicate.objects.all() if one.pk != one.first_id}
        preview = client.post("/projects/news/documents/bulk/", {"act": "archive", "document": ticked})
        assert f"It touches {len(ticked)} document" in preview.content.decode()
        form = {"duplicates": "archive", "split_by": "writer", "license": "", "citation": ""}
        assert client.post("/projects/news/curation/", form).status_code == 302
        assert "writer" in client.get("/projects/news/curation/").content.decode()
