"""Retraining by night: every project whose hour has come and that had enough newly accepted documents by then.

A night that was missed, because nothing ran at the hour, is caught up once: what counts is the last hour that has
passed, not the hour that it is.
"""

import logging
from datetime import UTC, datetime, timedelta

from django.db.models import Case, Count, DateTimeField, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from datasets_app.models import Job
from labeling.errors import GoldsetError
from labeling.models import Annotation, Project, Split
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
    for project in _due(now):
        key = f"retrain:{project.pk}:{last_hour(now, project.retrain_hour):%Y-%m-%d}"
        if Job.objects.filter(dedupe_key=key).exists():
            continue
        try:
            queued.append(runs.start(project, None, then_predict=True, dedupe_key=key))
        except GoldsetError as error:
            logger.warning("no nightly training of %s: %s", project.slug, error.message)
        except Exception:  # the boundary between projects
            logger.exception("no nightly training of %s", project.slug)
    return queued


def last_hour(now: datetime, hour: int) -> datetime:
    """When it was that hour last, up to now."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def _due(now: datetime) -> QuerySet[Project]:
    """The projects with enough accepted, by the end of their last hour, since their last model's data were frozen."""
    models = ModelVersion.objects.filter(project=OuterRef("pk"), kind=ModelVersion.Kind.TRAINING).order_by("-number")
    ends = [When(retrain_hour=hour, then=Value(last_hour(now, hour) + timedelta(hours=1))) for hour in range(24)]
    accepted = Annotation.objects.filter(
        document__project=OuterRef("pk"), document__archived_at=None, accepted=True, accepted_at__lt=OuterRef("end")
    )
    fresh = accepted.filter(accepted_at__gt=OuterRef("frozen_at")).order_by()
    counted = fresh.values("document__project").annotate(count=Count("pk")).values("count")
    return (
        Project.objects.filter(trashed_at=None, retrain_min_new__gt=0)
        .annotate(end=Case(*ends, output_field=DateTimeField()))
        .annotate(frozen_at=Coalesce(Subquery(models.values("dataset_version__created_at")[:1]), Value(_BEGINNING)))
        .annotate(fresh=Subquery(counted))
        .filter(Exists(accepted.filter(document__split=Split.TRAIN)), fresh__gte=F("retrain_min_new"))
        .order_by("id")
    )
