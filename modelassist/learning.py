"""What the project's models have learned so far: the headline of each against the gold that it was trained on."""

from typing import Any

from labeling.models import Project
from modelassist.access import trained_of
from modelassist.forecast import DOUBT, Point, advice, forecast
from modelassist.models import ModelVersion

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
    """The curve over labeled spans with intervals, its forecast, and advice, for the project's page."""
    judged = [model for model in trained_of(project).order_by("number") if model.metrics.get("micro")]
    points = [_point(model) for model in judged]
    most = max((point.labels for point in points), default=0)
    ahead = forecast(points, [round(most * factor) for factor in AHEAD]) if most else []
    return {"points": points, "forecast": ahead, "advice": advice(points)}


def _point(model: ModelVersion) -> Point:
    """F1 on the held-out documents; its error from the bootstrap interval where the model has one."""
    labels = model.dataset_version.counts["splits"]["train"]["spans"]
    result = model.metrics.get(model.metrics["evaluated_on"]) or {}
    interval = result.get("intervals", {}).get("micro", {}).get("f1")
    f1 = model.metrics["micro"]["f1"]
    return Point(labels, f1, (interval[1] - interval[0]) / 3.92 if interval else DOUBT, model.name)
