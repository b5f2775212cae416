"""Keyset pages: a page begins after the last row seen, so that page 10,000 costs what page 1 costs.

The cursor holds the order's values of the last row; it is opaque to clients.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, LessThan
from django.http import HttpRequest, QueryDict

from labeling.errors import Invalid

Row = TypeVar("Row", bound=Model)
LIMIT, LIMIT_MAX = 50, 500
NEAR = 10_000  # rows that are gone through before an index is asked


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the next page if there is one."""

    rows: list[Row]
    next: str | None


def page(query: QuerySet[Row], *, order: Sequence[str], cursor: str | None = None, limit: int = LIMIT) -> Page[Row]:
    """The rows after `cursor` in `order` (names of columns, `-` for descending; the last one unique, none null)."""
    if cursor:
        query = _after(query, order, _values(query, order, cursor))
    return _page(list(query.order_by(*order)[: limit + 1]), order, limit)


def page_of_found(
    found: QuerySet[Row],
    walked: QuerySet[Row],
    every: QuerySet[Row],
    *,
    order: Sequence[str],
    cursor: str | None = None,
    limit: int = LIMIT,
) -> Page[Row]:
    """As `page(found)`, where no index gives what is looked for in the order of the list.

    What is frequent stands near: the next rows of `every` are gone through by `walked`, which is `found` without its
    index. What is rare is gathered by its index, all of it, and sorted. Either costs little, whereas the database has
    to guess how frequent it is, and goes through millions of rows for a rare word, or sorts them for a frequent one.
    """
    if cursor:
        values = _values(found, order, cursor)
        found, walked, every = (_after(query, order, values) for query in (found, walked, every))
    columns = [field.removeprefix("-") for field in order]
    edge = every.order_by(*order).values_list(*columns)[NEAR : NEAR + 1].first()
    near = _after(walked, [_reversed(field) for field in order], edge) if edge else walked
    rows = list(near.order_by(*order)[: limit + 1])
    if edge and len(rows) <= limit:
        rows = list(found.order_by(*map(_gathered, order))[: limit + 1])
    return _page(rows, order, limit)


def _reversed(field: str) -> str:
    return field.removeprefix("-") if field.startswith("-") else f"-{field}"


def _gathered(field: str) -> OrderBy:
    """The same order, of which no index knows."""
    value = Coalesce(*[F(field.removeprefix("-"))] * 2)
    return value.desc() if field.startswith("-") else value.asc()


def _page(rows: list[Row], order: Sequence[str], limit: int) -> Page[Row]:
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, _encode(rows[-1], order) if more else None)


class _Row(Func):
    """Several columns as one value, which the database compares as an index over them is ordered."""

    function, output_field = "ROW", Field()


def _after(query: QuerySet[Row], order: Sequence[str], values: Sequence[Any]) -> QuerySet[Row]:
    """Rows later in a lexicographic order, such that an index over it leads to the first of them."""
    names = [field.removeprefix("-") for field in order]
    downwards = [field.startswith("-") for field in order]
    if len(set(downwards)) == 1:
        kinds = _kinds(query)
        here = _Row(*map(F, names))
        seen = _Row(*(Value(value, kinds[name]) for name, value in zip(names, values, strict=True)))
        return query.filter((LessThan if downwards[0] else GreaterThan)(here, seen))
    # Up in one column and down in another: a > x, or a = x and b > y, …; a >= x is for the index.
    condition, same = Q(), Q()
    for name, down, value in zip(names, downwards, values, strict=True):
        condition |= same & Q(**{f"{name}__{'lt' if down else 'gt'}": value})
        same &= Q(**{name: value})
    return query.filter(Q(**{f"{names[0]}__{'lte' if downwards[0] else 'gte'}": values[0]}) & condition)


def _kinds(query: QuerySet[Row]) -> dict[str, Any]:
    """The fields of the columns that a query has, those added to it too, by name."""
    own = {name: field for field in query.model._meta.fields for name in (field.name, field.attname)}
    return own | {name: added.output_field for name, added in query.query.annotations.items()}


def _encode(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, field.removeprefix("-")) for field in order]
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode()


def _values(query: QuerySet[Row], order: Sequence[str], cursor: str) -> list[Any]:
    """The cursor's values as the fields of the order hold them; raises `Invalid` for anything else."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if isinstance(values, list) and not any(value is None for value in values):
            fields = _kinds(query)
            return [fields[n.removeprefix("-")].to_python(value) for n, value in zip(order, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError):
        pass
    raise Invalid("The cursor is not one that this list gave out; start again without it.", code="bad_cursor")


def limit_of(params: QueryDict) -> int:
    """The `limit` parameter, between 1 and `LIMIT_MAX`."""
    raw = params.get("limit", str(LIMIT))
    if not raw.isdecimal() or not 1 <= int(raw) <= LIMIT_MAX:
        raise Invalid(f"limit is {raw!r}; give a number from 1 to {LIMIT_MAX}.", details={"field": "limit"})
    return int(raw)


def listing(
    request: HttpRequest, query: QuerySet[Row], *, order: Sequence[str], render: Callable[[Row], Any]
) -> dict[str, Any]:
    """The REST shape of a list: `{"results": […], "next": url or null}`."""
    found = page(query, order=order, cursor=request.GET.get("cursor"), limit=limit_of(request.GET))
    return {"results": [render(row) for row in found.rows], "next": next_url(request, found.next)}


def next_url(request: HttpRequest, cursor: str | None) -> str | None:
    """The present address with the next page's cursor."""
    if cursor is None:
        return None
    params = request.GET.copy()
    params["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{params.urlencode()}")
