"""How good are predicted tags: entity and token scores, and whether one model is better beyond chance.

Keeps counts, derives ratios, adds with `+`; everything turns into plain JSON. Entities are counted as
conlleval and seqeval's default do: an `I-X` that continues nothing begins an entity.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from datasets_app import stopping
from labeling import bio
from modelassist.decode import Tagset

Ints = npt.NDArray[np.int64]
CHANCE = 0.05
LABEL_SUPPORT = 20  # entities of a label in an exam, below which nothing is said of it alone
Pair = tuple[Sequence[str], Sequence[str]]  # gold tags, predicted tags of one document


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives and false negatives, and the ratios that follow from them."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Self) -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def support(self) -> int:
        """How many there really are."""
        return self.tp + self.fn

    @property
    def precision(self) -> float:
        """Of what was predicted, the share that is right; 0 where nothing was."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """Of what is there, the share that was found; 0 where nothing is."""
        return self.tp / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0, not 1, where there is nothing at all."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 0.0

    def as_json(self) -> dict[str, float]:
        """The ratios with the support."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


def entities(tags: Sequence[str]) -> set[bio.Span]:
    """The entities in any sequence of BIO tags, legal or not, as conlleval reads them."""
    legal, before = [], ""
    for tag in tags:
        prefix, label = bio.split_tag(tag)
        legal.append(f"B-{label}" if prefix == "I" and label != before else tag)
        before = label
    return set(bio.spans(legal))


@dataclass(slots=True)
class Evaluation:
    """Counts over any number of documents; `add` one after another, then read `as_json()`.

    `documents` keeps one row `(tp, fp, fn)` of entities per document, which is what `bootstrap` compares, and
    `documents_of` the same of each label, of the documents in which there is any.
    """

    tagset: Tagset
    labels: dict[str, Counts] = field(default_factory=dict)
    documents: list[tuple[int, int, int]] = field(default_factory=list)
    documents_of: dict[str, dict[int, Counts]] = field(default_factory=dict)
    confusion: Ints = field(init=False)  # [gold, predicted] tokens

    def __post_init__(self) -> None:
        self.labels = {bio.label_of(name): Counts() for name in self.tagset.names if name != bio.OUTSIDE}
        self.confusion = np.zeros((len(self.tagset.names),) * 2, np.int64)

    def add(self, gold: Sequence[str], predicted: Sequence[str]) -> None:
        """Count one document; raises ValueError where the two differ in length."""
        if len(gold) != len(predicted):
            raise ValueError(f"{len(gold)} gold tags, {len(predicted)} predicted tags: they must pair up.")
        there, found = entities(gold), entities(predicted)
        hits = there & found
        for counts, name in ((hits, "tp"), (found - there, "fp"), (there - found, "fn")):
            for span in counts:
                one, of_label = Counts(**{name: 1}), self.documents_of.setdefault(span.label, {})
                self.labels[span.label] += one
                of_label[len(self.documents)] = of_label.get(len(self.documents), Counts()) + one
        self.documents.append((len(hits), len(found - there), len(there - found)))
        np.add.at(self.confusion, (self.tagset.to_ids(gold), self.tagset.to_ids(predicted)), 1)

    @property
    def micro(self) -> Counts:
        """The entities of all labels together."""
        return sum(self.labels.values(), Counts())

    def as_json(self) -> dict[str, Any]:
        """Entity scores per label and micro, and the token report."""
        per_label = {label: counts.as_json() for label, counts in self.labels.items()}
        return {
            "documents": len(self.documents),
            "tokens": int(self.confusion.sum()),
            "micro": self.micro.as_json(),
            "labels": per_label,
            "token_report": token_report(self.confusion, self.tagset),
        }


def evaluate(pairs: Iterable[Pair], tagset: Tagset) -> Evaluation:
    """The evaluation of a stream of `(gold, predicted)` documents."""
    result = Evaluation(tagset)
    for gold, predicted in pairs:
        result.add(gold, predicted)
    return result


def token_report(confusion: Ints, tagset: Tagset) -> dict[str, Any]:
    """Precision, recall, F1 and support of every tag, with their micro, macro and weighted means.

    `confusion` is `[gold, predicted]`. As scikit-learn's classification report over all tags: macro is the
    plain mean, weighted the mean by support, and micro, every token having one tag, is the accuracy.
    """
    hits = np.diag(confusion)
    counts = [
        Counts(int(tp), int(predicted - tp), int(gold - tp))
        for tp, predicted, gold in zip(hits, confusion.sum(0), confusion.sum(1), strict=True)
    ]
    rows = [count.as_json() for count in counts]
    return {
        "tags": dict(zip(tagset.names, rows, strict=True)),
        "micro": sum(counts, Counts()).as_json(),
        "macro": _mean(rows, [1] * len(rows)),
        "weighted": _mean(rows, [count.support for count in counts]),
    }


def _mean(rows: list[dict[str, float]], weights: Sequence[int]) -> dict[str, float]:
    total = sum(weights) or 1
    means = {
        name: sum(row[name] * weight for row, weight in zip(rows, weights, strict=True)) / total
        for name in ("precision", "recall", "f1")
    }
    return means | {"support": sum(int(row["support"]) for row in rows)}


class Comparison(NamedTuple):
    """How much a challenger's micro F1 is above a champion's on the same documents."""

    difference: float
    low: float  # 95 % interval of the difference
    high: float
    p_value: float  # how often, in resampled test sets, the challenger is not better
    documents: int
    resamples: int

    @property
    def better(self) -> bool:
        """Better, and not by chance (one-sided, 5 %)."""
        return self.difference > 0 and self.p_value < CHANCE

    def as_json(self) -> dict[str, Any]:
        """All fields."""
        return self._asdict()


def bootstrap(
    challenger: Sequence[tuple[int, int, int]],
    champion: Sequence[tuple[int, int, int]],
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> Comparison:
    """Paired bootstrap over documents (Koehn 2004; Berg-Kirkpatrick et al. 2012).

    Takes one row `(tp, fp, fn)` per document and model, in the same document order. Each resample draws
    documents with replacement and compares both models on the very same draw.
    """
    if len(challenger) != len(champion):
        raise ValueError("The two models were not evaluated on the same documents.")
    size = len(challenger)
    counts = np.concatenate([np.reshape(np.array(rows, np.int64), (size, 3)) for rows in (challenger, champion)], 1)
    random = np.random.default_rng(seed)
    differences = [_difference(_draw(counts, random)) for _ in range(resamples if size else 0)]
    low, high = np.quantile(differences, (0.025, 0.975)) if differences else (0.0, 0.0)
    p_value = float(np.mean(np.array(differences) <= 0)) if differences else 1.0
    return Comparison(_difference(counts.sum(0)), float(low), float(high), p_value, size, resamples)


def _draw(counts: Ints, random: np.random.Generator) -> Ints:
    """The summed counts of as many documents as there are, drawn with replacement."""
    stopping.check()
    weights = np.bincount(random.integers(len(counts), size=len(counts)), minlength=len(counts))
    return np.asarray(weights @ counts)


def _difference(sums: Ints) -> float:
    challenger, champion = sums[:3].tolist(), sums[3:].tolist()
    return Counts(*challenger).f1 - Counts(*champion).f1


def losses(challenger: Evaluation, champion: Evaluation) -> dict[str, Comparison]:
    """By how much the champion's F1 of each label is above the challenger's, of those with enough entities.

    Both must have been evaluated on the same documents, in the same order.
    """
    found = {}
    for label, counts in challenger.labels.items():
        if counts.support >= LABEL_SUPPORT:
            ours, theirs = challenger.documents_of.get(label, {}), champion.documents_of.get(label, {})
            places = sorted(ours.keys() | theirs.keys())
            rows = [[_row(side.get(place, Counts())) for place in places] for side in (theirs, ours)]
            found[label] = bootstrap(*rows)
    return found


def _row(counts: Counts) -> tuple[int, int, int]:
    return counts.tp, counts.fp, counts.fn
