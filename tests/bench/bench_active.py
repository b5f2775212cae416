"""Is choosing what to label worth it? Active learning played through on labeled corpora.

    python -m tests.bench.bench_active --data ../shared/data [--corpora wikigold wnut17] [--quick]

Each run begins with a random sample, trains with the product's trainer, lets the model judge the rest, takes the
texts that a strategy puts first up to the next size, and trains anew from the base. F1 is that of entities on
`dev` and `test` together; neither is used for stopping. What all labels give is trained for as long as the product
would, the others for about `--steps` optimizer steps. Every run is kept in a file as it ends and is not done
again, so a broken-off benchmark goes on, and strategies can be added. To be feasible on a processor, only the upper
`--layers` layers are trained (see `upper_layers`); `--layers 0` trains all.
"""

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from labeling import bio
from modelassist import base_model, diversity, strategies
from modelassist.hyperparameters import Hyperparameters
from modelassist.tagger import Tagger, Tagging
from modelassist.trainer import Trained, train
from tests.bench import conll, kept_runs, keystrokes, upper_layers
from tests.bench.conll import Sentence
from tests.bench.kept_runs import Run
from tests.bench.training import outcome

RANDOM, FULL = "random", "full"
SIZES = (3, 8, 15, 30, 50)  # percent of the training tokens
SPREAD = 1_024  # texts chosen to be unlike each other, as in `modelassist.prioritize`
GOALS = (90, 95, 99)  # percent of the full data's F1


def main() -> None:
    """Play what is not yet played, then print and write what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    conll.add_data_option(parser)
    parser.add_argument("--corpora", nargs="+", default=["wikigold", "wnut17"])
    parser.add_argument(
        "--strategies",
        nargs="+",
        default=[RANDOM, *strategies.STRATEGIES, strategies.BALD, "mnlp+diverse", "least_confidence+diverse"],
        help="of `modelassist.strategies`; with +diverse, spread out over what the texts are like",
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=250, help="optimizer steps of a training, about")
    parser.add_argument("--layers", type=int, default=2, help="upper layers that learn; 0: all")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="percent of the training tokens")
    parser.add_argument("--out", type=Path, default=Path("bench-active"), help="folder for runs, table and plot")
    parser.add_argument("--quick", action="store_true", help="one seed, random and mnlp, three sizes, 60 steps")
    asked = parser.parse_args()
    if asked.quick:
        asked.strategies, asked.seeds, asked.steps, asked.sizes = [RANDOM, "mnlp"], 1, 60, SIZES[1:4]
    asked.out.mkdir(parents=True, exist_ok=True)
    for corpus in asked.corpora:
        kept = asked.out / f"{corpus}-{asked.layers}-{asked.steps}.jsonl"
        with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder:
            game = _Game(asked.data, corpus, Path(folder), steps=asked.steps, layers=asked.layers)
            for seed, strategy in itertools.product(range(asked.seeds), [FULL, *asked.strategies]):
                if (strategy, seed) not in {(run["strategy"], run["seed"]) for run in kept_runs.read(kept)}:
                    kept_runs.append(kept, list(game.play(strategy, seed, asked.sizes)))
        print(table(corpus, kept_runs.read(kept)), held(conll.read(asked.data, corpus)["train"]), sep="\n", flush=True)
        kept_runs.write_csv(asked.out / f"{corpus}.csv", kept_runs.read(kept))
        (asked.out / f"{corpus}.svg").write_bytes(plot(corpus, kept_runs.read(kept)))


class _Game:
    """A corpus with its base model, on which strategies are played."""

    def __init__(self, data: Path, corpus: str, folder: Path, *, steps: int, layers: int) -> None:
        parts = conll.read(data, corpus)
        self._corpus, self._steps = corpus, steps
        self._pool, self._exam = parts["train"], parts["dev"] + parts["test"]
        self._labels = conll.labels_of(self._pool)
        self._base = base_model.compact().path
        if layers:
            both = self._pool + self._exam
            renamed = upper_layers.build(self._base, [tokens for tokens, _ in both], folder, layers=layers)
            both = [(tokens, tags) for tokens, (_, tags) in zip(renamed, both, strict=True)]
            self._pool, self._exam, self._base = both[: len(self._pool)], both[len(self._pool) :], folder
        self._lengths = np.array([len(tokens) for tokens, _ in self._pool])

    def play(self, strategy: str, seed: int, sizes: Sequence[int]) -> Iterator[Run]:
        """One run: a row per size with tokens, F1, and the keys that its new texts took."""
        order = np.random.default_rng(seed).permutation(len(self._pool))
        taken: list[int] = []
        tagger: Tagger | None = None
        for size in (100,) if strategy == FULL else sizes:
            began = time.process_time()
            if tagger is not None and strategy != RANDOM:
                order = self._ranked(tagger, strategy, taken)
            new = self._next(order, taken, size / 100)
            suggested = [t.tags for t in tagger.predict(self._pool[at][0] for at in new)] if tagger else None
            taken += new
            epochs = None if strategy == FULL else self._epochs(len(taken))
            trained = self._train([self._pool[at] for at in taken], Hyperparameters(epochs=epochs, seed=seed))
            tagger = trained.tagger()
            yield {
                "corpus": self._corpus, "strategy": strategy, "seed": seed, "size": size, "texts": len(taken),
                "tokens": int(self._lengths[taken].sum()), "all_tokens": int(self._lengths.sum()),
                "f1": tagger.evaluate(self._exam).micro.f1, "steps": trained.steps,
                "keys_alone": sum(keystrokes.alone(self._pool[at][1]) for at in new) if suggested else None,
                "keys_helped": suggested
                and sum(keystrokes.helped(self._pool[at][1], tags) for at, tags in zip(new, suggested, strict=True)),
                "seconds": round(time.process_time() - began, 1),
            }  # fmt: skip

    def _ranked(self, tagger: Tagger, strategy: str, taken: list[int]) -> np.ndarray:
        left = np.setdiff1d(np.arange(len(self._pool)), taken)
        passes = strategies.PASSES if strategy.partition("+")[0] == strategies.BALD else 0
        taggings = list(tagger.predict((self._pool[at][0] for at in left), passes=passes))
        return left[_order(strategy, taggings)]

    def _next(self, order: np.ndarray, taken: list[int], share: float) -> list[int]:
        """The first texts of an order that fill up to a share of all tokens."""
        fresh = order[~np.isin(order, taken)]
        room = share * self._lengths.sum() - self._lengths[taken].sum()
        return list(map(int, fresh[: int(np.searchsorted(np.cumsum(self._lengths[fresh]), room)) + 1]))

    def _epochs(self, texts: int) -> int:
        per_epoch = -(-texts // Hyperparameters().batch_size)
        return min(20, max(3, round(self._steps / per_epoch)))

    def _train(self, examples: list[Sentence], chosen: Hyperparameters) -> Trained:
        return outcome(train(examples, (), labels=self._labels, base=self._base, hyperparameters=chosen))


def _order(strategy: str, taggings: list[Tagging]) -> np.ndarray:
    """Positions of judged texts, first what a strategy puts first; `x+diverse` spreads out the unsure of `x`."""
    name, _, diverse = strategy.partition("+")
    scores = np.array([tagging.uncertainty[name] for tagging in taggings])
    if not diverse:
        return np.argsort(-scores, kind="stable")
    vectors = np.array([tagging.vector for tagging in taggings], np.float32)
    return diversity.spread(vectors, scores, SPREAD)


# What came out ------------------------------------------------------------------------------------------


def table(corpus: str, runs: list[Run]) -> str:
    """Of each strategy: F1 at each size, and the share of tokens from which on it is at each goal."""
    full = float(np.mean([run["f1"] for run in runs if run["strategy"] == FULL]))
    sizes = sorted({run["size"] for run in runs if run["strategy"] != FULL})
    head = f"{corpus}: F1 with all labels {full:.3f}; mean and deviation of [seeds] by percent of the tokens"
    columns = [f"{size} %" for size in sizes] + [f"for {goal} %" for goal in GOALS] + ["keys"]
    lines = [head, f"{'strategy':<28}" + "".join(f"{name:>14}" for name in columns)]
    for strategy in dict.fromkeys(run["strategy"] for run in runs if run["strategy"] != FULL):
        own = [run for run in runs if run["strategy"] == strategy]
        means = [np.mean([run["f1"] for run in own if run["size"] == size]) for size in sizes]
        spread = [np.std([run["f1"] for run in own if run["size"] == size]) for size in sizes]
        cells = [f"{mean:.3f} ±{deviation:.3f}" for mean, deviation in zip(means, spread, strict=True)]
        cells += [needed([*sizes, 100], [*map(float, means), full], goal / 100 * full) for goal in GOALS]
        name = f"{strategy} [{len({run['seed'] for run in own})}]"
        lines.append(f"{name:<28}" + "".join(f"{cell:>14}" for cell in [*cells, _saved(own)]))
    return "\n".join(lines)


def needed(sizes: list[int], means: list[float], goal: float) -> str:
    """The percentage of tokens from which on a curve stays at a goal or above, on straight lines between its points."""
    below = [at for at, mean in enumerate(means) if mean < goal]
    if not below:
        return f"≤ {sizes[0]} %"
    at = below[-1]
    if at + 1 == len(means):
        return "–"
    step = (goal - means[at]) / (means[at + 1] - means[at])
    return f"{sizes[at] + step * (sizes[at + 1] - sizes[at]):.0f} %"


def held(pool: Sequence[Sentence]) -> str:
    """How many of the entities so many of the tokens hold at most, if one knew where they are: no choice can do better.

    The texts with most entities per token first, a part of the last one; at random it is the same share of both.
    """
    lengths, entities = (np.array(counts) for counts in zip(*((len(w), len(bio.spans(t))) for w, t in pool)))
    order = np.argsort(-entities / lengths, kind="stable")
    shares = np.concatenate([[0], np.cumsum(lengths[order])]) / lengths.sum()
    found = np.interp(np.array(SIZES) / 100, shares, np.concatenate([[0], np.cumsum(entities[order])]) / entities.sum())
    return "entities in them, at most: " + ", ".join(f"{at:.0%} in {size} %" for size, at in zip(SIZES, found))


def _saved(runs: list[Run]) -> str:
    """The keys that suggestions left, as a share of those without."""
    counted = [run for run in runs if run["keys_alone"]]
    return f"{sum(r['keys_helped'] for r in counted) / sum(r['keys_alone'] for r in counted):.0%}"


def plot(corpus: str, runs: list[Run]) -> bytes:
    """The curves as SVG: mean F1 by share of the tokens."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from labeling import drawing, plots

    shown = list(dict.fromkeys(run["strategy"] for run in runs if run["strategy"] != FULL))
    full = float(np.mean([run["f1"] for run in runs if run["strategy"] == FULL]))
    rows = [
        {"strategy": strategy, "share": size / 100, "f1": float(np.mean(found))}
        for strategy in shown
        for size in sorted({run["size"] for run in runs})
        if (found := [run["f1"] for run in runs if (run["strategy"], run["size"]) == (strategy, size)])
    ]
    columns = {
        "strategy": plots.Column("Strategy"),
        "share": plots.Column("Labeled tokens", "share"),
        "f1": plots.Column("F1", "score"),
    }
    lines = {
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": plots.axis("share", "share", title="Labeled tokens"),
            "y": plots.axis("f1", "score", title="F1", scale={"zero": False}),
            "color": plots.series("strategy", shown),
            "strokeDash": {"field": "strategy", "type": "nominal", "sort": shown, "legend": None},
        },
    }
    rule = {"mark": {"type": "rule", "strokeDash": [2, 4]}, "encoding": {"y": {"datum": full}}}
    title = f"{corpus}: F1 by labeled tokens; dotted: with all"
    drawn = plots.Plot(corpus, title, columns, rows, {"height": 300, "layer": [lines, rule]})
    return drawing.file(drawn, "svg")


if __name__ == "__main__":
    main()
