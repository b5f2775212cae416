"""Do we find wrong labels? A share of entities is corrupted, and two rankings of suspects look for them.

    python -m tests.bench.bench_issues --data ../shared/data [--corpus wikigold] [--quick]

Ours ranks spans, cleanlab's tokens, on the same out-of-fold probabilities of the same models, which were trained on
the corrupted labels. A suspect is right if it lies over a corrupted place that none before it lay over; further ones
at the same place count neither for nor against. So both are judged by how many corrupted places one finds in how
many looks; the average precision is over all corrupted places. A third each are removed, relabeled, and moved by a
token at one end. Only the upper `--layers` layers are trained (see `upper_layers`); `--layers 0` trains all.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from modelassist import base_model
from modelassist.hyperparameters import Hyperparameters
from modelassist.label_issues import FOLDS, fold_of, issues, usual
from modelassist.tagger import Tagger
from modelassist.trainer import Trained, train
from tests.bench import conll, corrupt, upper_layers
from tests.bench.conll import Sentence
from tests.bench.corrupt import Place
from tests.bench.training import outcome

try:
    from cleanlab.token_classification.filter import find_label_issues
    from cleanlab.token_classification.rank import get_label_quality_scores
except ImportError:
    sys.exit("This benchmark compares with cleanlab: pip install '.[bench]', or make bench-issues.")

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
Suspect = tuple[float, Place]


def main() -> None:
    """Print the average precision of each ranking, of each seed and their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    conll.add_data_option(parser)
    parser.add_argument("--corpus", default="wikigold")
    parser.add_argument("--share", type=float, default=0.05, help="of the entities that are corrupted")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--layers", type=int, default=3, help="upper layers that learn; 0: all")
    parser.add_argument("--quick", action="store_true", help="one seed, 400 sentences, two epochs")
    asked = parser.parse_args()
    parts = conll.read(asked.data, asked.corpus)
    sentences = parts["train"] + parts["dev"] + parts["test"]
    if asked.quick:
        asked.seeds, asked.epochs, sentences = 1, 2, sentences[:400]
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder:
        base, words = base_model.compact().path, [tokens for tokens, _ in sentences]
        if asked.layers:
            words = upper_layers.build(base, words, Path(folder), layers=asked.layers)
            base = Path(folder)
        for seed in range(asked.seeds):
            wrong, places = corrupt.corrupted([tags for _, tags in sentences], asked.share, seed)
            chosen = Hyperparameters(epochs=asked.epochs, seed=seed)
            rankings = suspects(list(zip(words, wrong, strict=True)), base, chosen)
            scores = {name: average_precision(ranked, places) for name, ranked in rankings.items()}
            print(f"seed {seed}: {len(places)} places;", *(f"{name} {score:.3f}" for name, score in scores.items()))
            for name, score in scores.items():
                found.setdefault(name, []).append(score)
    for name, values in found.items():
        print(f"{name:<48}{np.mean(values):.3f} ±{np.std(values):.3f}")


def suspects(sentences: list[Sentence], base: Path, chosen: Hyperparameters) -> dict[str, list[Suspect]]:
    """Every ranking's suspects, from models that never saw what they judge."""
    folds = np.array([fold_of(str(at)) for at in range(len(sentences))])
    labels = conll.labels_of(sentences)
    ours: list[Suspect] = []
    probabilities: list[np.ndarray] = [np.empty(0)] * len(sentences)
    names: tuple[str, ...] = ()
    for number in range(FOLDS):
        others = [sentences[at] for at in np.flatnonzero(folds != number)]
        tagger = _trained(others, labels, base, chosen).tagger()
        own = np.flatnonzero(folds == number).tolist()
        ours += _ours(tagger, sentences, own)
        names = tagger.tagset.names
        for at in own:
            probabilities[at] = _probabilities(tagger, sentences[at][0])
    ids = [[names.index(tag) for tag in tags] for _, tags in sentences]
    return {"ours, spans": ours} | {f"cleanlab, {name}": ranked for name, ranked in _theirs(ids, probabilities)}


def _ours(tagger: Tagger, sentences: list[Sentence], own: list[int]) -> list[Suspect]:
    judged = list(tagger.judge(sentences[at] for at in own))
    gold = [sentences[at][1] for at in own]
    usually = usual((tags, likely.tolist()) for tags, (_, likely) in zip(gold, judged, strict=True))
    found = []
    for at, tags, (predicted, likely) in zip(own, gold, judged, strict=True):
        for issue in issues(tags, predicted, likely.tolist(), usually):
            spans = [span for span in (issue.gold, issue.predicted) if span]
            found.append((issue.score, (at, min(s.start for s in spans), max(s.end for s in spans))))
    return found


def _theirs(ids: list[list[int]], probabilities: list[np.ndarray]) -> Iterable[tuple[str, list[Suspect]]]:
    for method in METHODS:
        _, qualities = get_label_quality_scores(ids, probabilities, token_score_method=method)
        yield (
            method,
            [
                (-float(quality), (at, token, token + 1))
                for at, row in enumerate(qualities)
                for token, quality in enumerate(np.asarray(row))
            ],
        )
    filtered = find_label_issues(ids, probabilities)
    yield "filtered", [(-float(rank), (at, token, token + 1)) for rank, (at, token) in enumerate(filtered)]


def _probabilities(tagger: Tagger, words: list[str]) -> np.ndarray:
    """Of each tag of each word; of a word without a piece, certainly none."""
    rows = np.zeros((len(words), len(tagger.tagset.names)))
    rows[:, tagger.tagset.outside] = 1
    scored = tagger._score([words])
    rows[scored.seen[0]] = np.exp(scored.log_probs)
    return rows / rows.sum(1, keepdims=True)


def average_precision(ranked: Sequence[Suspect], places: Sequence[Place]) -> float:
    """Of a ranking of suspects, over the corrupted places."""
    of_sentence: dict[int, list[Place]] = {}
    for place in places:
        of_sentence.setdefault(place[0], []).append(place)
    found: set[Place] = set()
    hits, looks, total = 0, 0, 0.0
    for _, (at, start, end) in sorted(ranked, key=lambda suspect: -suspect[0]):
        over = {place for place in of_sentence.get(at, ()) if start < place[2] and place[1] < end}
        if over and over <= found:
            continue
        looks += 1
        if over:
            found |= over
            hits += 1
            total += hits / looks
    return total / len(places)


def _trained(examples: list[Sentence], labels: list[str], base: Path, chosen: Hyperparameters) -> Trained:
    return outcome(train(examples, (), labels=labels, base=base, hyperparameters=chosen))


if __name__ == "__main__":
    main()
