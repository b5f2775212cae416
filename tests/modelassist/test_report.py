"""Matching and the closer look, with cases counted by hand and against conlleval's way of counting."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.leaks import Surfaces
from datasets_app.records import Gold
from labeling import bio
from labeling.bio import Span
from labeling.tokens import tokenize
from modelassist.decode import Tagset
from modelassist.evaluation import evaluate
from modelassist.matching import match
from modelassist.report import Report, precision_recall, surface

TAGS = Tagset.of_labels(["PER", "LOC"])


def conlleval(pairs: list[tuple[list[str], list[str]]]) -> dict[str, tuple[int, int, int]]:
    """Correct, guessed and gold phrases by label, by the state machine of the CoNLL-2000 evaluation."""
    counts: dict[str, list[int]] = {}
    for gold, predicted in pairs:
        open_pair, before = "", ("O", "")
        was = [before, before]
        for tags in [*zip(gold, predicted, strict=True), ("O", "O")]:
            now = [tuple(tag.partition("-")[::2]) if tag != "O" else ("O", "") for tag in tags]
            ends = [w[0] != "O" and (n[0] != "I" or n[1] != w[1]) for w, n in zip(was, now, strict=True)]
            starts = [
                n[0] != "O" and (n[0] == "B" or w[1] != n[1] or w[0] == "O") for w, n in zip(was, now, strict=True)
            ]
            if open_pair:
                if ends[0] and ends[1]:
                    counts[open_pair][0] += 1
                    open_pair = ""
                elif ends[0] != ends[1]:
                    open_pair = ""
            for side in (0, 1):
                if starts[side]:
                    counts.setdefault(now[side][1], [0, 0, 0])[2 - side] += 1
            if starts[0] and starts[1] and now[0][1] == now[1][1]:
                open_pair = now[0][1]
            was = now
    return {label: (row[0], row[1], row[2]) for label, row in counts.items()}


SENTENCE = st.lists(st.tuples(st.sampled_from(TAGS.names), st.sampled_from(TAGS.names)), max_size=14)


@settings(max_examples=200, deadline=None)
@given(st.lists(SENTENCE, min_size=1, max_size=5))
def test_counts_are_those_of_conlleval(corpus: list[list[tuple[str, str]]]) -> None:
    pairs = [([g for g, _ in sentence], [p for _, p in sentence]) for sentence in corpus]
    theirs = conlleval(pairs)
    for label, counts in evaluate(pairs, TAGS).labels.items():
        assert (counts.tp, counts.tp + counts.fp, counts.support) == theirs.get(label, (0, 0, 0))


@settings(max_examples=100, deadline=None)
@given(st.lists(SENTENCE, min_size=1, max_size=5))
def test_the_report_adds_up_with_the_evaluation(corpus: list[list[tuple[str, str]]]) -> None:
    pairs = [([g for g, _ in sentence], [p for _, p in sentence]) for sentence in corpus]
    scores, report = evaluate(pairs, TAGS), Report(["PER", "LOC"], {"w0"})
    for gold, predicted in pairs:
        report.add([f"w{i}" for i in range(len(gold))], gold, predicted, [0.5] * len(gold))
    shown = json.loads(json.dumps(report.as_json()))
    for parts in (report.novelty, report.lengths):
        total = sum(parts.values(), start=type(scores.micro)())
        assert total == scores.micro
    assert sum(np.stack(report.documents).sum((0, 1)).tolist()) == scores.micro.tp + scores.micro.fp + scores.micro.fn
    assert shown["partial"]["support"] == shown["boundaries"]["support"] == scores.micro.support
    assert shown["partial"]["f1"] >= scores.micro.f1 <= shown["boundaries"]["f1"]
    low, high = shown["intervals"]["micro"]["f1"]
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        ([(0, 2, "PER")], [(0, 2, "PER")], ["right"]),
        ([(0, 2, "PER")], [(0, 2, "LOC")], ["label"]),
        ([(0, 2, "PER")], [(0, 1, "PER")], ["boundary"]),
        ([(0, 2, "PER")], [(1, 3, "LOC")], ["both"]),
        ([(0, 2, "PER")], [], ["missed"]),
        ([], [(0, 2, "PER")], ["spurious"]),
        ([(0, 2, "PER")], [(2, 3, "PER")], ["missed", "spurious"]),
        ([(0, 4, "PER")], [(0, 1, "PER"), (1, 4, "PER")], ["spurious", "boundary"]),
        ([(0, 2, "PER"), (2, 4, "PER")], [(0, 4, "PER")], ["boundary", "missed"]),
    ],
)
def test_kinds_of_error(gold: list, predicted: list, kinds: list[str]) -> None:
    found = match({Span(*span) for span in gold}, {Span(*span) for span in predicted})
    assert sorted(one.kind for one in found) == sorted(kinds)


def test_seen_is_what_the_leak_report_of_files_with_their_own_splits_calls_so() -> None:
    """Of the test split's entities, seen are those whose surface stands in train, with the same label or another."""
    texts = {
        "train": [("Ada saw Kyōto", ["B-PER", "O", "B-LOC"]), ("Bob left", ["B-PER", "O"])],
        "validation": [("Cy came", ["B-PER", "O"])],
        "test": [
            ("ADA met Cy in Ｋyōto", ["B-PER", "O", "B-PER", "O", "B-LOC"]),
            ("Bob left Bob", ["B-LOC", "O", "B-PER"]),
        ],
    }
    leaks, known = Surfaces(), set()
    report = Report(["PER", "LOC"], known)
    for split, rows in texts.items():
        for text, tags in rows:
            starts, ends = tokenize(text)
            tokens = [text[start:end] for start, end in zip(starts, ends, strict=True)]
            leaks.add(Gold("k", text, starts, ends, tags, split))
            if split == "train":
                known.update(surface(tokens, span) for span in bio.spans(tags))
            elif split == "test":
                report.add(tokens, tags, ["O"] * len(tags), [1.0] * len(tags))
    found = next(row for row in leaks.as_json() if (row["split"], row["in"]) == ("test", "train"))
    shown = report.as_json()["novelty"]
    assert (shown["seen"]["support"], shown["unseen"]["support"]) == (4, 1)
    assert (found["seen"] + found["otherwise"], found["unseen"]) == (4, 1)


def test_new_names_lengths_confusion_and_confidence() -> None:
    report = Report(["PER", "LOC"], {"anna smith"})
    report.add(
        ["Anna", "Smith", "saw", "Oslo"], ["B-PER", "I-PER", "O", "B-LOC"], ["B-PER", "I-PER", "O", "B-PER"],
        [0.9, 0.7, 1.0, 0.4],
    )  # fmt: skip
    shown = report.as_json()
    assert shown["novelty"]["seen"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    assert shown["novelty"]["unseen"]["support"] == 1
    assert shown["novelty"]["unseen"]["recall"] == 0
    assert shown["lengths"]["2"]["f1"] == 1.0
    assert shown["confusion"] == [
        {"gold": "LOC", "predicted": "PER", "count": 1}, {"gold": "PER", "predicted": "PER", "count": 1},
    ]  # fmt: skip
    assert shown["errors"] == {"label": 1, "boundary": 0, "both": 0, "missed": 0, "spurious": 0}
    bins = {row["low"]: row for row in shown["calibration"]["spans"]["bins"] if row["count"]}
    assert bins[0.4]["accuracy"] == 0
    assert bins[0.7]["accuracy"] == 1  # the weakest token of a span says how sure it is
    assert shown["boundaries"]["f1"] == 1.0


def test_the_precision_recall_curve() -> None:
    rows = precision_recall(np.array([0.9, 0.6, 0.2]), np.array([1.0, 0.0, 1.0]), 4)
    assert (rows[0]["precision"], rows[0]["recall"]) == (pytest.approx(2 / 3), 0.5)
    assert (rows[-1]["precision"], rows[-1]["recall"], rows[-1]["threshold"]) == (1.0, 0.25, pytest.approx(0.9))
    assert precision_recall(np.empty(0), np.empty(0), 3) == []


def test_a_report_of_nothing() -> None:
    assert Report(["PER"]).as_json()["intervals"] == {}
