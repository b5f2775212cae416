"""What gold texts are like, counted while they pass by: labels, lengths, density, surfaces, scripts. Pure."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from datasets_app import splits
from labeling import bio

SHOWN = 20  # surfaces of a label
DENSITIES = (0, 1, 2, 3, 5, 10)  # entities of a text: where the classes begin
LENGTHS = (1, 5, 10, 20, 30, 50, 100, 200, 500, 1000)  # tokens of a text: where the classes begin

Grid = tuple[Sequence[int], Sequence[int]]  # where each token starts and ends
Surface = str  # the normal forms of a span's tokens, one blank between two


def folded(text: str, starts: Sequence[int], ends: Sequence[int]) -> list[str]:
    """The tokens' normal forms, in which surfaces are compared."""
    return [splits.normal(text[start:end]) for start, end in zip(starts, ends, strict=True)]


class Statistics:
    """Counts of gold texts."""

    def __init__(self) -> None:
        self.texts: Counter[str] = Counter()  # by split
        self.tokens = self.labeled_tokens = 0
        self.lengths: Counter[int] = Counter()
        self.entities: Counter[int] = Counter()  # of a text
        self.span_tokens: Counter[int] = Counter()
        self.surfaces: dict[str, Counter[Surface]] = defaultdict(Counter)
        self.forms: dict[Surface, str] = {}  # as one text writes it
        self.scripts: Counter[str] = Counter()

    def add(self, text: str, grid: Grid, tags: Sequence[str], *, split: str) -> None:
        """Count one gold text with its token grid."""
        starts, ends = grid
        spans = bio.spans(tags)
        self.texts[split] += 1
        self.tokens += len(tags)
        self.labeled_tokens += sum(tag != bio.OUTSIDE for tag in tags)
        self.lengths[len(tags)] += 1
        self.entities[len(spans)] += 1
        self.scripts[main_script(text)] += 1
        for span in spans:
            surface = " ".join(folded(text, starts[span.start : span.end], ends[span.start : span.end]))
            self.span_tokens[span.end - span.start] += 1
            self.surfaces[span.label][surface] += 1
            self.forms.setdefault(surface, text[starts[span.start] : ends[span.end - 1]])

    def as_json(self) -> dict[str, Any]:
        """The statistics page's numbers."""
        texts, spans = self.texts.total(), self.span_tokens.total()
        return {
            "texts": texts,
            "splits": dict(self.texts),
            "tokens": self.tokens,
            "spans": spans,
            "density": {
                "spans_per_100_tokens": round(100 * spans / max(1, self.tokens), 2),
                "labeled_tokens": round(self.labeled_tokens / max(1, self.tokens), 4),
                "texts_without_entities": self.entities[0],
            },
            "lengths": _classes(self.lengths, LENGTHS),
            "entities_per_text": _classes(self.entities, DENSITIES),
            "span_tokens": {str(length): count for length, count in sorted(self.span_tokens.items())[:SHOWN]},
            "labels": [self._label(name, counted) for name, counted in sorted(self.surfaces.items())],
            "scripts": [{"script": script, "texts": count} for script, count in self.scripts.most_common(SHOWN)],
        }

    def _label(self, name: str, counted: Counter[Surface]) -> dict[str, Any]:
        once = sum(count == 1 for count in counted.values())
        common = [{"surface": self.forms[surface], "spans": count} for surface, count in counted.most_common(SHOWN)]
        return {"label": name, "spans": counted.total(), "surfaces": len(counted), "once": once, "common": common}


def _classes(counted: Counter[int], begins: Sequence[int]) -> list[dict[str, Any]]:
    """How many lie in each class `[from, to]`; the last has no end."""
    ends: list[int | None] = [*(begin - 1 for begin in begins[1:]), None]
    rows = []
    for begin, end in zip(begins, ends, strict=True):
        texts = sum(count for value, count in counted.items() if begin <= value and (end is None or value <= end))
        rows.append({"from": begin, "to": end, "texts": texts})
    return rows


def main_script(text: str) -> str:
    """The script of most of a text's letters, by the first word of their Unicode names; `none` without letters."""
    found: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if script := _script(character):
            found[script] += count
    return found.most_common(1)[0][0] if found else "none"


@cache
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    return unicodedata.name(character, "").partition(" ")[0].lower()
