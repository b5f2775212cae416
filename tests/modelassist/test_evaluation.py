"""Scores against seqeval and scikit-learn, and the bootstrap."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report, f1_score
from sklearn.metrics import classification_report as token_classification_report

from labeling.bio import Span
from modelassist.decode import Tagset
from modelassist.evaluation import Counts, bootstrap, entities, evaluate

TAGS = Tagset.of_labels(["PER", "creative-work", "LOC.GPE"])
DOCUMENT = st.lists(st.tuples(st.sampled_from(TAGS.names), st.sampled_from(TAGS.names)), max_size=12)
CORPUS = st.lists(DOCUMENT, min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("I-PER I-PER O", [(0, 2, "PER")]),
        ("O I-PER I-LOC", [(1, 2, "PER"), (2, 3, "LOC")]),
        ("B-PER I-LOC I-LOC", [(0, 1, "PER"), (1, 3, "LOC")]),
        ("B-PER B-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        ("B-PER O I-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        ("I-PER B-PER I-PER", [(0, 1, "PER"), (1, 3, "PER")]),
        ("B-PER I-PER I-ORG I-PER", [(0, 2, "PER"), (2, 3, "ORG"), (3, 4, "PER")]),
        ("", []),
    ],
)
def test_entities_as_conlleval_reads_them(tags: str, expected: list[tuple[int, int, str]]) -> None:
    assert entities(tags.split()) == {Span(*span) for span in expected}


@settings(max_examples=150, deadline=None)
@given(CORPUS)
def test_entity_scores_agree_with_seqeval(corpus: list[list[tuple[str, str]]]) -> None:
    gold, predicted = ([[pair[side] for pair in document] for document in corpus] for side in (0, 1))
    ours = evaluate(zip(gold, predicted, strict=True), TAGS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ours.micro.f1 == pytest.approx(f1_score(gold, predicted))
        try:
            theirs = classification_report(gold, predicted, output_dict=True)
        except ValueError:  # seqeval cannot report on no entity at all
            return
    for label, counts in ours.labels.items():
        if label in theirs:
            for name, value in counts.as_json().items():
                assert value == pytest.approx(theirs[label]["f1-score" if name == "f1" else name])


@settings(max_examples=80, deadline=None)
@given(CORPUS)
def test_token_report_agrees_with_scikit_learn(corpus: list[list[tuple[str, str]]]) -> None:
    pairs = [pair for document in corpus for pair in document]
    if not pairs:
        return
    ours = evaluate((([g for g, _ in d], [p for _, p in d]) for d in corpus), TAGS).as_json()["token_report"]
    theirs = token_classification_report(
        [g for g, _ in pairs], [p for _, p in pairs], labels=list(TAGS.names), output_dict=True, zero_division=0
    )
    rows = {**ours["tags"], "macro avg": ours["macro"], "weighted avg": ours["weighted"]}
    for name, row in rows.items():
        for key, value in row.items():
            assert value == pytest.approx(theirs[name]["f1-score" if key == "f1" else key]), (name, key)
    assert ours["micro"]["f1"] == pytest.approx(theirs["accuracy"])


def test_nothing_there_is_zero_and_lengths_must_fit() -> None:
    assert evaluate([(["O"], ["O"])], TAGS).micro.f1 == 0.0
    assert Counts().as_json() == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    with pytest.raises(ValueError, match="pair up"):
        evaluate([(["O"], ["O", "O"])], TAGS)
    assert json.dumps(evaluate([], TAGS).as_json())


def test_counts_add_up() -> None:
    both = Counts(1, 2, 3) + Counts(4, 0, 1)
    assert (both.tp, both.fp, both.fn) == (5, 2, 4)
    assert both.precision == pytest.approx(5 / 7)
    assert both.recall == pytest.approx(5 / 9)


def test_a_better_model_is_better_beyond_chance() -> None:
    better = bootstrap([(5, 0, 0)] * 40, [(4, 1, 1)] * 20 + [(3, 1, 2)] * 20, seed=1)
    assert better.better
    assert 0 < better.low <= better.difference <= better.high
    same = bootstrap([(4, 1, 1)] * 40, [(4, 1, 1)] * 40)
    assert not same.better
    assert same.difference == 0
    assert same.p_value == 1.0


def test_chance_is_no_reason_to_promote() -> None:
    random = np.random.default_rng(5)
    one, two = ([(int(random.integers(0, 4)), 1, 1) for _ in range(30)] for _ in range(2))
    first, again = bootstrap(one, two, seed=9), bootstrap(one, two, seed=9)
    assert first == again
    assert not first.better
    assert not bootstrap(two, one, seed=9).better


def test_bootstrap_of_nothing_promotes_nobody() -> None:
    assert not bootstrap([], []).better
    with pytest.raises(ValueError, match="same documents"):
        bootstrap([(1, 0, 0)], [])
