"""F1 of the product's own training, with its defaults, on the parts that each corpus comes with.

    python -m tests.bench.bench_f1 --data ../shared/data [--corpora wikigold wnut17 ...] [--quick]

Trained on `train`, stopped by `dev` where there is one, judged on `test`, by entities. Known figures of a plain
fine-tune of the same encoder are printed beside it.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from modelassist import base_model
from modelassist.hyperparameters import Hyperparameters
from modelassist.trainer import train
from tests.bench import conll, kept_runs
from tests.bench.kept_runs import Run
from tests.bench.training import outcome

PLAIN = {"wnut17": (0.548, 0.425), "wikigold": (0.675, 0.682)}  # F1 on dev and test, as told with the corpora
CORPORA = ("wikigold", "wnut17", "sec_filings", "uner_zh_gsdsimp_char", "litbank")


def main() -> None:
    """Train what is not yet trained, then print what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    conll.add_data_option(parser)
    parser.add_argument("--corpora", nargs="+", default=CORPORA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--options", nargs="*", default=[], metavar="NAME=VALUE", help="hyperparameters, not defaults")
    parser.add_argument("--out", type=Path, default=Path("bench-f1"), help="folder of the runs")
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch")
    asked = parser.parse_args()
    options = {name: _value(value) for name, value in (each.split("=", 1) for each in asked.options)}
    if asked.quick:
        asked.seeds, options = 1, {**options, "epochs": 1}
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / "f1.jsonl"
    for corpus in asked.corpora:
        for seed in range(asked.seeds):
            key = {"corpus": corpus, "seed": seed, "options": options}
            if not any(key.items() <= run.items() for run in kept_runs.read(kept)):
                kept_runs.append(kept, [key | _run(asked.data, corpus, {"seed": seed, **options})])
    print(table(kept_runs.read(kept)))


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _run(data: Path, corpus: str, options: dict[str, object]) -> Run:
    began = time.process_time()
    parts = conll.read(data, corpus, dev=False)
    labels = conll.labels_of(parts["train"] + parts["dev"] + parts["test"])
    chosen = Hyperparameters.from_json(options)
    base = base_model.compact().path
    trained = outcome(train(parts["train"], parts["dev"], labels=labels, base=base, hyperparameters=chosen))
    tagger = trained.tagger()
    return {
        "dev": tagger.evaluate(parts["dev"]).micro.f1 if parts["dev"] else None,
        "test": tagger.evaluate(parts["test"]).micro.f1,
        "epochs": trained.hyperparameters.epochs, "rate": trained.hyperparameters.learning_rate,
        "best_epoch": trained.best_epoch, "steps": trained.steps,
        "curve": [row["f1"] for row in trained.curve], "seconds": round(time.process_time() - began, 1),
    }  # fmt: skip


def table(runs: list[Run]) -> str:
    """Mean F1 of each corpus and choice of options, beside what is known."""
    lines = ["corpus: F1 on dev, test (deviation) [seeds]; a plain fine-tune's"]
    for corpus, options in dict.fromkeys((run["corpus"], str(run["options"])) for run in runs):
        own = [run for run in runs if (run["corpus"], str(run["options"])) == (corpus, options)]
        cells = [_mean([run[part] for run in own]) for part in ("dev", "test")]
        known = " ".join(f"{value:.3f}" for value in PLAIN.get(corpus, ()))
        steps = round(float(np.mean([run["steps"] for run in own])))
        lines.append(f"{corpus:<22}{options:<30}{'  '.join(cells)}  [{len(own)}] {steps} steps; {known or '–'}")
    return "\n".join(lines)


def _mean(values: list[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{np.mean(there):.3f} ±{np.std(there):.3f}" if there else f"{'–':<12}"


if __name__ == "__main__":
    main()
