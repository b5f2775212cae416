"""When the work will be done: from steady, uneven, young and idle projects."""

import pytest

from labeling.pace import DAYS, WORKED_MIN, pace


def test_a_steady_pace_has_one_end() -> None:
    found = pace([10] * DAYS, 95)
    assert found is not None
    assert (found.per_day, found.days, found.earliest, found.latest) == (10.0, 10, 10, 10)


def test_an_uneven_pace_has_a_range_around_the_mean() -> None:
    found = pace([0, 0, 50, 0, 10, 0, 0] * 4, 600)
    assert found is not None
    assert found.latest is not None
    assert found.earliest < found.days < found.latest
    assert found.days == 65  # 240 in the 26 days since the first work
    assert found.per_day == pytest.approx(240 / 26)


def test_too_little_or_nothing_says_nothing() -> None:
    assert pace([0] * DAYS, 10) is None
    assert pace([5] * (WORKED_MIN - 1), 10) is None
    assert pace([10] * DAYS, 0) is None
    assert pace([], 10) is None


def test_what_is_too_far_away_is_not_foreseen() -> None:
    found = pace([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1], 600)
    assert found is not None
    assert found.latest is None or found.latest > found.days
    assert pace([1, 0, 1, 1], 10_000_000) is None
