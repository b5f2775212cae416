"""What the project's models have learned so far: the headline of each against the gold that it was trained on."""

from typing import Any

from labeling.models import Project
from modelassist.access import models_of


def curve(project: Project) -> list[dict[str, Any]]:
    """A point per model, oldest first: documents and spans of its train split, and its F1 on held-out ones."""
    points = []
    for model in models_of(project).select_related("dataset_version").order_by("number"):
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
