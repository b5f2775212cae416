"""Plots of trained models, made from the figures that are kept with each: no rows are read here."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from django.utils.translation import gettext as _

from labeling import bio, words
from labeling.plots import BAR, SHARE, Column, Plot, Spec, axis, bars_height, encoded, series, written
from modelassist.forecast import Forecast, Point
from modelassist.report import NONE

LEARNING_CURVE = "learning-curve"
SPLITS = ("test", "validation")
HEIGHT = 220
_SQUARE = 260  # pixels of both sides of a plot of shares by shares
_CELL, _SMALL_CELL, _MANY = 34, 16, 16  # pixels of a cell of the confusion; with more labels cells are small
_UPRIGHT = {"titleAngle": -90, "titleAlign": "center", "titleX": None, "titleY": None}  # where labels stand on top
_Z = 1.96


def of_model(labels: Sequence[str], metrics: Mapping[str, Any]) -> list[Plot]:
    """All plots of a model, from its tag names and its metrics; those made before a figure was there lack its plot."""
    found = [training(metrics.get("curve") or [])]
    for split in SPLITS:
        if metrics.get(split):
            found += of_exam(split, labels, metrics[split])
    return [plot for plot in found if plot.rows]


def of_exam(split: str, tags: Sequence[str], result: Mapping[str, Any]) -> list[Plot]:
    """The plots of one held-out split."""
    labels = list(dict.fromkeys(bio.label_of(tag) for tag in tags if tag != bio.OUTSIDE))
    found = [label_scores(split, labels, result)]
    if "confusion" in result:
        found += [confusion(split, labels, result), precision_recall(split, result), reliability(split, result)]
    return found


def training(curve: Sequence[Mapping[str, Any]]) -> Plot:
    """Loss and F1 on validation by epoch, each on its own axis; from rows of `{epoch, loss, f1}`."""
    columns = {"epoch": Column(_("Epoch"), "count"), "loss": Column(_("Loss"), "score")}
    if any(row["f1"] is not None for row in curve):  # else no text of validation was there to judge it on
        columns["f1"] = Column(_("F1 on validation"), "score")
    measures = list(columns)[1:]
    names = [columns[name].title for name in measures]
    layers = [_line(name, number, names) for number, name in enumerate(measures)]
    drawing = {
        "height": HEIGHT,
        "encoding": {"x": axis("epoch", "count", title=_("Epoch"), axis={"tickMinStep": 1, "grid": False})},
        "layer": layers,
        "resolve": {"scale": {"y": "independent"}},
    }
    rows = [{name: row[name] for name in columns} for row in curve]
    return Plot("training", _("Training"), columns, rows, drawing, height=HEIGHT + 60)


def _line(name: str, number: int, names: Sequence[str]) -> Spec:
    """One of the two lines, with its axis on the left or the right."""
    looks = {"grid": not number, "orient": ("left", "right")[number]}
    return {
        "transform": [{"calculate": _quoted(names[number]), "as": "line"}],
        "mark": {"type": "line", "point": True, "strokeDash": ([1, 0], [5, 3])[number]},
        "encoding": {
            "y": axis(name, "score", title=names[number], axis=looks, **({"scale": SHARE} if number else {})),
            "color": series("line", names),
        },
    }


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def label_scores(split: str, labels: Sequence[str], result: Mapping[str, Any]) -> Plot:
    """F1 of each label with its interval, and of all together."""
    columns = {
        "label": Column(_("Label")),
        "precision": Column(_("Precision"), "score"),
        "recall": Column(_("Recall"), "score"),
        "f1": Column(_("F1"), "score"),
        "low": Column(_("from"), "score"),
        "high": Column(_("to"), "score"),
        "support": Column(_("Spans"), "count"),
    }
    intervals = result.get("intervals") or {}
    named = [(label, label) for label in labels if label in result["labels"]]
    rows = []
    for key, name in [*named, ("micro", _("all"))]:
        scores = result["micro"] if key == "micro" else result["labels"][key]
        low, high = intervals.get(key, {}).get("f1", (None, None))
        shown = {measure: scores[measure] for measure in ("precision", "recall", "f1", "support")}
        rows.append({"label": name, **shown, "low": low, "high": high})
    drawing = {
        "height": {"step": BAR},
        "encoding": {"y": axis("label", sort=None)},
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}}, "encoding": {"x": axis("f1", "score", scale=SHARE)}},
            {
                "mark": {"type": "rule", "color": "var(--ink)", "strokeWidth": 1.5},
                "encoding": {"x": encoded("low", "score"), "x2": {"field": "high"}},
            },
        ],
    }
    title = _("F1 by label on %(split)s") % {"split": words.VALUES[split]}
    note = _("Bars: F1 of exactly matched entities. Lines: its 95-percent interval (bootstrap over texts).")
    return Plot(f"{split}-labels", title, columns, rows, drawing, note if intervals else "", bars_height(len(rows)))


def confusion(split: str, labels: Sequence[str], result: Mapping[str, Any]) -> Plot:
    """What is taken for what: a cell for each pair of gold and predicted label that occurs, as dark as its share."""
    columns = {
        "gold": Column(_("Gold")),
        "predicted": Column(_("Predicted")),
        "count": Column(_("Spans"), "count"),
        "share": Column(_("Share of gold"), "share"),
    }
    nothing = _("no entity")
    totals: dict[str, int] = {}
    for row in result["confusion"]:
        totals[row["gold"]] = totals.get(row["gold"], 0) + row["count"]
    rows = [
        {
            "gold": row["gold"] if row["gold"] != NONE else nothing,
            "predicted": row["predicted"] if row["predicted"] != NONE else nothing,
            "count": row["count"],
            "share": row["count"] / totals[row["gold"]],
        }
        for row in result["confusion"]
    ]
    names = [*labels, nothing]
    many = len(names) > _MANY
    cell = _SMALL_CELL if many else _CELL
    scale = {"domain": names}
    shade = {**encoded("share", "share"), "scale": {"domain": [0, 1], "range": [0.06, 0.55]}, "legend": None}
    layers: list[Spec] = [{"mark": {"type": "rect", "stroke": "var(--line)"}, "encoding": {"opacity": shade}}]
    if not many:
        layers.append({"mark": "text", "encoding": {"text": encoded("count", "count")}})
    drawing = {
        "width": {"step": cell + 10 * (not many)},
        "height": {"step": cell},
        "encoding": {
            "y": axis("gold", title=_("Gold"), sort=None, scale=scale, axis=_UPRIGHT),
            "x": axis(
                "predicted", title=_("Predicted"), sort=None, axis={"labelAngle": -45, "orient": "top"}, scale=scale
            ),
        },
        "layer": layers,
    }
    title = _("What is taken for what, on %(split)s") % {"split": words.VALUES[split]}
    note = _(
        "Rows: what is right. Columns: what was predicted. The stronger the color, the larger the share of its row."
    )
    return Plot(f"{split}-confusion", title, columns, rows, drawing, note, len(names) * cell + 70)


def precision_recall(split: str, result: Mapping[str, Any]) -> Plot:
    """Precision by recall, as only entities at least so confident are taken."""
    columns = {
        "threshold": Column(_("Confidence at least"), "score"),
        "precision": Column(_("Precision"), "score"),
        "recall": Column(_("Recall"), "score"),
    }
    drawing = {
        "height": _SQUARE,
        "mark": {"type": "line", "point": {"size": 25}},
        "encoding": {
            "x": axis("recall", "score", title=_("Recall"), scale=SHARE),
            "y": axis("precision", "score", title=_("Precision"), scale=SHARE),
            "order": {"field": "threshold", "type": "quantitative"},
        },
    }
    rows = [{name: row[name] for name in columns} for row in result["precision_recall"]]
    title = _("Precision and recall on %(split)s") % {"split": words.VALUES[split]}
    note = _("If only entities above a calibrated confidence are taken: each point is one confidence.")
    return Plot(f"{split}-precision-recall", title, columns, rows, drawing, note, _SQUARE + 60)


def reliability(split: str, result: Mapping[str, Any]) -> Plot:
    """How often entities predicted with some confidence are right; on the diagonal confidence can be believed."""
    columns = {
        "from": Column(_("Confidence from"), "score"),
        "to": Column(_("to"), "score"),
        "spans": Column(_("Spans"), "count"),
        "confidence": Column(_("Mean confidence"), "share"),
        "right": Column(_("Right"), "share"),
        "low": Column(_("Right, from"), "share"),
        "high": Column(_("Right, to"), "share"),
    }
    rows = []
    for row in result["calibration"]["spans"]["bins"]:
        if row["count"]:
            low, high = wilson(row["accuracy"], row["count"])
            rows.append(
                {"from": row["low"], "to": row["high"], "spans": row["count"], "confidence": row["confidence"],
                 "right": row["accuracy"], "low": low, "high": high}
            )  # fmt: skip
    across = axis("confidence", "share", title=_("Confidence"), scale=SHARE)
    up = axis("right", "share", title=_("Right"), scale=SHARE)
    drawing = {
        "height": _SQUARE,
        "layer": [
            {
                "data": {"values": [{"confidence": 0, "right": 0}, {"confidence": 1, "right": 1}]},
                "mark": {"type": "line", "color": "var(--line-strong)", "strokeDash": [4, 4], "strokeWidth": 1},
                "encoding": {"x": across, "y": up, "tooltip": {"value": None}},
            },
            {"mark": "rule", "encoding": {"x": across, "y": encoded("low", "share"), "y2": {"field": "high"}}},
            {"mark": {"type": "line", "point": True}, "encoding": {"x": across, "y": up}},
        ],
    }
    title = _("Confidence and truth on %(split)s") % {"split": words.VALUES[split]}
    calibration = result["calibration"]
    note = _(
        "Share of right spans by their confidence, with its 95-percent interval. Expected calibration error:"
        " %(spans)s for spans, %(tokens)s for tokens."
    ) % {name: written(calibration[name]["ece"], 3) for name in ("spans", "tokens")}
    return Plot(f"{split}-reliability", title, columns, rows, drawing, note, _SQUARE + 60)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count` draws (Wilson 1927)."""
    spread = _Z * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    middle, whole = share + _Z**2 / (2 * count), 1 + _Z**2 / count
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def learning_curve(points: Sequence[Point], ahead: Sequence[Forecast]) -> Plot:
    """F1 over labels: each model with its interval, and the forecast with its band."""
    columns = {
        "of": Column(_("Of")),
        "labels": Column(_("Labeled spans"), "count"),
        "f1": Column(_("F1"), "score"),
        "low": Column(_("from"), "score"),
        "high": Column(_("to"), "score"),
    }
    rows: list[dict[str, Any]] = [
        {"of": point.name or _("model"), "labels": point.labels, "f1": point.f1, "ahead": False, **_between(point)}
        for point in points
    ]
    rows += [
        {"of": _("forecast"), "labels": each.labels, "f1": each.f1, "ahead": True, "low": each.low, "high": each.high}
        for each in ahead
    ]
    x = axis("labels", "count", title=_("Labeled spans of the training texts"))
    y = axis("f1", "score", title=_("F1"), scale=SHARE)
    band = {"y": encoded("low", "score", title=_("F1")), "y2": {"field": "high"}}
    drawing = {
        "height": HEIGHT,
        "encoding": {"x": x, "y": y},
        "layer": [
            {**_rows(ahead=True), "mark": "area", "encoding": band},
            {**_rows(ahead=True), "mark": {"type": "line", "color": "var(--plot-2)", "strokeDash": [5, 3]}},
            {**_rows(ahead=False), "mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": band},
            {**_rows(ahead=False), "mark": {"type": "point", "opacity": 1}},
        ],
    }
    note = _(
        "F1 on held-out texts with its 95-percent interval, by labeled spans of the training texts; dashed: the"
        " forecast. Models may have been judged on different held-out texts."
    )
    title = _("Learning curve")
    return Plot(LEARNING_CURVE, title, columns, rows, drawing, note, HEIGHT + 60)


def _rows(*, ahead: bool) -> Spec:
    return {"transform": [{"filter": "datum.ahead" if ahead else "!datum.ahead"}]}


def _between(point: Point) -> dict[str, float]:
    return {"low": max(0.0, point.f1 - _Z * point.error), "high": min(1.0, point.f1 + _Z * point.error)}
