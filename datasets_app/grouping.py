"""Into which group of duplicates and into which split a new text comes, as a batch of an import arrives.

A text joins the group of the text that it is most like, among those that the project has and those before it
in the batch. Without a split of its own it goes where its group is already: texts of one source (a source
document, a value of the project's `split_by`) stay together, and so do duplicates. The caller holds `lock`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.db import connection

from datasets_app import copying, near_duplicates, splits, tallies
from datasets_app.balance import Balance
from datasets_app.likeness import Likeness
from datasets_app.models import Curation
from datasets_app.records import Record
from labeling.models import Project

_OWNERS = """
SELECT given.key, found.document_id FROM unnest(%s::bigint[]) AS given(key)
 CROSS JOIN LATERAL (SELECT document_id FROM datasets_app_textkey AS known
                      WHERE known.key = given.key AND known.project_id = %s OFFSET 0) AS found
"""
_KNOWN = """
SELECT document.id, coalesce(duplicate.first_id, document.id), document.text, document.split, document.group_key
  FROM labeling_document AS document
  LEFT JOIN datasets_app_duplicate AS duplicate ON duplicate.document_id = document.id
 WHERE document.id = ANY(%s) AND document.project_id = %s AND document.key <> ALL(%s)
"""
_SPLITS = """
SELECT given.group_key, known.split FROM unnest(%s::text[]) AS given(group_key)
 CROSS JOIN LATERAL (SELECT split FROM labeling_document
                      WHERE project_id = %s AND group_key = given.group_key ORDER BY id LIMIT 1) AS known
"""
_REMEMBER = """
INSERT INTO datasets_app_textkey (key, project_id, document_id)
SELECT key, %s, document FROM unnest(%s::bigint[], %s::bigint[]) AS given(key, document)
"""
_JOIN = """
INSERT INTO datasets_app_duplicate (document_id, project_id, first_id, digest, similarity)
SELECT document, %s, first, digest, similarity
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::float8[]) AS given(document, first, digest, similarity)
ON CONFLICT DO NOTHING
"""

_MERGE = """
UPDATE datasets_app_duplicate AS duplicate SET first_id = given.first
  FROM unnest(%s::bigint[], %s::bigint[]) AS given(was, first)
 WHERE duplicate.project_id = %s AND duplicate.first_id = given.was
"""


class Incoming(NamedTuple):
    """A text on its way in: `key` is its document's (one that is there already is no twin), `split` its own."""

    record: Record
    likeness: Likeness
    split: str | None
    key: str


Labels = Mapping[str, int] | None  # a text's spans by label


@dataclass(frozen=True, slots=True)
class Twin:
    """The text that another is most like: one of the project (`document`) or one before it in the batch (`place`)."""

    first: int  # of the document's group; -1 for one of the batch
    document: int
    place: int
    split: str
    group: str
    normal: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a text goes, and by which keys it will be found, less those that are known already."""

    split: str
    group: str
    digest: int
    keys: Sequence[int]
    twin: Twin | None
    others: Sequence[Twin] = ()  # texts that it is like too: their groups become one with its own


def lock(project: Project) -> None:
    """One batch at a time for each project: two texts that are alike cannot pass each other unseen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('goldset groups'), %s)", [project.pk % 2**31])


def place(
    project: Project, curation: Curation, texts: Sequence[Incoming], labels: Sequence[Labels] = ()
) -> list[Placed]:
    """The place of each text of a batch.

    `labels` are each text's spans by label, None for one that has none yet or is there: with them, splits are balanced
    where the project asks for it.
    """
    owners, likes = _candidates(project, texts)
    sources = [_source(each.record, curation.split_by) for each in texts]
    groups = {source or each.likeness.group for source, each in zip(sources, texts, strict=True)}
    balance = tallies.of(project) if curation.stratify and any(each is not None for each in labels) else None
    placing = _Placing(project, sources, _known_splits(project, groups), labels, balance)
    return list(placing.run(texts, owners, likes))


def _source(record: Record, split_by: str) -> str | None:
    """What else must share the text's split, as a group key."""
    value = record.meta.get(split_by) if split_by else None
    if value in (None, ""):
        return record.group
    return hashlib.sha256(f"{split_by}\0{value}".encode("utf-8", "backslashreplace")).hexdigest()


def _candidates(project: Project, texts: Sequence[Incoming]) -> tuple[set[int], list[list[Twin]]]:
    """Which of their keys the project knows and, for each text, its texts that share a key."""
    flat = [(key, number) for number, each in enumerate(texts) for key in each.likeness.keys]
    owners: dict[int, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [copying.array(sorted({key for key, _ in flat})), project.pk])
        owners.update(cursor.fetchall())
        twins: dict[int, Twin] = {}
        if owners:
            cursor.execute(_KNOWN, [list({*owners.values()}), project.pk, [each.key for each in texts]])
            for document, first, text, split, group in cursor.fetchall():
                twins[document] = Twin(first, document, -1, split, group, splits.normal(text), 0.0)
    found: list[set[int]] = [set() for _ in texts]
    for key, number in flat:
        if key in owners:
            found[number].add(owners[key])
    return {*owners}, [[twins[document] for document in sorted(each) if document in twins] for each in found]


def _known_splits(project: Project, groups: set[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(_SPLITS, [copying.array(sorted(groups)), project.pk])
        return dict(cursor.fetchall())


class _Placing:
    """Goes through a batch in order and remembers where its groups went."""

    def __init__(
        self,
        project: Project,
        sources: Sequence[str | None],
        known: Mapping[str, str],
        labels: Sequence[Labels],
        balance: Balance | None,
    ) -> None:
        self.shares = {"validation": project.validation_share, "test": project.test_share}
        self.sources, self.splits = sources, dict(known)
        self.holders: dict[int, int] = {}  # by key: the first place of the batch that has it
        self.placed: list[Placed] = []
        self.balance, self.labels = balance, labels
        self.of_source = self._sums() if balance else {}

    def _sums(self) -> dict[str, tuple[Counter[str], int]]:
        """What each source brings in this batch: spans by label, and texts."""
        sums: dict[str, tuple[Counter[str], int]] = {}
        for source, labels in zip(self.sources, self.labels, strict=True):
            if source and labels is not None:
                spans, texts = sums.get(source, (Counter(), 0))
                sums[source] = spans + Counter(labels), texts + 1
        return sums

    def run(self, texts: Sequence[Incoming], known: set[int], likes: Sequence[Sequence[Twin]]) -> Iterator[Placed]:
        """`known` are keys that the project has already, `likes` for each text its texts that share one."""
        alike = [self._alike(number, texts, likes[number]) for number in range(len(texts))]
        twins = [found[0] if found else None for found in alike]
        hints = self._hints(twins)
        for number, (twin, each) in enumerate(zip(twins, texts, strict=True)):
            group = self._group(number, each.likeness.group, twin)
            leads = hints.get(group, []) if self.sources[number] else [twin] if twin else []
            split = each.split or self.splits.get(group) or self._split(number, group, leads)
            self.splits.setdefault(group, split)
            if self.balance and (labels := self.labels[number]) is not None:
                self.balance.add(split, labels)
            keys = [key for key in each.likeness.keys if key not in known]
            self.placed.append(Placed(split, group, each.likeness.digest, keys, twin, alike[number][1:]))
            yield self.placed[-1]

    def _alike(self, number: int, texts: Sequence[Incoming], likes: Sequence[Twin]) -> list[Twin]:
        """Those of the project's texts and of the batch's that share a key and are like it, the most similar first."""
        mine = texts[number].likeness
        here = {self.holders.setdefault(key, number) for key in mine.keys} - {number}
        if not likes and not here:
            return []
        found = []
        for each in (*likes, *(Twin(-1, -1, at, "", "", texts[at].likeness.normal, 0.0) for at in sorted(here))):
            similarity = near_duplicates.similarity(mine.normal, each.normal)
            if similarity >= near_duplicates.THRESHOLD:
                found.append(replace(each, similarity=similarity))
        return sorted(found, key=lambda twin: -twin.similarity)  # stable: the earlier of equal ones

    def _hints(self, twins: Sequence[Twin | None]) -> dict[str, list[Twin]]:
        """For each source that is new, its texts' twins: a source goes where one of its texts is already.

        Headings and other short texts that stand in many sources do not count, or one heading would bring all
        sources into one split.
        """
        hints: dict[str, list[Twin]] = {}
        for source, twin in zip(self.sources, twins, strict=True):
            if source and twin and len(near_duplicates.words(twin.normal)) >= near_duplicates.WORDS_MIN:
                hints.setdefault(source, []).append(twin)
        return hints

    def _group(self, number: int, own: str, twin: Twin | None) -> str:
        if source := self.sources[number]:
            return source
        if twin is None:
            return own
        return twin.group if twin.place < 0 else self.placed[twin.place].group

    def _split(self, number: int, group: str, leads: Sequence[Twin]) -> str:
        for each in leads:
            if each.place < 0:
                return each.split
            if each.place < len(self.placed):
                return self.placed[each.place].split
        usual = splits.split_of(group, **self.shares)
        if self.balance is None:
            return usual
        labels, texts = self.of_source.get(group, (self.labels[number], 1))
        return usual if labels is None else self.balance.choose(usual, labels, texts=texts)


def remember(project: Project, placed: Sequence[Placed], documents: Sequence[int | None]) -> list[int]:
    """Note the new documents' keys and groups; `None` stands for a text that was there. Gives the duplicates' ids.

    A text that is like those of several groups makes one group of them. Their texts keep their splits.
    """
    keys: dict[int, int] = {}  # of several texts with the same key, the one that came first
    for each, document in zip(placed, documents, strict=True):
        if document:
            for key in each.keys:
                keys.setdefault(key, document)
    found = sorted(keys)  # an index is faster filled in its order
    joined, links = _joined(placed, documents)
    with connection.cursor() as cursor:
        owners = copying.array(map(keys.__getitem__, found))
        cursor.execute(_REMEMBER, [project.pk, copying.array(found), owners])
        if joined:
            cursor.execute(_JOIN, [project.pk, *map(list, zip(*joined, strict=True))])
        if merged := _merged(links):
            cursor.execute(_MERGE, [list(merged), list(merged.values()), project.pk])
    return [document for document, first, _, _ in joined if document != first]


Row = tuple[int, int, int, float]  # of `Duplicate`: document, first, digest, similarity


def _joined(placed: Sequence[Placed], documents: Sequence[int | None]) -> tuple[list[Row], list[tuple[int, int]]]:
    """Rows of `Duplicate`, each preceded by the first one's of its group; and pairs of groups that are one."""
    rows: list[Row] = []
    links: list[tuple[int, int]] = []
    firsts: dict[int, int] = {}  # of the batch's texts, by place
    for number, (each, document) in enumerate(zip(placed, documents, strict=True)):
        if each.twin is None or document is None:
            continue
        mine = None
        for twin in (each.twin, *each.others):
            other = twin.document if twin.place < 0 else documents[twin.place]
            if other is None:  # a text of the batch that turned out to be here already; it is found at the next look
                continue
            first = twin.first if twin.place < 0 else firsts.get(twin.place, other)
            if first == mine:
                continue
            if first == other:
                rows.append((first, first, splits.digest(twin.normal), 1.0))
            if mine is None:
                mine = firsts[number] = first
                rows.append((document, first, each.digest, twin.similarity))
            else:
                links.append((mine, first))
    return rows, links


def _merged(links: Sequence[tuple[int, int]]) -> dict[int, int]:
    """By which first document each of these groups is known when linked ones are one: the earliest of them."""
    heads: dict[int, int] = {}

    def head(group: int) -> int:
        while group in heads:
            group = heads[group]
        return group

    for one, other in links:
        low, high = sorted((head(one), head(other)))
        if low != high:
            heads[high] = low
    return {group: head(group) for group in heads}
