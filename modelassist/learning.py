"""What the project's models have learned so far: the headline of each against the gold that it was trained on."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from labeling.access import events_of
from labeling.models import Project
from modelassist.access import trained_of
from modelassist.assistance import assistance_of
from modelassist.forecast import DOUBT, Point, advice, forecast, saved

_WIDTH = 3.92  # of a 95 % interval, in standard errors
AHEAD = (1.0, 1.25, 1.5, 1.75, 2.0)  # times the labels of today, of the drawn forecast


def curve(project: Project) -> list[dict[str, Any]]:
    """A point per model, oldest first: documents and spans of its train split, and its F1 on held-out ones."""
    points = []
    for model in trained_of(project).order_by("number"):
        train = model.dataset_version.counts["splits"]["train"]
        points.append(
            {
                "model": model.pk,
                "number": model.number,
                "state": model.state,
                "documents": train["documents"],
                "spans": train["spans"],
                "evaluated_on": model.metrics.get("evaluated_on"),
                "f1": (model.metrics.get("micro") or {}).get("f1"),
                "created_at": model.created_at,
            }
        )
    return points


def outlook(project: Project) -> dict[str, Any]:
    """The curve over labeled spans with intervals, its forecast, what choosing saved, and advice."""
    found = _points(project)
    points = [point for point, _ in found]
    most = max((point.labels for point in points), default=0)
    ahead = forecast(points, [round(most * factor) for factor in AHEAD]) if most else []
    return {"points": points, "forecast": ahead, "advice": advice(points), "saved": _saved(project, found)}


def _points(project: Project) -> list[tuple[Point, datetime]]:
    """F1 of each judged model, oldest first, with the time of its data; only what is needed of its metrics is read."""
    rows = trained_of(project).filter(metrics__micro__f1__isnull=False).order_by("number")
    found = []
    for number, on, f1, test, validation, train, at in rows.values_list(
        "number", "metrics__evaluated_on", "metrics__micro__f1", "metrics__test__intervals__micro__f1",
        "metrics__validation__intervals__micro__f1", "dataset_version__counts__splits__train__spans",
        "dataset_version__created_at",
    ):  # fmt: skip
        interval = {"test": test, "validation": validation}.get(on)
        error = (interval[1] - interval[0]) / _WIDTH if interval else DOUBT
        found.append((Point(train, f1, error, f"model-{number}"), at))
    return found


def _saved(project: Project, found: Sequence[tuple[Point, datetime]]) -> dict[str, Any]:
    """How many labels the query strategy saved: `{kind, random, share, labels?, f1?, needed?, low?, high?}`.

    How random order goes is known from `control`: models of the random slice alone. A text that was labeled before
    the queue was ever ordered by a strategy came in random order too, and so did all texts of a model of that time.
    `kind`: `unordered`, `no_model` and `too_few` say why it cannot be told, `saved` and `unclear` tell it.
    """
    ordered = events_of(project).filter(verb="queue.prioritized").exclude(data__strategy="random").order_by("id")
    began = ordered.values_list("created_at", flat=True).first()
    if began is None:
        return {"kind": "unordered"}
    at_random = [p for p, at in found if at < began] + _controls(project)
    chosen = [p for p, at in found if at >= began]
    if not chosen:
        return {"kind": "no_model"}
    told = saved(at_random, max(chosen, key=lambda point: point.labels))
    share = assistance_of(project).random_share
    if told is None:
        return {"kind": "too_few", "random": len({point.labels for point in at_random}), "share": share}
    clear = told.low is None or told.low > told.labels
    return {"kind": "saved" if clear else "unclear", "random": len(at_random), "share": share, **asdict(told)}


def _controls(project: Project) -> list[Point]:
    """Models of only those texts that came in random order."""
    rows = trained_of(project).filter(metrics__control__spans__isnull=False).values_list("metrics__control", flat=True)
    return [Point(row["spans"], row["f1"], (row["interval"][1] - row["interval"][0]) / _WIDTH) for row in rows]
