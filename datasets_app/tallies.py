"""How many spans of each label the splits of a project hold, so that those to come can be balanced.

Counted from gold and imported suggestions when it is first needed, then carried along by each batch of an import, in
its transaction. It is let go when a version is frozen or labels are changed, so that people's work counts from then on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import connection

from datasets_app.balance import TEXTS, Balance
from datasets_app.models import LabelTally
from labeling.models import Project, Split

_COUNT = """
WITH labeled AS (
  SELECT document.split, coalesce(gold.tags, given.tags) AS tags
    FROM labeling_document AS document
    LEFT JOIN labeling_annotation AS gold ON gold.document_id = document.id AND gold.accepted
    LEFT JOIN labeling_prediction AS given ON given.document_id = document.id AND given.model = 'import'
   WHERE document.project_id = %s AND document.archived_at IS NULL AND (gold.id IS NOT NULL OR given.id IS NOT NULL))
SELECT split, %s, count(*) FROM labeled GROUP BY split
 UNION ALL
SELECT split, substr(tag, 3), count(*) FROM labeled CROSS JOIN unnest(tags) AS tag WHERE tag LIKE 'B-%%' GROUP BY 1, 2
"""


def of(project: Project) -> Balance:
    """The balance of the project's splits. The caller holds `grouping.lock`."""
    shares = {
        Split.TRAIN.value: 1 - project.validation_share - project.test_share,
        Split.VALIDATION.value: project.validation_share,
        Split.TEST.value: project.test_share,
    }
    tally = LabelTally.objects.filter(project=project).first()
    if tally is None:
        tally = LabelTally.objects.create(project=project, spans=_counted(project))
    return Balance(shares, tally.spans)


def _counted(project: Project) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {split: {} for split in Split.values}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [project.pk, TEXTS])
        for split, label, spans in cursor.fetchall():
            found[split][label] = spans
    return found


def carry(project: Project, arrived: Iterable[tuple[str, Mapping[str, int]]]) -> None:
    """Add texts that have come in, as (split, spans by label); nothing if the tally has been let go meanwhile."""
    rows = LabelTally.objects.filter(project=project)
    for tally in rows:
        spans = {split: Counter(counted) for split, counted in tally.spans.items()}
        for split, labels in arrived:
            spans[split].update({**labels, TEXTS: 1})
        rows.update(spans=spans)


def forget(project: Project) -> None:
    """Have it counted anew when it is needed next."""
    LabelTally.objects.filter(project=project).delete()
