"""Puts the queue of training documents in the order of the project's query strategy.

Only pending documents of `train` are touched: held-out ones keep the random order that they were born with,
so that no model chooses its own exam. A slice of the queue stays in random order, so that the strategy can be
judged; texts with rare labels may come sooner. Where texts are to be unlike each other, those of which the model is
least sure are spread out over what it makes of them, and near copies of earlier texts come last.
"""

from typing import Any

import numpy as np
from django.db import connection, transaction

from labeling.access import Person
from labeling.errors import Invalid
from labeling.events import record
from labeling.models import Project
from modelassist import diversity
from modelassist.assistance import assistance_of
from modelassist.models import ModelVersion
from modelassist.strategies import BALD, STRATEGIES

RANDOM = "random"
KNOWN = (RANDOM, *STRATEGIES, BALD)
CANDIDATES = 4_096  # the least sure texts, which are spread out; bounds the work whatever the project's size
SPREAD = 1_024  # of these stand in the order in which they were chosen to be unlike each other

_SCORED = """
  SELECT document.id AS document_id,
         coalesce(uncertainty.scores ->> %(strategy)s, uncertainty.scores ->> 'mnlp')::float8 AS score
    FROM modelassist_uncertainty AS uncertainty
    JOIN labeling_document AS document ON document.id = uncertainty.document_id
   WHERE uncertainty.model_id = %(model)s AND document.project_id = %(project)s AND document.split = 'train'
     AND document.status = 'pending' AND document.archived_at IS NULL"""
_LEAST_SURE = f"""
WITH scored AS ({_SCORED}
), least_sure AS (
  SELECT document_id, score, (SELECT count(*) FROM scored) AS total
    FROM scored LEFT JOIN datasets_app_duplicate AS duplicate USING (document_id)
   WHERE coalesce(duplicate.first_id, document_id) = document_id
   ORDER BY score DESC, document_id LIMIT %(candidates)s
)
SELECT document_id, score, vector, total
  FROM least_sure JOIN modelassist_uncertainty USING (document_id)
 WHERE model_id = %(model)s AND vector IS NOT NULL ORDER BY score DESC, document_id"""
# Which texts are in the random slice never changes: a slice drawn anew each time from what is left over would soon be
# one of easy texts, as those that a strategy likes are gone.
_IN_SLICE = "('x' || substr(md5(scored.document_id::text), 1, 7))::bit(28)::int < %(random)s * 268435456"
# Scores become places between 0 and 1, which random places of the random slice can be mixed with.
_BY_SCORE = f"""
WITH scored AS ({_SCORED}
), rare AS (
  SELECT label.name, 1 / sqrt(1.0 + count(gold.document_id)) AS rarity
    FROM labeling_label AS label LEFT JOIN (
         SELECT annotation.document_id, annotation.tags FROM labeling_annotation AS annotation
           JOIN labeling_document AS document ON document.id = annotation.document_id
          WHERE document.project_id = %(project)s AND annotation.accepted) AS gold
      ON gold.tags @> ARRAY['B-' || label.name]
   WHERE label.project_id = %(project)s AND %(boost)s > 0 GROUP BY label.name
), boosted AS (
  SELECT prediction.document_id, max(rare.rarity) AS rarity
    FROM rare JOIN labeling_prediction AS prediction ON prediction.tags @> ARRAY['B-' || rare.name]
   WHERE prediction.model = %(name)s AND prediction.document_id IN (SELECT document_id FROM scored)
   GROUP BY prediction.document_id
), placed AS (
  SELECT scored.document_id,
         slice.at_random,
         CASE WHEN slice.at_random THEN random()
              ELSE coalesce(spread.place, percent_rank() OVER (ORDER BY score)) * 0.999
                   + %(boost)s * coalesce(boosted.rarity, 0)
                   - (CASE WHEN %(diversity)s AND duplicate.first_id <> scored.document_id THEN 100 ELSE 0 END)
         END AS place
    FROM scored CROSS JOIN LATERAL (SELECT {_IN_SLICE} AS at_random) AS slice
    LEFT JOIN boosted USING (document_id)
    LEFT JOIN unnest(%(spread)s::bigint[], %(places)s::float8[]) AS spread (document_id, place) USING (document_id)
    LEFT JOIN datasets_app_duplicate AS duplicate ON duplicate.document_id = scored.document_id
)
UPDATE labeling_document AS document SET priority = placed.place, chosen = NOT placed.at_random
  FROM placed WHERE document.id = placed.document_id"""
_AT_RANDOM = """
UPDATE labeling_document SET priority = random(), chosen = false
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
    settings = assistance_of(project)
    values: dict[str, Any] = {
        "project": project.pk, "model": model.pk, "name": model.name, "strategy": project.query_strategy,
        "random": settings.random_share, "boost": settings.rare_label_boost, "diversity": settings.diversity,
        "spread": [], "places": [],
    }  # fmt: skip
    with connection.cursor() as cursor:
        if settings.diversity and project.query_strategy != RANDOM:
            cursor.execute(_LEAST_SURE, values | {"candidates": CANDIDATES})
            values |= _spread(cursor.fetchall(), seed=model.pk)
        cursor.execute(_AT_RANDOM if project.query_strategy == RANDOM else _BY_SCORE, values)
        count: int = cursor.rowcount
    data = {"strategy": project.query_strategy, "model": model.pk, "documents": count}
    record(project, user, "queue.prioritized", data=data)
    return count


def _spread(rows: list[tuple[int, float, bytes, int]], *, seed: int) -> dict[str, Any]:
    """The least sure texts, `(document, score, vector, all)` by score, on the same places in another order."""
    if not rows:
        return {}
    documents, scores, vectors, totals = zip(*rows, strict=True)
    order = diversity.spread(diversity.from_bytes(list(vectors)), np.array(scores), SPREAD, seed=seed)
    places = 1 - np.arange(len(rows)) / totals[0]
    return {"spread": [documents[at] for at in order], "places": places.tolist()}
