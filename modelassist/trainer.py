"""Fine-tunes a BERT for token classification: a generator that yields one `Progress` per optimizer step.

The caller logs, saves and stops; closing the generator ends the training and leaves torch's global random
state as it was. First pieces carry labels, documents of any length are windowed, word embeddings are
frozen, mixed precision is bf16, AdamW with linear warm-up and decay (Devlin et al. 2019; Loshchilov &
Hutter 2019), and the state with the best validation F1 is the one that is kept.
"""

import copy
import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import AutoConfig, AutoTokenizer, BertForTokenClassification, PreTrainedTokenizerBase

from datasets_app import stopping
from labeling.errors import Invalid
from modelassist import calibration, crf, decode, team
from modelassist.augment import Augmentation, Vocabulary, augmented
from modelassist.checkpoint import Checkpoint
from modelassist.crf import Crf
from modelassist.decode import Floats, Ints, Tagset, Transitions
from modelassist.encode import Encoder, align
from modelassist.hyperparameters import Hyperparameters
from modelassist.optimizer import Optimizer, Sample, tag_weights
from modelassist.tagger import Example, Tagger, precision
from modelassist.team import Team

_POOL_BATCHES = 50
_CALIBRATION_CHUNKS = 16  # of some 16,000 words each: more say nothing new about a single number


class Progress(NamedTuple):
    """Where a training is after a step."""

    step: int
    steps: int
    epoch: int  # from 1
    epochs: int
    loss: float | None  # of this step; None where its batch held no label
    f1: float | None  # best so far on validation; None before the first evaluation
    curve: list[dict[str, Any]]  # the epochs that are over: {epoch, loss, f1}


@dataclass(slots=True)
class Trained:
    """The outcome: the network in its best state, and how it got there."""

    model: BertForTokenClassification
    tokenizer: PreTrainedTokenizerBase
    tagset: Tagset
    hyperparameters: Hyperparameters
    best_f1: float | None = None
    best_epoch: int = 0
    steps: int = 0  # optimizer steps made
    temperature: float = 1.0  # already in the head's weights
    curve: list[dict[str, Any]] = field(default_factory=list)  # one row per epoch
    crf: Crf | None = None

    def tagger(self) -> Tagger:
        """The network as it is now, in the precision in which it will predict."""
        model = copy.deepcopy(self.model).to(precision(self.model.device)).eval()
        pieces = model.config.max_position_embeddings
        encoder = Encoder(self.tokenizer.backend_tokenizer, max_pieces=pieces)
        return Tagger(model, encoder, self.tagset, transitions=self.crf.transitions() if self.crf else None)

    @property
    def modules(self) -> torch.nn.ModuleList:
        """All that has weights."""
        return torch.nn.ModuleList([self.model, *([self.crf] if self.crf else [])])

    def save(self, folder: Path) -> None:
        """Write a plain transformers folder; learned transitions lie beside it."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        if self.crf is not None:
            crf.save(self.crf.transitions(), self.tagset, folder)


def gpu() -> bool:
    """Whether there is one to train on."""
    return torch.cuda.is_available()


@dataclass(frozen=True, slots=True)
class Task:
    """What to train, as every process of a team must know it."""

    examples: Iterable[Example]
    labels: Sequence[str]
    base: Path
    asked: Hyperparameters
    checkpoint: Checkpoint | None


def train(
    examples: Iterable[Example],
    validation: Iterable[Example],
    *,
    labels: Sequence[str],
    base: Path,
    hyperparameters: Hyperparameters | None = None,
    device: str | None = None,
    checkpoint: Checkpoint | None = None,
    processes: int = 1,
) -> Generator[Progress, None, Trained]:
    """Train on `examples`, stop by `validation` (read once per epoch; empty: the last state is kept).

    With a `checkpoint`, it goes on where a killed training was, and ends as that would have ended. With several
    `processes`, others on this machine take a part of each batch, on a GPU each where there are any.
    Raises `Invalid` where there is nothing to learn from, the base model does not fit, or the loss diverges.
    """
    where = torch.device(device or ("cuda" if gpu() else "cpu"))
    shared = examples if processes == 1 else list(examples)
    task = Task(shared, labels, base, hyperparameters or Hyperparameters(), checkpoint)
    with team.led(processes, task, cpu=where.type == "cpu") as together:
        result = yield from _trained(task, validation, where, together)
    _calibrate(result, validation)
    return result


def along(task: Task, member: Team) -> Generator[Progress, None, Trained]:
    """Take part in a training that another process leads."""
    return _trained(task, (), torch.device(f"cuda:{member.rank}" if gpu() else "cpu"), member)


def processes(wished: int) -> int:
    """How many processes shall train together: as many as are wished for; 0 is one for each GPU."""
    gpus = torch.cuda.device_count() if gpu() else 0
    return min(wished or gpus, gpus) if gpus else max(1, wished)


def _trained(
    task: Task, validation: Iterable[Example], where: torch.device, together: Team
) -> Generator[Progress, None, Trained]:
    asked = task.asked
    own = _OwnRandomness(asked.seed, where)
    tagset = Tagset.of_labels(task.labels)
    with own:
        model, tokenizer = _load(task.base, tagset, dropout=asked.dropout)
        chain = _chain(task.base, tagset) if asked.transitions == "learned" else None
    positions = model.config.max_position_embeddings
    encoder = Encoder(tokenizer.backend_tokenizer, max_pieces=min(asked.max_pieces, positions))
    samples = list(_samples(_with_copies(task.examples, asked), encoder, tagset))
    if not samples:
        message = "There is no labeled token to train on: the training documents are empty."
        raise Invalid(message, code="nothing_to_train_on")
    batches = _Batches(samples, asked)
    chosen = asked.complete(steps_per_epoch=len(batches), hidden_size=model.config.hidden_size)
    result = Trained(model.to(where), tokenizer, tagset, chosen, crf=chain and chain.to(where))
    weights = tag_weights(samples, len(tagset.names)).to(where) if asked.class_weights == "balanced" else None
    steps = len(batches) * (chosen.epochs or 1)
    optimizer = Optimizer(result.model, result.crf, chosen, steps=steps, weights=weights, together=together)
    yield from _Run(result, optimizer, own, task.checkpoint, together).epochs(batches, validation)
    return result


def _load(base: Path, tagset: Tagset, *, dropout: float) -> tuple[BertForTokenClassification, Any]:
    """The base encoder in fp32 with a fresh head; rows for tags that the base knows are copied by name."""
    try:
        kind = AutoConfig.from_pretrained(base).model_type
        if kind != "bert":
            raise Invalid(f"Base model {str(base)!r} is a {kind}, not a BERT.", code="base_model_unfit")
        tokenizer = AutoTokenizer.from_pretrained(base)
        drop = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
        model = BertForTokenClassification.from_pretrained(base, dtype=torch.float32, **drop)
    except (OSError, ValueError) as error:
        raise Invalid(f"Base model {str(base)!r} cannot be read: {error}", code="base_model_unreadable") from error
    _renew_head(model, tagset)
    return model, tokenizer


def _renew_head(model: BertForTokenClassification, tagset: Tagset) -> None:
    """Put one row per tag on the encoder; a row's number says nothing of its tag, only its name does."""
    old, config = model.classifier, model.config
    head = torch.nn.Linear(config.hidden_size, len(tagset.names))
    with torch.no_grad():
        head.weight.normal_(0.0, config.initializer_range)
        head.bias.zero_()
        for name in tagset.ids.keys() & config.label2id.keys():
            head.weight[tagset.ids[name]] = old.weight[config.label2id[name]]
            head.bias[tagset.ids[name]] = old.bias[config.label2id[name]]
    model.classifier, model.num_labels = head, len(tagset.names)
    config.id2label, config.label2id = dict(enumerate(tagset.names)), dict(tagset.ids)


def _samples(examples: Iterable[Example], encoder: Encoder, tagset: Tagset) -> Iterator[Sample]:
    """The windows of all documents; those without a labeled piece teach nothing and are left out."""
    for tokens, tags in examples:
        stopping.check()
        windows = list(encoder.windows(tokens))
        for window, labels in zip(windows, align(windows, tagset.to_ids(tags), tagset), strict=True):
            if len(window.words):
                yield Sample(window.ids, labels)


def _with_copies(examples: Iterable[Example], chosen: Hyperparameters) -> Iterator[Example]:
    """The examples, and after them their changed copies where augmentation is asked for."""
    yield from examples
    how = Augmentation(
        chosen.mention_replacement, chosen.token_replacement, chosen.segment_shuffle, chosen.augmented_copies
    )
    if how.active:
        yield from augmented(examples, Vocabulary.of(examples), how, chosen.seed)


def _chain(base: Path, tagset: Tagset) -> Crf:
    """Transitions to learn, beginning with what the base knows of them."""
    new = Crf(len(tagset.names))
    config = AutoConfig.from_pretrained(base)
    known = Tagset(tuple(config.id2label[index] for index in range(len(config.id2label))))
    if (base / crf.FILE).is_file() and (old := crf.load(base, known)) is not None:
        new.copy_known(tagset, old, known)
    return new


class _Run:
    """The epochs of a training: writes the curve and the best state into `result`, and keeps checkpoints."""

    def __init__(
        self,
        result: Trained,
        optimizer: Optimizer,
        own: "_OwnRandomness",
        checkpoint: Checkpoint | None,
        together: Team,
    ) -> None:
        self._together = together
        self._result, self._optimizer, self._own, self._checkpoint = result, optimizer, own, checkpoint
        self._best: dict[str, torch.Tensor] = {}
        self._losses: list[float] = []
        self._epoch, self._batches_done = 1, 0

    def epochs(self, batches: "_Batches", validation: Iterable[Example]) -> Generator[Progress, None, None]:
        """Run them, from the checkpoint's place on if there is one."""
        self._resume()
        result, epochs = self._result, self._result.hyperparameters.epochs or 1
        while self._epoch <= epochs and not self._patience_is_over():
            for batch in islice(batches.of(self._epoch), self._batches_done, None):
                yield self._progress(self._step(batch))
            f1 = self._validated(validation) if self._together.leads else None
            self._close_epoch(self._together.agreed(f1))
        if self._best:
            result.modules.load_state_dict(self._best)

    def _progress(self, loss: float | None) -> Progress:
        result, optimizer = self._result, self._optimizer
        epochs = result.hyperparameters.epochs or 1
        return Progress(optimizer.step, optimizer.steps, self._epoch, epochs, loss, result.best_f1, result.curve)

    def _validated(self, validation: Iterable[Example]) -> float | None:
        """Entity micro F1 on the validation documents, decoded as they will be in production; None without any."""
        scores = self._result.tagger().evaluate(validation)
        return scores.micro.f1 if scores.documents else None

    def _patience_is_over(self) -> bool:
        waited = len(self._result.curve) - self._result.best_epoch
        return self._result.best_f1 is not None and waited >= self._result.hyperparameters.patience

    def _step(self, batch: Sequence[Sample]) -> float | None:
        with self._own:
            if not self._together.leads:  # dropout of its own, the same after a kill
                torch.manual_seed(hash((self._own.seed, self._together.rank, self._optimizer.step)))
            loss = self._optimizer.step_on(batch)
        self._result.steps = self._optimizer.step
        self._losses += [] if loss is None else [loss]
        self._batches_done += 1
        if self._checkpoint is not None and self._checkpoint.due and self._together.leads:
            self._checkpoint.save(self._state())
        return loss

    def _close_epoch(self, f1: float | None) -> None:
        """A row of the curve, and the best state if it is that."""
        result = self._result
        result.curve.append({"epoch": self._epoch, "loss": float(np.mean(self._losses or [0])), "f1": f1})
        if f1 is None or result.best_f1 is None or f1 > result.best_f1:
            result.best_f1, result.best_epoch = f1, self._epoch
            state = result.modules.state_dict()
            self._best = {name: value.clone() for name, value in state.items()} if f1 is not None else {}
        self._epoch, self._batches_done, self._losses = self._epoch + 1, 0, []

    def _state(self) -> dict[str, Any]:
        return {
            "modules": self._result.modules.state_dict(),
            "adam": self._optimizer.adam.state_dict(),
            "step": self._optimizer.step,
            "random": self._own.state,
            "best": self._best,
            "losses": self._losses,
            "epoch": self._epoch,
            "batches_done": self._batches_done,
            "result": {name: getattr(self._result, name) for name in ("curve", "best_f1", "best_epoch", "steps")},
        }

    def _resume(self) -> None:
        state = self._checkpoint.load() if self._checkpoint else None
        if state is None:
            return
        device = self._result.model.device
        self._result.modules.load_state_dict(state["modules"])
        self._optimizer.adam.load_state_dict(state["adam"])
        self._optimizer.step, self._own.state = state["step"], state["random"]
        self._best = {name: value.to(device) for name, value in state["best"].items()}
        self._losses, self._epoch, self._batches_done = state["losses"], state["epoch"], state["batches_done"]
        for name, value in state["result"].items():
            setattr(self._result, name, value)


def _calibrate(result: Trained, validation: Iterable[Example]) -> None:
    """Fit the temperature on validation and divide the head by it.

    The head is linear, so this is the same as dividing its scores; whoever loads the folder, with or without us,
    gets calibrated probabilities.
    """
    rows = list(islice(result.tagger().rows(validation), _CALIBRATION_CHUNKS))
    if not rows:
        return
    scores = np.concatenate([row[0] for row in rows])
    gold, lengths = (np.concatenate([row[at] for row in rows]) for at in (1, 2))
    if result.crf is None:
        result.temperature = calibration.temperature(scores, gold)
    elif len(gold):
        learned, tagset = result.crf.transitions(), result.tagset
        result.temperature = calibration.best(
            lambda value: _chain_loss((scores / value).astype(np.float32), lengths, tagset, learned / value, gold)
        )
    with torch.no_grad():
        for weights in (*result.model.classifier.parameters(), *(result.crf.parameters() if result.crf else ())):
            weights /= result.temperature


def _chain_loss(scores: Floats, lengths: Ints, tagset: Tagset, learned: Transitions, gold: Ints) -> float:
    stopping.check()
    return calibration.loss(decode.marginals(scores, lengths, tagset, learned), gold, 1)


class _Batches:
    """The samples in batches; as many in every epoch.

    Within a pool of some batches windows are sorted by length, so that little is padded. Sorting all of
    them would cost F1: batches of one length alone are too much alike.
    """

    def __init__(self, samples: list[Sample], chosen: Hyperparameters) -> None:
        self._samples, self._seed = samples, chosen.seed
        self._lengths = np.array([len(sample.ids) for sample in samples])
        fitting = int(chosen.batch_pieces // self._lengths.mean())
        self._size = min(chosen.batch_size, max(1, fitting)) * chosen.accumulation

    def __len__(self) -> int:
        return math.ceil(len(self._samples) / self._size)

    def of(self, epoch: int) -> Iterator[list[Sample]]:
        """The batches of an epoch, mixed anew."""
        random = np.random.default_rng((self._seed, epoch))
        order = random.permutation(len(self._samples))
        pool = self._size * _POOL_BATCHES
        pools = [order[at : at + pool] for at in range(0, len(order), pool)]
        by_length = np.concatenate([pool[np.argsort(self._lengths[pool], kind="stable")] for pool in pools])
        for batch in random.permutation(len(self)):
            yield [self._samples[index] for index in by_length[batch * self._size : (batch + 1) * self._size]]


class _OwnRandomness:
    """A random state of its own for initial weights and dropout: `with` swaps it in and out of torch."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self._cuda = device.type == "cuda"
        self._devices = [torch.cuda.current_device()] if self._cuda else []
        with torch.random.fork_rng(self._devices):
            torch.manual_seed(seed)
            self.state = self._read()

    def _read(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        return torch.get_rng_state(), torch.cuda.get_rng_state() if self._cuda else None

    def _write(self, state: tuple[torch.Tensor, torch.Tensor | None]) -> None:
        torch.set_rng_state(state[0])
        if state[1] is not None:
            torch.cuda.set_rng_state(state[1])

    def __enter__(self) -> None:
        self._outside = self._read()
        self._write(self.state)

    def __exit__(self, *_: object) -> None:
        self.state = self._read()
        self._write(self._outside)
