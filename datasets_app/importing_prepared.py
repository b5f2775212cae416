"""Records made ready to be written: all that needs no database, done ahead while the database is at work.

A record's labels are fitted to its grid, its text's likeness is found, and its row is written down for COPY but
for what only the database tells: the key of a record without an id, its split and its group.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app import copying, likeness
from datasets_app.grids import Fitted, fit
from datasets_app.likeness import Likeness
from datasets_app.records import KEY_MAX, SPLITS, Failure, Record, Refused, shown
from labeling import pairs

_NOT_FITTED = Fitted((), (), None)
_NOT_KNOWN = Likeness("", "", 0, ())


@dataclass(slots=True)
class Prepared:
    """A record that fits; of one that does not (`refused`), only its digest is of use."""

    record: Record
    digest: str  # of its content, for its key; empty where the record has an id
    refused: Failure | None = None
    split: str | None = None  # its own
    fitted: Fitted = _NOT_FITTED
    labels: frozenset[str] = frozenset()
    likeness: Likeness = _NOT_KNOWN
    body: str = ""  # of its row for COPY: from the text to the grid
    pairs: str = copying.NULL  # by which the search finds it
    tail: str = ""  # and from the meta to the tags


class Preparing:
    """Prepares the records of one import."""

    def __init__(self, *, tokenizer: str, fitting: dict[str, Any], split: str | None) -> None:
        self.tokenizer, self.fitting, self.split = tokenizer, fitting, split

    def batch(self, records: Sequence[Record | Failure]) -> list[Prepared | Failure]:
        """The same in their order, with records prepared."""
        found = [self._one(record) if isinstance(record, Record) else record for record in records]
        good = [each for each in found if isinstance(each, Prepared) and not each.refused]
        texts = [each.record.text for each in good]
        for each, known, found_by in zip(good, likeness.of(texts), pairs.of(texts), strict=True):
            each.likeness = known
            each.pairs = copying.NULL if found_by is None else copying.array(found_by)
        return found

    def digests(self, records: Sequence[Record | Failure]) -> list[str]:
        """The digests of those without an id: all that is asked of records that are written already."""
        return [self._digest(record) for record in records if isinstance(record, Record) and record.key is None]

    def _digest(self, record: Record) -> str:
        # The same sentence in a train and in a test file is two documents: a split that is given counts.
        text, split = (json.dumps(each, ensure_ascii=False) for each in (record.text, record.split or self.split))
        grid = "null" if record.grid is None else str([list(each) for each in record.grid])  # as JSON has it
        return hashlib.sha256(f"[{text}, {grid}, {split}]".encode()).hexdigest()

    def _one(self, record: Record) -> Prepared:
        prepared = Prepared(record, self._digest(record) if record.key is None else "")
        try:
            prepared.split = self._split(record)
            prepared.fitted = fit(record, tokenizer=self.tokenizer, **self.fitting)
        except Refused as refused:
            prepared.refused = refused.at(record.line)
            return prepared
        prepared.labels = frozenset(tag[2:] for tag in set(prepared.fitted.tags or ()) if tag != "O")
        prepared.body, prepared.tail = _row(record, prepared.fitted)
        return prepared

    def _split(self, record: Record) -> str | None:
        if record.key is not None and len(record.key) > KEY_MAX:
            raise Refused("id_too_long", f"The id {shown(record.key)} is longer than {KEY_MAX} characters.")
        split = record.split or self.split
        if split and split not in SPLITS:
            listed = ", ".join(SPLITS)
            raise Refused("bad_split", f"The split is {shown(split)}; use one of: {listed}.")
        return SPLITS[split] if split else None


def _row(record: Record, fitted: Fitted) -> tuple[str, str]:
    grid = copying.integers(fitted.starts), copying.integers(fitted.ends)
    meta, layout = record.meta, record.layout
    return (
        "\t".join((copying.text(record.text), *grid)),
        "\t".join(
            (
                copying.text(json.dumps(meta, ensure_ascii=False)) if meta else "{}",
                copying.NULL if layout is None else copying.text(json.dumps(layout, ensure_ascii=False)),
                copying.NULL if fitted.tags is None else copying.strings(fitted.tags),
            )
        ),
    )
