"""How fast texts are tagged and learned from, beside what `transformers` does with the same weights in the same run.

    python -m tests.bench.bench_model [--corpus wnut17] [--documents 2000] [--stored 5000] [--quick]

Three parts, each printed as it ends: tagging beside the pipeline at its best batch size; pre-annotation from the
database and back, by stage; training beside a plain `Trainer` at equal settings. Ratios say more than rates: both
sides take turns in the same run, so a busy machine slows both. Without the corpus, the bundled sentences serve.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from transformers import pipeline

from labeling import tokens
from modelassist import base_model, meter
from modelassist.hyperparameters import Hyperparameters
from modelassist.tagger import Tagger, precision
from modelassist.trainer import Trained, train
from tests.bench import conll, plain_trainer
from tests.bench.bench_data import database
from tests.bench.conll import Sentence
from tests.bench.training import outcome

ROOT = Path(__file__).parents[2]
BATCH_SIZES = (1, 8, 32)


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    conll.add_data_option(parser)
    parser.add_argument("--corpus", default="wnut17")
    parser.add_argument("--documents", type=int, default=2_000, help="texts tagged")
    parser.add_argument("--stored", type=int, default=5_000, help="texts pre-annotated in the database")
    parser.add_argument("--learned", type=int, help="texts learned from; all if not given")
    parser.add_argument("--epochs", type=int, default=3, help="of the training")
    parser.add_argument("--parts", nargs="+", default=["tag", "annotate", "train"])
    parser.add_argument("--quick", action="store_true", help="few texts, one epoch")
    asked = parser.parse_args()
    if asked.quick:
        asked.documents, asked.stored, asked.epochs = 300, 600, 1
    learned, exam = sentences(asked.data, asked.corpus)
    if asked.quick:
        learned, exam = learned[:300], exam[:300]
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} processor cores"
    print(f"{where}, {precision(torch.device('cuda' if torch.cuda.is_available() else 'cpu'))}")
    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder:
        trained(learned[:64], Hyperparameters(epochs=1), labels=conll.labels_of(learned)).save(Path(folder))
        documents = list(itertools.islice(itertools.cycle(words for words, _ in learned), asked.documents))
        if "tag" in asked.parts:
            tag(folder, documents)
        if "annotate" in asked.parts:
            annotate(folder, [words for words, _ in learned], asked.stored)
    if "train" in asked.parts:
        learn(learned[: asked.learned], exam, asked.epochs)


def sentences(data: Path, corpus: str) -> tuple[list[Sentence], list[Sentence]]:
    """To learn from, and to be examined on."""
    if (data / corpus).is_dir():
        parts = conll.read(data, corpus)
        return parts["train"], parts["test"]
    lines = [json.loads(line) for line in (ROOT / "demo" / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]
    words = [tokens.pieces(line["text"], *tokens.tokenize(line["text"], "words")) for line in lines]
    made = [(row, ["B-X", *["O"] * (len(row) - 1)]) for row in words]
    return made, made


class Cost(NamedTuple):
    """Seconds on the clock, and seconds of this process on all cores: the second hardly minds a busy machine."""

    clock: float
    cores: float


def cost(work: Callable[[], object]) -> Cost:
    """What it takes."""
    clock, cores = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - clock, time.process_time() - cores)


def _rates(count: int, costs: Iterable[Cost]) -> Cost:
    """The best rates per second of either kind."""
    return Cost(*(count / min(values) for values in zip(*costs, strict=True)))


def _line(name: str, value: str) -> None:
    print(f"{name:<48}{value:>12}", flush=True)


# Tagging ------------------------------------------------------------------------------------------------


def tag(folder: str, documents: list[list[str]], *, rounds: int = 3) -> None:
    """Texts per second of both, in turns; the best of each counts."""
    tagger = Tagger.load(folder)
    tagging = pipeline("token-classification", model=folder, device=0 if torch.cuda.is_available() else -1)
    few = documents[: max(100, len(documents) // 10)]
    texts = [" ".join(words) for words in few]
    list(tagger.predict(few))
    ours: list[Cost] = []
    theirs: dict[int, list[Cost]] = {size: [] for size in BATCH_SIZES}
    for _ in range(rounds):
        ours.append(cost(lambda: list(tagger.predict(documents))))
        for size, costs in theirs.items():
            costs.append(cost(lambda size=size: list(tagging(texts, batch_size=size))))
    own = _rates(len(documents), ours)
    rates = [(_rates(len(texts), costs), size) for size, costs in theirs.items()]
    best, size = max(rates)
    _line("tagging, texts/s", f"{own.clock:.0f}")
    _line(f"transformers pipeline, batches of {size}, texts/s", f"{best.clock:.0f}")
    _line("ratio", f"{own.clock / best.clock:.1f}")
    _line("ratio by processor time", f"{own.cores / max(rate.cores for rate, _ in rates):.1f}")
    _line("share of the measured matrix-multiply peak", f"{_share(tagger, documents, own.clock):.0%}")
    _line("padding, share of pieces", f"{padding(tagger, documents):.1%}")


def padding(tagger: Tagger, documents: list[list[str]]) -> float:
    """The share of padded pieces among all that the network sees."""
    meter.drain()
    list(tagger.predict(documents))
    counts = meter.drain()
    return 1 - counts[meter.PIECES] / counts[meter.PADDED]


def flops(tagger: Tagger, documents: list[list[str]]) -> float:
    """The operations that the texts' own pieces need: two per weight and piece, and those of attention."""
    lengths = np.array([len(window.ids) for words in documents for window in tagger._encoder.windows(words)])
    config = tagger._model.config
    weights = sum(value.numel() for value in tagger._model.bert.encoder.parameters() if value.dim() == 2)
    attention = 4.0 * config.num_hidden_layers * config.hidden_size * float((lengths.astype(float) ** 2).sum())
    return 2.0 * weights * float(lengths.sum()) + attention


def _share(tagger: Tagger, documents: list[list[str]], rate: float, *, size: int = 2_048) -> float:
    """Of the operations per second of a large square matrix multiplication in the tagger's precision, on all cores."""
    one = torch.randn(size, size, dtype=tagger._model.dtype, device=tagger._model.device)

    def multiply() -> None:
        torch.mm(one, one)
        if one.device.type == "cuda":
            torch.cuda.synchronize()

    multiply()
    peak = 2.0 * size**3 / min(cost(multiply).clock for _ in range(10))
    return flops(tagger, documents) * rate / len(documents) / peak


# Pre-annotation -----------------------------------------------------------------------------------------


def annotate(folder: str, texts: list[list[str]], count: int) -> None:
    """A job as the worker runs it, and where its time goes."""
    with database():
        from modelassist import preannotate, prioritize, serving
        from modelassist.encode import Encoder

        project = prepared(folder, texts, count)
        job = preannotate.start(project, project.created_by)
        clock: dict[str, float] = {}
        with ExitStack() as stack:
            for name, owner, function in (
                ("loading the model", serving, "tagger_for"),
                ("tagging in all", preannotate, "_tagged"),
                ("network", Tagger, "_forward_all"),
                ("words to pieces", Encoder, "windows"),
                ("writing suggestions", preannotate.predictions, "store"),
                ("writing scores", preannotate, "_store_uncertainty"),
                ("ordering the queue", prioritize, "apply"),
            ):
                stack.enter_context(_timed(clock, name, owner, function))
            took = cost(lambda: _run(job)).clock
    _line(f"pre-annotation of {count} stored texts, texts/s", f"{count / took:.0f}")
    for name, spent in clock.items():  # a page is written while the next one is tagged, so shares overlap
        _line(f"  {name}", f"{spent / took:.1%}")


@contextmanager
def _timed(clock: dict[str, float], name: str, owner: Any, function: str) -> Iterator[None]:
    """Add up the seconds spent in a function of a module or class."""
    real = getattr(owner, function)
    clock[name] = 0.0

    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            found = real(*arguments, **options)
            return list(found) if isinstance(found, Iterator) else found
        finally:
            clock[name] += time.perf_counter() - began

    with patch.object(owner, function, timed):
        yield


def prepared(folder: str, texts: list[list[str]], count: int) -> Any:
    """A project with open texts and the model in production."""
    import shutil

    from django.contrib.auth.models import User
    from django.utils import timezone

    from datasets_app import versions
    from labeling.models import Annotation, Document, Label, Membership, Project
    from modelassist import registry

    user = User.objects.create_user("bench")
    project = Project.objects.create(slug="bench", name="Bench", created_by=user)
    Membership.objects.create(project=project, user=user, role="manager")
    tagset = Tagger.load(folder).tagset
    names = dict.fromkeys(name[2:] for name in tagset.names if name != "O")
    Label.objects.bulk_create(
        Label(project=project, name=name, color="#56b4e9", position=at) for at, name in enumerate(names)
    )
    rows = []
    for at, words in zip(range(count + 1), itertools.cycle(texts), strict=False):
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        starts = ends - [len(word) for word in words]
        rows.append(
            Document(
                project=project, key=f"text-{at}", group_key=f"text-{at}", split="train", priority=0.5,
                text=" ".join(words), token_starts=starts.tolist(), token_ends=ends.tolist(),
            )
        )  # fmt: skip
    Document.objects.bulk_create(rows, batch_size=2_000)
    first = project.documents.first()
    Annotation.objects.create(
        document=first, annotator=user, tags=["O"] * len(first.token_starts), state="submitted", accepted=True,
        submitted_at=timezone.now(), accepted_at=timezone.now(), accepted_by=user,
    )  # fmt: skip
    Document.objects.filter(pk=first.pk).update(status="accepted")
    model = registry.register(
        project, None, dataset_version=versions.freeze_now(project, None, reuse=True), base_model="bench",
        hyperparameters={}, labels=list(tagset.names), metrics={"evaluated_on": "test", "micro": {"f1": 1.0}},
        path="bench/model",
    )  # fmt: skip
    shutil.copytree(folder, model.folder)
    registry.promote(model, user)
    return project


def _run(job: Any) -> None:
    from datasets_app import jobs

    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message


# Training -----------------------------------------------------------------------------------------------


def learn(learned: list[Sentence], exam: list[Sentence], epochs: int) -> None:
    """The same weights, data, epochs, batches, learning rate and schedule on both sides; F1 decoded alike."""
    chosen = Hyperparameters(epochs=epochs)
    outcomes: list[Trained] = []
    own = cost(lambda: outcomes.append(trained(learned, chosen)))
    (ours,) = outcomes
    with tempfile.TemporaryDirectory(prefix="goldset-bench-") as folder:
        trainer = plain_trainer.build(learned, conll.labels_of(learned), ours.hyperparameters, Path(folder))
        theirs = cost(trainer.train)
        plain_trainer.save(trainer, Path(folder))
        their_f1 = Tagger.load(folder).evaluate(exam).micro.f1
    passes = len(learned) * epochs
    _line("training, texts/s", f"{passes / own.clock:.0f}")
    _line("transformers Trainer, texts/s", f"{passes / theirs.clock:.0f}")
    _line("ratio", f"{theirs.clock / own.clock:.1f}")
    _line("ratio by processor time", f"{theirs.cores / own.cores:.1f}")
    _line("F1 of both", f"{ours.tagger().evaluate(exam).micro.f1:.3f} {their_f1:.3f}")


def trained(examples: list[Sentence], chosen: Hyperparameters, *, labels: list[str] | None = None) -> Trained:
    """The compact encoder, taught the examples."""
    labels = labels or conll.labels_of(examples)
    return outcome(train(examples, [], labels=labels, base=base_model.compact().path, hyperparameters=chosen))


if __name__ == "__main__":
    main()
