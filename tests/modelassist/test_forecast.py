"""The learning curve: it finds a known power law, says how sure it is, and gives advice."""

import numpy as np
import pytest

from modelassist.forecast import Point, advice, fits, forecast, saved


def law(labels: float, *, ceiling: float = 0.9, drop: float = 3.0, rate: float = 0.5) -> float:
    return ceiling - drop * labels**-rate


POINTS = [Point(n, law(n), 0.005) for n in (100, 200, 400, 800, 1600)]


def test_a_known_law_is_found() -> None:
    counts = np.array([point.labels for point in POINTS], float)
    ceiling, drop, rate = fits(counts, np.array([[law(n) for n in counts]]), np.ones(5))[0]
    assert (ceiling, drop, rate) == (pytest.approx(0.9, abs=0.01), pytest.approx(3, rel=0.05), pytest.approx(0.5))


def test_the_forecast_holds_the_truth_in_its_interval() -> None:
    for found in forecast(POINTS, [3200, 12_800]):
        assert found.low <= law(found.labels) <= found.high
        assert found.f1 == pytest.approx(law(found.labels), abs=0.02)
    near, far = forecast(POINTS, [3200, 100_000])
    assert far.high - far.low > near.high - near.low


def test_noise_widens_the_interval() -> None:
    noisy = [Point(point.labels, point.f1, 0.05) for point in POINTS]
    (calm,), (wild,) = forecast(POINTS, [3200]), forecast(noisy, [3200])
    assert wild.high - wild.low > 2 * (calm.high - calm.low)


def test_too_little_is_told() -> None:
    assert forecast(POINTS[:2], [1000]) == []
    assert forecast([Point(100, 0.5)] * 5, [1000]) == []
    assert advice([])["kind"] == advice(POINTS[:2])["kind"] == "unknown"


def test_advice() -> None:
    assert advice(POINTS)["kind"] == "go_on"
    flat = [Point(n, 0.85 + 0.0001 * i, 0.002) for i, n in enumerate((1000, 2000, 4000, 8000))]
    told = advice(flat)
    assert told["kind"] == "stop"
    assert told["gain"] < 0.01


def test_never_above_one_nor_falling() -> None:
    points = [Point(100, 0.95, 0.03), Point(200, 0.99, 0.03), Point(400, 1.0, 0.03), Point(800, 0.94, 0.03)]
    found = forecast(points, [1000, 2000, 10**6])
    assert all(0 <= each.low <= each.f1 <= each.high <= 1 for each in found)
    assert [each.f1 for each in found] == sorted(each.f1 for each in found)


def test_labels_saved_are_those_that_the_curve_of_random_order_would_have_taken() -> None:
    at_random = [Point(n, law(n), 0.001) for n in (100, 200, 400, 800)]
    found = saved(at_random, Point(1000, law(3000), 0.001))
    assert found is not None
    assert found.needed == pytest.approx(3000, rel=0.05)
    assert found.low is not None
    assert 1000 < found.low < found.needed


def test_what_choosing_saved_is_not_told_from_too_few_models_or_too_far_away() -> None:
    assert saved([Point(100, 0.5), Point(200, 0.6), Point(200, 0.6)], Point(300, 0.7)) is None
    at_random = [Point(n, law(n), 0.001) for n in (100, 200, 400)]
    beyond = saved(at_random, Point(500, 0.999, 0.001))
    assert beyond is not None
    assert (beyond.needed, beyond.high) == (None, None)


def test_many_curves_are_fitted_as_one_is() -> None:
    counts = np.array([100.0, 200, 400, 800])
    scores = np.random.default_rng(1).uniform(0.4, 0.9, (20, 4))
    together = fits(counts, scores, np.array([1.0, 2, 3, 4]))
    alone = [fits(counts, row[None], np.array([1.0, 2, 3, 4]))[0] for row in scores]
    assert np.allclose(together, alone)
