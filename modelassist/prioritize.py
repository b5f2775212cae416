"""Puts the queue of training documents in the order of the project's query strategy.

Only pending documents of `train` are touched: held-out ones keep the random order that they were born with,
so that no model chooses its own exam.
"""

from django.db import connection, transaction

from labeling.access import Person
from labeling.errors import Invalid
from labeling.events import record
from labeling.models import Project
from modelassist.models import ModelVersion
from modelassist.strategies import STRATEGIES

RANDOM = "random"
KNOWN = (RANDOM, *STRATEGIES)

_BY_SCORE = """
UPDATE labeling_document AS document SET priority = (uncertainty.scores ->> %(strategy)s)::float8
  FROM modelassist_uncertainty AS uncertainty
 WHERE uncertainty.model_id = %(model)s AND document.id = uncertainty.document_id
   AND document.project_id = %(project)s AND document.split = 'train'
   AND document.status = 'pending' AND document.archived_at IS NULL"""
_AT_RANDOM = """
UPDATE labeling_document SET priority = random()
 WHERE project_id = %(project)s AND split = 'train' AND status = 'pending' AND archived_at IS NULL"""


def require_known(strategy: str) -> None:
    """Raise `Invalid` unless it is a query strategy."""
    if strategy not in KNOWN:
        message = f"The project's query strategy {strategy!r} is not known; choose from {', '.join(KNOWN)}."
        raise Invalid(message, code="unknown_strategy", details={"field": "query_strategy"})


@transaction.atomic
def apply(project: Project, model: ModelVersion, user: Person | None = None) -> int:
    """Order the queue by how unsure `model` was; gives the number of documents."""
    require_known(project.query_strategy)
    values: dict[str, int | str] = {"project": project.pk, "model": model.pk, "strategy": project.query_strategy}
    with connection.cursor() as cursor:
        cursor.execute(_AT_RANDOM if project.query_strategy == RANDOM else _BY_SCORE, values)
        count: int = cursor.rowcount
    data = {"strategy": project.query_strategy, "model": model.pk, "documents": count}
    record(project, user, "queue.prioritized", data=data)
    return count
