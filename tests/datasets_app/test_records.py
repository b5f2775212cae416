"""What can be stored: the last look at a record, whatever codec read it."""

import pytest

from datasets_app.records import Failure, Record, storable


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "a\0b"}, "nul"),
        ({"text": "a", "key": "\0"}, "nul"),
        ({"text": "a", "meta": {"k": ["\0"]}}, "nul"),
        ({"text": "a", "layout": {"head": "\0"}}, "nul"),
        ({"text": "\ud800"}, "lone_surrogate"),
        ({"text": "a", "key": "\udfff"}, "lone_surrogate"),
        ({"text": "a", "meta": {"\udc00": 1}}, "lone_surrogate"),
    ],
)
def test_what_is_not_storable(fields, code):
    found = storable(Record(7, **fields))
    assert isinstance(found, Failure)
    assert (found.line, found.code) == (7, code)


@pytest.mark.parametrize("text", ["plain", "\U0001f600", "\ufffe", "\x1f", "a \\u0000 in letters"])
def test_what_is_stays_as_it_is(text):
    record = Record(1, text, key="k", meta={"a": "ü"})
    assert storable(record) is record
