"""The temperature and the reliability table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from modelassist import calibration
from modelassist.calibration import Reliability


def data(scale: float, *, rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities that are `scale` times too sure, and gold tags drawn from the honest ones."""
    random = np.random.default_rng(4)
    scores = random.normal(size=(rows, 5))
    honest = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    gold = np.array([random.choice(5, p=row) for row in honest])
    too_sure = scale * scores
    return (too_sure - np.log(np.exp(too_sure).sum(1, keepdims=True))).astype(np.float32), gold


@pytest.mark.parametrize("scale", [0.7, 1.0, 2.5, 4.0])
def test_it_finds_how_much_too_sure_a_network_is(scale: float) -> None:
    log_probs, gold = data(scale)
    found = calibration.temperature(log_probs, gold)
    assert found == pytest.approx(scale, rel=0.06)
    best = minimize_scalar(lambda value: calibration.loss(log_probs, gold, value), bounds=(0.5, 10), method="bounded")
    assert found == pytest.approx(best.x, rel=1e-2)


def test_it_lowers_the_calibration_error_and_changes_no_decision() -> None:
    log_probs, gold = data(3.0)
    mended = log_probs / calibration.temperature(log_probs, gold)
    errors = []
    for scores in (log_probs, mended):
        shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        table = Reliability()
        table.add(shares.max(1), shares.argmax(1) == gold)
        errors.append(table.error)
    assert errors[1] < errors[0] / 4
    assert (mended.argmax(1) == log_probs.argmax(1)).all()


def test_few_rows_and_none() -> None:
    assert calibration.temperature(np.empty((0, 3), np.float32), np.empty(0, np.int64)) == 1.0
    certain = np.log(np.array([[0.98, 0.01, 0.01]], np.float32))
    assert calibration.temperature(certain, np.array([0])) == pytest.approx(calibration.COOLEST, rel=1e-3)
    assert calibration.temperature(certain, np.array([1])) == pytest.approx(calibration.HOTTEST, rel=1e-3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_the_error_is_the_mean_gap(pairs: list[tuple[float, bool]]) -> None:
    table = Reliability()
    table.add([sure for sure, _ in pairs], [right for _, right in pairs])
    shown = table.as_json()
    assert sum(row["count"] for row in shown["bins"]) == len(pairs)
    gaps = [row["count"] * abs(row["confidence"] - row["accuracy"]) for row in shown["bins"] if row["count"]]
    assert shown["ece"] == pytest.approx(sum(gaps) / max(1, len(pairs)))
    for row in shown["bins"]:
        assert row["count"] == 0 or row["low"] - 1e-9 <= row["confidence"] <= row["high"] + 1e-9
