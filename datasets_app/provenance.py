"""How the gold of a version was made: by how many people, how far they agree, what became of suggestions; lengths."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from django.db import connection

from labeling import bio

_PEOPLE = """
SELECT count(DISTINCT gold.annotator_id), count(DISTINCT gold.accepted_by_id), coalesce(sum(gold.seconds), 0),
       count(*) FILTER (WHERE gold.suggested_by <> ''),
       coalesce(sum((gold.suggestion_use->>'kept')::int), 0), coalesce(sum((gold.suggestion_use->>'edited')::int), 0),
       coalesce(sum((gold.suggestion_use->>'rejected')::int), 0), coalesce(sum((gold.suggestion_use->>'drawn')::int), 0)
  FROM datasets_app_versionitem AS item
  JOIN labeling_annotation AS gold ON gold.document_id = item.document_id AND gold.accepted
 WHERE item.version_id = %s
"""
_SEVERAL = """
SELECT jsonb_agg(to_jsonb(annotation.tags) ORDER BY annotation.id)::text
  FROM datasets_app_versionitem AS item
  JOIN labeling_annotation AS annotation
    ON annotation.document_id = item.document_id AND annotation.state = 'submitted'
 WHERE item.version_id = %s GROUP BY item.document_id HAVING count(*) > 1
"""


def provenance(version_id: int) -> dict[str, Any]:
    """`{people, reviewers, seconds, suggestions: {texts, kept, edited, rejected, drawn}, agreement}` of a version now.

    `agreement` is the F1 of exact spans between each two people who labeled one text: `{texts, pairs, f1}`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [version_id])
        people, reviewers, seconds, suggested, kept, edited, rejected, drawn = cursor.fetchone()
    return {
        "people": people,
        "reviewers": reviewers,
        "seconds": round(seconds),
        "suggestions": {"texts": suggested, "kept": kept, "edited": edited, "rejected": rejected, "drawn": drawn},
        "agreement": _agreement(version_id),
    }


def _agreement(version_id: int) -> dict[str, Any]:
    counted = Counter(texts=0, pairs=0, shared=0, spans=0)
    for annotations in _labeled_by_several(version_id):
        counted["texts"] += 1
        for one, other in combinations([set(bio.spans(tags)) for tags in annotations], 2):
            counted.update(pairs=1, shared=2 * len(one & other), spans=len(one) + len(other))
    f1 = counted["shared"] / counted["spans"] if counted["spans"] else None
    return {"texts": counted["texts"], "pairs": counted["pairs"], "f1": None if f1 is None else round(f1, 4)}


def _labeled_by_several(version_id: int) -> Iterator[list[list[str]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SEVERAL, [version_id])
        for (tags,) in cursor:
            yield json.loads(tags)


def lengths(counted: Mapping[int, int]) -> dict[str, Any]:
    """`{least, mean, median, p90, most}` tokens of a text, from how many texts have how many."""
    texts = sum(counted.values())
    if not texts:
        return {"least": 0, "mean": 0, "median": 0, "p90": 0, "most": 0}
    mean = sum(length * count for length, count in counted.items()) / texts
    shares = {"median": 0.5, "p90": 0.9}
    found = {name: _quantile(counted, share * texts) for name, share in shares.items()}
    return {"least": min(counted), "mean": round(mean, 2), **found, "most": max(counted)}


def _quantile(counted: Mapping[int, int], rank: float) -> int:
    passed = 0
    for length in sorted(counted):
        passed += counted[length]
        if passed >= rank:
            return length
    raise AssertionError("the rank lies beyond all texts")
