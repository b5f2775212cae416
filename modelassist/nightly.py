"""Retraining by night: every project whose hour it is and that has enough newly accepted documents."""

import logging
from datetime import UTC, datetime

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from datasets_app.models import Job
from labeling.errors import GoldsetError
from labeling.models import Annotation, Project
from modelassist import runs
from modelassist.models import ModelVersion

logger = logging.getLogger(__name__)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def retrain_if_due(now: datetime | None = None) -> list[Job]:
    """Queue a training for each project that is due; gives the jobs. Once a night each, however often it is called.

    A project that cannot be trained does not keep the others from it.
    """
    now = timezone.localtime(now)
    queued = []
    for project in _due(now.hour):
        key = f"retrain:{project.pk}:{now:%Y-%m-%d}"
        if Job.objects.filter(dedupe_key=key).exists():
            continue
        try:
            queued.append(runs.start(project, None, then_predict=True, dedupe_key=key))
        except GoldsetError as error:
            logger.warning("no nightly training of %s: %s", project.slug, error.message)
        except Exception:  # the boundary between projects
            logger.exception("no nightly training of %s", project.slug)
    return queued


def _due(hour: int) -> QuerySet[Project]:
    """The projects of this hour with enough documents accepted since their last model's data was frozen."""
    models = ModelVersion.objects.filter(project=OuterRef("pk"), kind=ModelVersion.Kind.TRAINING).order_by("-number")
    accepted = Annotation.objects.filter(
        document__project=OuterRef("pk"),
        document__archived_at=None,
        accepted=True,
        accepted_at__gt=OuterRef("frozen_at"),
    )
    fresh = accepted.order_by().values("document__project").annotate(count=Count("pk")).values("count")
    return (
        Project.objects.filter(trashed_at=None, retrain_hour=hour, retrain_min_new__gt=0)
        .annotate(frozen_at=Coalesce(Subquery(models.values("dataset_version__created_at")[:1]), Value(_BEGINNING)))
        .annotate(fresh=Subquery(fresh))
        .filter(fresh__gte=F("retrain_min_new"))
        .order_by("id")
    )
