"""PostgreSQL's COPY text format, written by hand: several times as fast as adapting each list's elements."""

from collections.abc import Iterable, Sequence

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = "\\N"


def text(value: str) -> str:
    """A string field; it must hold no NUL."""
    return value.translate(_ESCAPES)


def integers(values: Sequence[int]) -> str:
    """An integer array field."""
    return "{" + str([*values])[1:-1].replace(" ", "") + "}"


def array(values: Iterable[object]) -> str:
    """An array as a query's parameter, for values that hold neither quotes, backslashes, commas, braces nor blanks."""
    return "{" + ",".join(map(str, values)) + "}"


def strings(values: Sequence[str]) -> str:
    """A text array field. Most are the same few tags, so each form is worked out once."""
    forms = {value: _element(value) for value in set(values)}
    return "{" + ",".join([forms[value] for value in values]) + "}"


def _element(value: str) -> str:
    return '"' + text(value.replace("\\", "\\\\").replace('"', '\\"')) + '"'
