"""Plots as values: numbers that stand in a table, and how they are drawn from it, as Vega-Lite. No rows are read here.

Browser and files draw the same specification, so its colors are the names of the design's own: the browser looks them
up in `static/css/tokens.css`, light or dark, and `labeling.drawing` puts the light ones into files.

    Plot("lengths", _("Tokens of a text"), {"length": Column(_("Tokens")), "texts": Column(_("Texts"), "count")},
         rows, bars("length", "texts"))
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils import dates, formats
from django.utils.translation import pgettext

Kind = Literal["text", "count", "score", "share", "number", "seconds", "day"]
Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 640  # of a file, in pixels; on a page a plot is as wide as its place
BAR = 20  # pixels of one bar among many
_FORMATS = {"count": ",d", "score": ".3f", "share": ".1%", "number": ",.2~f", "seconds": ",.1~f"}
_AXIS_FORMATS = {**_FORMATS, "score": ".2~f", "share": ".0%"}
_SERIES = [f"var(--plot-{number})" for number in range(1, 7)]
SERIES_MAX = len(_SERIES)
_STRONG = "var(--line-strong)"
_TEXTS = {"labelColor": "var(--ink-soft)", "titleColor": "var(--ink-soft)"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the numbers: its heading, and how they are written."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot; `columns` name what of each row the table and the file of numbers show."""

    name: str  # in addresses and names of files
    title: str
    columns: Mapping[str, Column]
    rows: Sequence[Mapping[str, Any]]
    drawing: Mapping[str, Any]  # Vega-Lite without data
    note: str = ""
    height: int = 0  # pixels that its place on a page keeps free

    def spec(self, width: int | Literal["container"] = "container") -> Spec:
        """The whole specification."""
        spec = {
            "$schema": SCHEMA,
            "description": self.title,
            "config": config(),
            "width": width,
            "data": {"values": [dict(row) for row in self.rows]},
            **self.drawing,
        }
        shown = spec.get("encoding", {})
        if isinstance(height := spec.get("height"), dict) and "width" not in self.drawing:  # bars: so high in all
            spec["height"] = height["step"] * len({row[shown["y"]["field"]] for row in self.rows})
        return spec if "tooltip" in shown else spec | {"encoding": {**shown, "tooltip": self._tooltip()}}

    def _tooltip(self) -> list[Spec]:
        return [encoded(name, column.kind, title=column.title) for name, column in self.columns.items()]

    def csv(self) -> str:
        """The numbers for other programs: the columns' own names, unrounded, with a point."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_plain(row.get(name)) for name in self.columns] for row in self.rows)
        return out.getvalue()


def _plain(value: Any) -> Any:
    """Texts that a spreadsheet would take for a formula become texts again."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def written(value: float, digits: int) -> str:
    """A number in the active language, rounded to so many digits, where Django alone would cut the others off."""
    return formats.number_format(round(value, digits), digits, force_grouping=True)


def encoded(name: str, kind: Kind = "text", **more: Any) -> Spec:
    """A field as Vega-Lite takes it, in the type and format of its kind; a day is one in UTC, whoever looks."""
    if kind == "text":
        return {"field": name, "type": "nominal", **more}
    if kind == "day":
        return {"field": name, "type": "temporal", "timeUnit": "utcyearmonthdate", "format": day_format(), **more}
    return {"field": name, "type": "quantitative", "format": _FORMATS[kind], **more}


def day_format() -> str:
    """A day within a year in the active language, as d3-time-format takes it."""
    return pgettext("format of a day: %b is the month's name, %-m its number, %-d the day's", "%b %-d")


def axis(name: str, kind: Kind = "text", *, title: str | None = "", **more: Any) -> Spec:
    """A field on an axis; `more` goes beside it, what it holds under `axis` into the axis."""
    spec = encoded(name, kind)
    looks = {"title": title or None, **more.pop("axis", {})}
    if spec.pop("format", None) and kind in _AXIS_FORMATS:
        looks = {"format": _AXIS_FORMATS[kind], "tickCount": 5} | looks
    return {**spec, "axis": looks, **more}


SHARE = {"domain": [0, 1]}  # the scale of an axis from none to all


def bars(category: str, value: str, kind: Kind = "count", *, title: str = "", **more: Any) -> Spec:
    """A bar per row from left to right, in the rows' own order; `more` are further channels."""
    return {
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "height": {"step": BAR},
        "encoding": {
            "y": axis(category, sort=None),
            "x": axis(value, kind, title=title),
            **more,
        },
    }


def series(name: str, names: Sequence[str], colors: Sequence[str] = _SERIES) -> Spec:
    """A color for each of a few series, in a fixed order."""
    return {
        "field": name,
        "type": "nominal",
        "sort": list(names),
        "scale": {"domain": list(names), "range": [colors[at % len(colors)] for at in range(len(names))]},
        "legend": {"title": None},
    }


def bars_height(rows: int) -> int:
    """How high `rows` bars are, with axis and legend."""
    return rows * BAR + 30


def config() -> Spec:
    """How all plots look, and how they write numbers and days in the reader's language."""
    return {
        "background": "transparent",
        "font": "sans-serif",
        "padding": 4,
        "locale": locale(),
        "view": {"stroke": None},
        "axis": {
            **_TEXTS, "gridColor": "var(--line)", "domainColor": _STRONG, "tickColor": _STRONG,
            "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelLimit": 140,
        },
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleX": 0, "titleY": -8, "titleBaseline": "bottom"},
        "axisBand": {"domain": False, "ticks": False, "grid": False},
        "legend": {
            **_TEXTS, "orient": "top", "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
            "symbolType": "square", "offset": 22, "labelLimit": 160, "columns": 4,
        },
        "range": {"category": _SERIES},
        "bar": {"color": _SERIES[0], "stroke": "var(--surface)", "strokeWidth": 0.5},
        "line": {"color": _SERIES[0], "strokeWidth": 2},
        "point": {"color": _SERIES[0], "filled": True, "size": 50},
        "area": {"color": _SERIES[1], "opacity": 0.15},
        "rect": {"color": _SERIES[0]},
        "rule": {"color": _STRONG},
        "text": {"color": "var(--ink)", "fontSize": 11},
    }  # fmt: skip


def locale() -> Spec:
    """How the active language writes numbers and days, as d3-format and d3-time-format take it."""
    grouping = formats.get_format("NUMBER_GROUPING")
    day, time = "%Y-%m-%d", "%H:%M"
    return {
        "number": {
            "decimal": str(formats.get_format("DECIMAL_SEPARATOR")),
            "thousands": str(formats.get_format("THOUSAND_SEPARATOR")),
            "grouping": [grouping if isinstance(grouping, int) and grouping > 0 else 3],
            "currency": ["", ""],
        },
        "time": {
            "dateTime": f"{day} {time}",
            "date": day,
            "time": time,
            "periods": ["AM", "PM"],
            # Django's weeks begin on Monday, those of d3 on Sunday.
            "days": [str(dates.WEEKDAYS[at]) for at in (6, 0, 1, 2, 3, 4, 5)],
            "shortDays": [str(dates.WEEKDAYS_ABBR[at]) for at in (6, 0, 1, 2, 3, 4, 5)],
            "months": [str(dates.MONTHS[at]) for at in range(1, 13)],
            "shortMonths": [str(dates.MONTHS_3[at]).capitalize() for at in range(1, 13)],
        },
    }
