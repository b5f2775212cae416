"""Reading ahead: the same items, the same errors, and no thread that stays behind."""

import threading
from contextlib import closing

import pytest

from datasets_app.reading_ahead import AHEAD, read_ahead


def test_the_same_items_in_order():
    assert list(read_ahead(iter(range(1000)))) == list(range(1000))
    assert list(read_ahead(iter([None, 0]))) == [None, 0]


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise LookupError("gone")

    found = read_ahead(items())
    assert next(found) == 1
    with pytest.raises(LookupError, match="gone"):
        next(found)


def test_it_is_few_ahead_and_ends_with_its_reader():
    made, closed = [], threading.Event()

    def items():
        try:
            for number in range(1000):
                made.append(number)
                yield number
        finally:
            closed.set()

    with closing(read_ahead(items())) as found:
        assert next(found) == 0
    assert closed.is_set()
    assert len(made) <= AHEAD + 3
    assert "reading ahead" not in [thread.name for thread in threading.enumerate()]
