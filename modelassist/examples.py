"""The labeled documents of a frozen version as the network takes them, read anew at each pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datasets_app import versions
from datasets_app.models import DatasetVersion
from datasets_app.records import Gold


@dataclass(frozen=True, slots=True)
class Examples:
    """One split of a version: pairs of tokens and tags, streamed from the database."""

    version: DatasetVersion
    split: str

    def __iter__(self) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
        for gold in self.golds():
            yield gold.tokens, gold.tags

    def golds(self) -> Iterator[Gold]:
        """The same with the documents' keys."""
        return versions.items(self.version, self.split)

    @property
    def documents(self) -> int:
        """How many there are."""
        return int(self._counts.get("documents", 0))

    @property
    def spans(self) -> int:
        """How many labeled spans they hold."""
        return int(self._counts.get("spans", 0))

    @property
    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.version.counts["splits"].get(self.split, {})
        return counts
