"""Query strategies on hand-made probabilities."""

import numpy as np
import pytest

from modelassist.strategies import STRATEGIES, bald, scores

SURE, UNSURE, SPLIT = [0.98, 0.01, 0.01], [0.4, 0.3, 0.3], [0.5, 0.5, 1e-9]


def of(*documents: list[list[float]]) -> dict[str, list[float]]:
    rows = np.log(np.array([row for document in documents for row in document], np.float32).reshape(-1, 3))
    lengths = np.array([len(document) for document in documents])
    return {name: values.tolist() for name, values in scores(rows, rows.argmax(1), lengths).items()}


def test_each_strategy_asks_for_the_unsure_text_first() -> None:
    for name, (sure, unsure) in of([SURE, SURE], [UNSURE, SURE]).items():
        assert sure < unsure, name


def test_values_by_hand() -> None:
    found = of([SPLIT, SURE])
    assert found["least_confidence"] == pytest.approx([-np.log(0.5) - np.log(0.98)])
    assert found["mnlp"] == pytest.approx([(-np.log(0.5) - np.log(0.98)) / 2])
    assert found["margin"] == pytest.approx([1 - 0.97 / 2])
    assert found["entropy"] == pytest.approx([(np.log(2) - 0.98 * np.log(0.98) - 0.02 * np.log(0.01)) / 2], abs=1e-4)


def test_length_counts_for_least_confidence_alone() -> None:
    for name, (short, long) in of([UNSURE], [UNSURE] * 50).items():
        assert (short == pytest.approx(long)) == (name != "least_confidence"), name


def test_documents_without_a_row_score_nothing() -> None:
    found = of([], [UNSURE], [])
    assert set(found) == set(STRATEGIES)
    for values in found.values():
        assert values[0] == values[2] == 0
        assert values[1] > 0


def test_sure_words_outside_do_not_hide_an_unsure_entity() -> None:
    alone, hidden = of([UNSURE], [UNSURE, *[[0.999, 0.0005, 0.0005]] * 50])["entity"]
    assert hidden > 0.9 * alone
    assert of([UNSURE, *[SURE] * 50])["mnlp"][0] < 0.3 * of([UNSURE])["mnlp"][0]


def test_bald_is_the_disagreement_of_passes_not_their_doubt() -> None:
    doubt = np.log(np.array([[0.5, 0.5]], np.float32))
    one, other = (np.log(np.array([row], np.float32)) for row in ([0.999, 0.001], [0.001, 0.999]))
    lengths = np.array([1])
    assert bald([doubt, doubt], lengths) == pytest.approx([0], abs=1e-6)
    assert bald([one, other], lengths) == pytest.approx([np.log(2)], abs=0.02)
    assert bald([one, one], lengths) == pytest.approx([0], abs=1e-6)
