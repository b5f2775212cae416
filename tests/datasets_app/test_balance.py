"""Balanced splits: each label near its share in every split, however rare it is, and no text moved."""

import json
from collections import Counter
from io import BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app import curation, importing, jobs, label_operations, tallies, versions
from datasets_app.balance import TEXTS, Balance
from datasets_app.models import Job, LabelTally
from datasets_app.splits import split_of
from labeling.models import Document
from tests import factories

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
LABELS = {"PER": 0.5, "LOC": 0.2, "ORG": 0.05, "RARE": 0.01}


def texts(count: int, *, seed: int = 7) -> list[Counter[str]]:
    draw = Random(seed)
    return [Counter({name: 1 for name, rate in LABELS.items() if draw.random() < rate}) for _ in range(count)]


class TestBalance:
    @pytest.mark.parametrize("count", [300, 3000])
    def test_each_label_has_its_share(self, count):
        balance = Balance(SHARES, {})
        for number, labels in enumerate(texts(count)):
            usual = split_of(str(number), validation=0.1, test=0.1)
            balance.add(balance.choose(usual, labels), labels)
        for name in (*LABELS, TEXTS):
            total = balance.totals[name]
            for split, share in SHARES.items():
                assert abs(balance.spans[split][name] - share * total) <= max(2, 0.06 * share * total), (name, split)

    def test_the_hash_decides_where_nothing_speaks_against_it(self):
        chosen = [Balance(SHARES, {}).choose(split, {"PER": 1}) for split in SHARES]
        assert chosen == list(SHARES)

    def test_what_lacks_a_label_gets_it(self):
        balance = Balance(SHARES, {"train": {"PER": 100, TEXTS: 100}, "validation": {"PER": 10, TEXTS: 10}})
        assert balance.choose("train", {"PER": 1}) == "test"

    def test_a_split_without_a_share_gets_nothing(self):
        balance = Balance({"train": 0.9, "validation": 0.1, "test": 0.0}, {"train": {"PER": 900, TEXTS: 900}})
        assert balance.choose("test", {"PER": 1}) == "validation"

    @given(
        st.lists(st.tuples(st.sampled_from(list(SHARES)), st.dictionaries(st.sampled_from("ABC"), st.integers(0, 9))))
    )
    def test_any_texts_find_a_place(self, arriving):
        balance = Balance(SHARES, {})
        for usual, labels in arriving:
            balance.add(balance.choose(usual, labels), labels)
        assert balance.totals[TEXTS] == len(arriving)


def lines(given: list[Counter[str]]) -> bytes:
    rows = []
    for number, labels in enumerate(given):
        words = [f"{name.lower()}{number}" for name in labels]
        tags = [f"B-{name}" for name in labels]
        rows.append({"tokens": [f"text{number}", *words], "tags": ["O", *tags]})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def counted(project) -> dict[str, Counter[str]]:
    """Spans by label and texts, in each split, of gold."""
    found = {split: Counter[str]() for split in SHARES}
    for document in Document.objects.filter(project=project, annotations__accepted=True):
        tags = document.annotations.get().tags
        found[document.split].update([TEXTS, *(tag[2:] for tag in tags if tag != "O")])
    return found


@pytest.mark.django_db
class TestImports:
    @pytest.fixture(autouse=True)
    def balanced(self, project, manager):
        curation.change(project, manager, {"stratify": True})

    def queue(self, project, manager, given, **options) -> Job:
        return importing.start(project, manager, BytesIO(lines(given)), name="a.jsonl", **options)

    def bring(self, project, manager, given, **options) -> Job:
        job = self.queue(project, manager, given, **options)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "succeeded", job.message
        return job

    def test_rare_labels_come_into_each_split_and_the_tally_is_what_is_there(self, project, manager, monkeypatch):
        monkeypatch.setattr(importing, "BATCH_RECORDS", 50)
        self.bring(project, manager, texts(600))
        found = counted(project)
        for split, share in SHARES.items():
            for name in ("PER", "LOC", "ORG", "RARE", TEXTS):
                total = sum(each[name] for each in found.values())
                assert abs(found[split][name] - share * total) <= max(2, 0.06 * share * total), (name, split, total)
        assert LabelTally.objects.get(project=project).spans == found
        tallies.forget(project)
        assert {split: dict(each) for split, each in tallies.of(project).spans.items()} == found

    def test_a_cut_import_places_its_texts_as_a_whole_one(self, project, manager, monkeypatch):
        monkeypatch.setattr(importing, "BATCH_RECORDS", 50)
        other = factories.project(manager=manager)
        curation.change(other, manager, {"stratify": True})
        self.bring(other, manager, texts(200))
        job = self.queue(project, manager, texts(200))
        claimed = jobs._claim(job.pk)
        steps = importing.run(claimed)
        while (claimed.cursor or {"done": 0})["done"] < 100:
            next(steps)
        steps.close()
        Job.objects.filter(pk=job.pk).update(state="queued", claimed_by="")
        jobs.run(job.pk)
        where = [dict(Document.objects.filter(project=each).values_list("key", "split")) for each in (project, other)]
        assert where[0] == where[1]
        assert len(where[0]) == 200

    def test_importing_again_changes_nothing(self, project, manager):
        self.bring(project, manager, texts(100))
        before = LabelTally.objects.get(project=project).spans
        assert self.bring(project, manager, texts(100)).result["existing"] == 100
        assert LabelTally.objects.get(project=project).spans == before

    def test_texts_of_one_source_stay_together(self, project, manager):
        curation.change(project, manager, {"split_by": "writer"})
        rows = [{"text": f"{n} Ada", "spans": [{"start": len(str(n)) + 1, "end": len(str(n)) + 4, "label": "PER"}],
                 "meta": {"writer": n % 20}} for n in range(200)]  # fmt: skip
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        jobs.run(importing.start(project, manager, BytesIO(data), name="a.jsonl").pk)
        sides: dict[int, set[str]] = {}
        for document in Document.objects.filter(project=project):
            sides.setdefault(document.meta["writer"], set()).add(document.split)
        assert {len(each) for each in sides.values()} == {1}
        assert all(abs(counted(project)[split]["PER"] - 20) <= 10 for split in ("validation", "test"))  # one writer's

    def test_texts_without_labels_go_by_their_hash(self, project, manager):
        self.bring(project, manager, texts(100), annotations="ignore")
        for document in Document.objects.filter(project=project):
            assert document.split == split_of(document.group_key, validation=0.1, test=0.1)

    def test_a_dry_run_and_suggestions(self, project, manager):
        self.bring(project, manager, texts(60), dry_run=True)
        assert not Document.objects.filter(project=project).exists()
        self.bring(project, manager, texts(60), annotations="suggest")
        before = LabelTally.objects.get(project=project).spans
        tallies.forget(project)
        assert {split: dict(each) for split, each in tallies.of(project).spans.items()} == before

    def test_a_version_and_a_change_of_labels_have_it_counted_anew(self, project, manager):
        self.bring(project, manager, texts(60))
        label_operations.operate(project, manager, operation="rename", label="PER", to="PERSON")
        assert not LabelTally.objects.exists()
        assert "PERSON" in tallies.of(project).totals
        versions.freeze_now(project, manager)
        assert not LabelTally.objects.exists()
