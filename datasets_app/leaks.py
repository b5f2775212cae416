"""What of one split stands in another: texts that are the same or nearly so, and the surfaces of entities.

A model that has seen a test text in training, or its names, is examined on what it knows by heart. Duplicates
are those that `grouping` found; what is the same but for case, blanks and Unicode forms counts as the same.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from datasets_app import splits
from datasets_app.records import Gold
from labeling import bio
from labeling.models import Project, Split

EXAMPLES = 20

_OF_VERSION = """
SELECT twin.first_id, twin.digest, item.split, item.document_id
  FROM datasets_app_versionitem AS item JOIN datasets_app_duplicate AS twin ON twin.document_id = item.document_id
 WHERE item.version_id = %s
"""
_OF_PROJECT = """
SELECT twin.first_id, twin.digest, document.split, document.id AS document_id
  FROM datasets_app_duplicate AS twin JOIN labeling_document AS document ON document.id = twin.document_id
 WHERE twin.project_id = %s AND document.archived_at IS NULL
"""
# Counted by text and by group first: a group of n texts would have n² pairs.
_TEXTS = """
WITH member AS ({members}),
same AS (SELECT first_id, digest, split, count(*) AS texts FROM member GROUP BY first_id, digest, split),
alike AS (SELECT DISTINCT first_id, split FROM member)
SELECT same.split, alike.split, coalesce(sum(same.texts) FILTER (WHERE twin.digest IS NOT NULL), 0)::bigint,
       coalesce(sum(same.texts) FILTER (WHERE twin.digest IS NULL), 0)::bigint
  FROM same JOIN alike ON alike.first_id = same.first_id AND alike.split <> same.split
  LEFT JOIN same AS twin ON twin.first_id = same.first_id AND twin.digest = same.digest AND twin.split = alike.split
 GROUP BY same.split, alike.split
"""
_EXAMPLES = """
WITH member AS ({members}),
parted AS (SELECT first_id FROM member GROUP BY first_id HAVING count(DISTINCT split) > 1 ORDER BY first_id LIMIT %s)
SELECT parted.first_id, shown.split, document.id, document.key, left(document.text, 300)
  FROM parted
 CROSS JOIN LATERAL (SELECT DISTINCT ON (split) split, document_id FROM member
                      WHERE member.first_id = parted.first_id ORDER BY split, document_id) AS shown
  JOIN labeling_document AS document ON document.id = shown.document_id
 ORDER BY parted.first_id, document.id
"""


def of_project(project: Project) -> dict[str, Any]:
    """Duplicates between the splits of all that is in the project now, labeled or not."""
    return texts(_OF_PROJECT, project.pk)


def of_version(version_id: int) -> dict[str, Any]:
    """Duplicates between the splits of a version's items."""
    return texts(_OF_VERSION, version_id)


def texts(members: str, of: int) -> dict[str, Any]:
    """`{texts: [{split, in, exact, near}], examples: [{group, texts: [{split, document, key, text}]}]}`.

    `exact` and `near` count the texts of `split` that stand in the split `in` too, as they are or nearly so.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TEXTS.format(members=members), [of])
        counted = {(split, other): (exact, near) for split, other, exact, near in cursor.fetchall()}
        cursor.execute(_EXAMPLES.format(members=members), [of, EXAMPLES])
        examples = _grouped(cursor.fetchall())
    rows = []
    for split, other in _pairs():
        exact, near = counted.get((split, other), (0, 0))
        rows.append({"split": split, "in": other, "exact": exact, "near": near})
    return {"texts": rows, "examples": examples}


def _pairs() -> list[tuple[str, str]]:
    """Which split is looked at in which other: what is for an exam, in what comes before it."""
    return [(Split.TEST, Split.TRAIN), (Split.TEST, Split.VALIDATION), (Split.VALIDATION, Split.TRAIN)]


def _grouped(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for group, split, document, key, text in rows:
        groups.setdefault(group, []).append({"split": split, "document": document, "key": key, "text": text})
    return [{"group": group, "texts": found} for group, found in groups.items()]


def rows(found: Mapping[str, Any]) -> dict[str, Any]:
    """A report as a template can read it: `in` is a word of its language, so that is called `other`."""
    texts = [{**row, "other": row["in"]} for row in found["texts"]]
    entities = [{**row, "other": row["in"]} for row in found["entities"] or ()]
    return {"texts": texts, "entities": entities, "examples": found["examples"]}


class Surfaces:
    """The surfaces of entities by split and label, counted while the texts pass by."""

    def __init__(self) -> None:
        # By hash, within this process: the strings of a million texts would be several times as large.
        self.counts: dict[str, dict[str, Counter[int]]] = {split: defaultdict(Counter) for split in Split.values}

    def add(self, gold: Gold) -> list[bio.Span]:
        """Count the entities of one text, and give them."""
        for span in (spans := bio.spans(gold.tags)):
            surface = splits.normal(gold.text[gold.starts[span.start] : gold.ends[span.end - 1]])
            self.counts[gold.split][span.label][hash(surface)] += 1
        return spans

    def as_json(self) -> list[dict[str, Any]]:
        """`[{split, in, mentions, seen, otherwise, unseen, labels: {label: the same}}]`.

        `seen`: mentions whose surface has the same label in the split `in`; `otherwise`: only another one.
        """
        return [self._compared(split, other) for split, other in _pairs()]

    def _compared(self, split: str, other: str) -> dict[str, Any]:
        known = self.counts[other]
        anywhere = set().union(*known.values()) if known else set()
        labels = {}
        for label, counted in sorted(self.counts[split].items()):
            mentions = counted.total()
            seen = sum(count for surface, count in counted.items() if surface in known.get(label, ()))
            unseen = sum(count for surface, count in counted.items() if surface not in anywhere)
            otherwise = mentions - seen - unseen
            labels[label] = {"mentions": mentions, "seen": seen, "otherwise": otherwise, "unseen": unseen}
        names = ("mentions", "seen", "otherwise", "unseen")
        total = {name: sum(counted[name] for counted in labels.values()) for name in names}
        return {"split": split, "in": other, **total, "labels": labels}
