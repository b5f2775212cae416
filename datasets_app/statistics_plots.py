"""The plots of what a project's gold is like, from the counts that are kept of it: no rows are read here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from labeling import progress_plots, words
from labeling.plots import Column, Plot, bars, bars_height, series

Counts = Mapping[str, Any]


def of_statistics(found: Counts, colors: Mapping[str, str]) -> list[Plot]:
    """All of them, from `Statistics.as_json` and the color of each label; those without a number are left out."""
    labels = sorted(found["labels"], key=lambda one: -one["spans"])
    scripts = ((str(words.VALUES.get(row["script"], row["script"])), row["texts"]) for row in found["scripts"])
    made = [
        progress_plots.labels({one["label"]: one["spans"] for one in labels}, colors),
        repetition(labels),
        _classes("lengths", _("Tokens of a text"), found["lengths"]),
        _classes("entities", _("Entities of a text"), found["entities_per_text"]),
        _counted("span-tokens", _("Tokens of a span"), _("Spans"), found["span_tokens"].items()),
        _counted("scripts", _("Scripts"), _("Texts"), scripts),
    ]
    return [plot for plot in made if plot.rows]


def repetition(labels: Sequence[Counts]) -> Plot:
    """How many different surfaces each label has, and how many of them were seen once."""
    kinds = {"again": _("seen more than once"), "once": _("seen once")}
    columns = {"label": Column(_("Label")), "kind": Column(_("Surfaces")), "surfaces": Column(_("Number"), "count")}
    rows = [
        {"label": one["label"], "kind": kinds[kind], "surfaces": count, "place": place}
        for one in labels
        for place, (kind, count) in enumerate({"again": one["surfaces"] - one["once"], "once": one["once"]}.items())
    ]
    drawing = bars(
        "label", "surfaces", title=_("Surfaces"), color=series("kind", list(kinds.values())),
        order={"field": "place", "type": "quantitative"},
    )  # fmt: skip
    note = _("Many that were seen once: the label names new things, and more texts will bring more of them.")
    return Plot("surfaces", _("Surfaces by label"), columns, rows, drawing, note, bars_height(len(labels)))


def _classes(name: str, title: str, classes: Sequence[Counts]) -> Plot:
    last = max((at for at, one in enumerate(classes) if one["texts"]), default=-1)
    return _counted(name, title, _("Texts"), ((_range(one), one["texts"]) for one in classes[: last + 1]))


def _range(one: Counts) -> str:
    if one["to"] is None:
        return _("%(number)s and more") % {"number": one["from"]}
    return f"{one['from']}" if one["to"] == one["from"] else f"{one['from']}–{one['to']}"


def _counted(name: str, title: str, of: str, pairs: Iterable[tuple[str, int]]) -> Plot:
    """A bar for each value, in the order in which they are given."""
    rows = [{"value": value, "count": count} for value, count in pairs]
    columns = {"value": Column(title), "count": Column(of, "count")}
    drawing = bars("value", "count", title=of)
    return Plot(name, title, columns, rows, drawing, height=bars_height(len(rows)))
