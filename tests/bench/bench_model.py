"""How fast texts are tagged, beside the transformers pipeline with the same weights in the same run.

    python -m tests.bench.bench_model --documents 200 [--data some.conll]

The pipeline runs at the best of several batch sizes. The ratio says more than the rates: both move with the
machine. Without `--data`, the bundled sentences are tagged, over and over.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import pipeline

from labeling import tokens
from modelassist import base_model
from modelassist.encode import Encoder
from modelassist.hyperparameters import Hyperparameters
from modelassist.tagger import Tagger, batches
from modelassist.trainer import train

ROOT = Path(__file__).parents[2]
BATCH_SIZES = (1, 8, 32)


def sentences(data: Path | None, count: int) -> list[list[str]]:
    """Lists of words, repeated until there are enough."""
    if data is not None:
        blocks = data.read_text(encoding="utf-8").split("\n\n")
        found = [[line.split()[0] for line in block.splitlines() if line.split()] for block in blocks]
        found = [words for words in found if words]
    else:
        lines = (ROOT / "demo" / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines]
        found = [tokens.pieces(text, *tokens.tokenize(text, "words")) for text in texts]
    return list(itertools.islice(itertools.cycle(found), count))


def rate(work: Callable[[], object], count: int, *, runs: int = 3) -> float:
    """Documents per second, the best of several runs after one to warm up."""
    work()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return count / min(seconds)


def padding(tagger: Tagger, documents: list[list[str]]) -> float:
    """The share of padded pieces among all that the network sees."""
    encoder: Encoder = tagger._encoder
    windows = [window for words in documents for window in encoder.windows(words)]
    lengths = np.array([len(window.ids) for window in windows])
    seen = sum(lengths[batch].max() * len(batch) for batch in batches(windows, tagger._batch_pieces))
    return 1 - float(lengths.sum()) / float(seen)


def main() -> None:
    """Train a step, save, tag, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    documents = sentences(asked.data, asked.documents)
    example = (documents[0], ["B-X", *["O"] * (len(documents[0]) - 1)])
    steps = train(
        [example], [], labels=["X"], base=base_model.compact().path, hyperparameters=Hyperparameters(epochs=1)
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            trained = end.value
            break
    with tempfile.TemporaryDirectory() as folder:
        trained.save(Path(folder))
        tagger = Tagger.load(folder)
        ours = rate(lambda: list(tagger.predict(documents)), len(documents))
        tagging = pipeline("token-classification", model=folder, device=0 if torch.cuda.is_available() else -1)
        texts = [" ".join(words) for words in documents]
        theirs = {
            size: rate(lambda size=size: list(tagging(texts, batch_size=size)), len(texts), runs=1)
            for size in BATCH_SIZES
        }
    best = max(theirs, key=theirs.__getitem__)
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    print(
        f"{'':34}{'texts/s':>10}\n{'tagger':34}{ours:>10.0f}\n{f'pipeline, batches of {best}':34}{theirs[best]:>10.0f}"
    )
    print(
        f"{'ratio':34}{ours / theirs[best]:>10.1f}\n{'padding, share of pieces':34}{padding(tagger, documents):>10.3f}"
    )
    print(f"{len(documents)} texts on {where}")


if __name__ == "__main__":
    main()
