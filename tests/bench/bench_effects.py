"""What augmentation and adversarial training do to F1, for few and for many labels.

    python -m tests.bench.bench_effects --data ../shared/data [--corpora wnut17] [--quick]

The trainer trains on the first 100, on 500 and on all training sentences, in an order that the seed gives, with each
option on and with none; the number of epochs is that of about `--steps` optimizer steps without copies, 3 to 20. F1 is
that of entities on `dev` and `test` together, neither of which is used for stopping.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from modelassist import base_model
from modelassist.hyperparameters import Hyperparameters
from modelassist.trainer import train
from tests.bench import conll, kept_runs
from tests.bench.conll import Sentence
from tests.bench.kept_runs import Run
from tests.bench.training import outcome

NONE = "none"
EFFECTS = {
    NONE: {},
    "augmentation": {"mention_replacement": 0.5, "token_replacement": 0.1},
    "fgm": {"adversarial": "fgm"},
    "pgd": {"adversarial": "pgd"},
}


def main() -> None:
    """Train what is not yet trained, then print what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    conll.add_data_option(parser)
    parser.add_argument("--corpora", nargs="+", default=["wnut17"])
    parser.add_argument("--effects", nargs="+", default=list(EFFECTS), choices=EFFECTS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 500, 0], help="sentences; 0: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=550)
    parser.add_argument("--out", type=Path, default=Path("bench-effects"), help="folder of the runs")
    parser.add_argument("--quick", action="store_true", help="one seed, 100 sentences, 60 steps")
    asked = parser.parse_args()
    if asked.quick:
        asked.seeds, asked.sizes, asked.steps = 1, [100], 60
    asked.out.mkdir(parents=True, exist_ok=True)
    for corpus in asked.corpora:
        kept = asked.out / f"{corpus}-{asked.steps}.jsonl"
        parts = conll.read(asked.data, corpus)
        for size in asked.sizes:
            for seed in range(asked.seeds):
                for effect in asked.effects:
                    key = {"size": size, "seed": seed, "effect": effect}
                    if not any(key.items() <= run.items() for run in kept_runs.read(kept)):
                        kept_runs.append(kept, [key | _run(parts, size, seed, effect, asked.steps)])
        print(table(corpus, kept_runs.read(kept)), flush=True)


def _run(parts: dict[str, list[Sentence]], size: int, seed: int, effect: str, steps: int) -> Run:
    began = time.process_time()
    order = np.random.default_rng(seed).permutation(len(parts["train"]))[: size or None]
    examples = [parts["train"][at] for at in order]
    epochs = min(20, max(3, round(steps / -(-len(examples) // Hyperparameters().batch_size))))
    chosen = Hyperparameters.from_json({"epochs": epochs, "seed": seed, **EFFECTS[effect]})
    labels = conll.labels_of(parts["train"])
    trained = outcome(train(examples, (), labels=labels, base=base_model.compact().path, hyperparameters=chosen))
    f1 = trained.tagger().evaluate(parts["dev"] + parts["test"]).micro.f1
    return {"f1": f1, "epochs": epochs, "steps": trained.steps, "seconds": round(time.process_time() - began, 1)}


def table(corpus: str, runs: list[Run]) -> str:
    """F1 without, and what each option adds to it with the same seeds, in points."""
    lines = [f"{corpus}: mean F1 without, and the difference in points (deviation) with; seeds in brackets"]
    for size in dict.fromkeys(run["size"] for run in runs):
        plain = {run["seed"]: run["f1"] for run in runs if run["size"] == size and run["effect"] == NONE}
        cells = [f"{100 * np.mean(list(plain.values())):.1f} [{len(plain)}]"]
        for effect in EFFECTS:
            pairs = [
                100 * (run["f1"] - plain[run["seed"]])
                for run in runs
                if run["size"] == size and run["effect"] == effect != NONE and run["seed"] in plain
            ]
            if pairs:
                cells.append(f"{effect} {np.mean(pairs):+.1f} (±{np.std(pairs):.1f}) [{len(pairs)}]")
        lines.append(f"{size or 'all'!s:<6}" + "".join(f"{cell:<34}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
