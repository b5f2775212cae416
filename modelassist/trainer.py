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
from torch.nn import functional
from transformers import AutoConfig, AutoTokenizer, BertForTokenClassification, PreTrainedTokenizerBase

from labeling.errors import Invalid
from modelassist import calibration
from modelassist.decode import Ints, Tagset
from modelassist.encode import IGNORED, Encoder, align
from modelassist.hyperparameters import Hyperparameters
from modelassist.tagger import Example, Tagger, padded, precision

_POOL_BATCHES = 50
_CALIBRATION_CHUNKS = 16  # of some 16,000 words each: more say nothing new about a single number
_MICRO_PIECES = 4_096  # padded pieces in one forward pass; larger batches are summed up from several


class Progress(NamedTuple):
    """Where a training is after a step."""

    step: int
    steps: int
    epoch: int  # from 1
    epochs: int
    loss: float | None  # of this step; None where its batch held no label
    f1: float | None  # best so far on validation; None before the first evaluation


class Sample(NamedTuple):
    """One training window."""

    ids: np.ndarray
    labels: Ints


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

    def tagger(self) -> Tagger:
        """The network as it is now, in the precision in which it will predict."""
        model = copy.deepcopy(self.model).to(precision(self.model.device)).eval()
        pieces = model.config.max_position_embeddings
        return Tagger(model, Encoder(self.tokenizer.backend_tokenizer, max_pieces=pieces), self.tagset)

    def save(self, folder: Path) -> None:
        """Write a plain transformers folder."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def gpu() -> bool:
    """Whether there is one to train on."""
    return torch.cuda.is_available()


def train(
    examples: Iterable[Example],
    validation: Iterable[Example],
    *,
    labels: Sequence[str],
    base: Path,
    hyperparameters: Hyperparameters | None = None,
    device: str | None = None,
) -> Generator[Progress, None, Trained]:
    """Train on `examples`, stop by `validation` (read once per epoch; empty: the last state is kept).

    Raises `Invalid` where there is nothing to learn from, the base model does not fit, or the loss diverges.
    """
    asked = hyperparameters or Hyperparameters()
    where = torch.device(device or ("cuda" if gpu() else "cpu"))
    own = _OwnRandomness(asked.seed, where)
    tagset = Tagset.of_labels(labels)
    with own:
        model, tokenizer = _load(base, tagset, dropout=asked.dropout)
    positions = model.config.max_position_embeddings
    encoder = Encoder(tokenizer.backend_tokenizer, max_pieces=min(asked.max_pieces, positions))
    samples = list(_samples(examples, encoder, tagset))
    if not samples:
        message = "There is no labeled token to train on: the training documents are empty."
        raise Invalid(message, code="nothing_to_train_on")
    batches = _Batches(samples, asked)
    chosen = asked.complete(steps_per_epoch=len(batches), hidden_size=model.config.hidden_size)
    result = Trained(model.to(where), tokenizer, tagset, chosen)
    yield from _epochs(result, batches, validation, own)
    _calibrate(result, validation)
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
        windows = list(encoder.windows(tokens))
        for window, labels in zip(windows, align(windows, tagset.to_ids(tags), tagset), strict=True):
            if len(window.words):
                yield Sample(window.ids, labels)


def _epochs(
    result: Trained, batches: "_Batches", validation: Iterable[Example], own: "_OwnRandomness"
) -> Generator[Progress, None, None]:
    """Run the epochs, writing the curve and the best state into `result`."""
    chosen = result.hyperparameters
    optimizer = _Optimizer(result.model, chosen, steps=len(batches) * (chosen.epochs or 1))
    best: dict[str, torch.Tensor] = {}
    for epoch in range(1, (chosen.epochs or 1) + 1):
        losses: list[float] = []
        for batch in batches.of(epoch):
            with own:
                loss = optimizer.step_on(batch)
            result.steps = optimizer.step
            losses += [] if loss is None else [loss]
            yield Progress(optimizer.step, optimizer.steps, epoch, chosen.epochs or 1, loss, result.best_f1)
        f1 = _validate(result, validation)
        result.curve.append({"epoch": epoch, "loss": float(np.mean(losses or [0])), "f1": f1})
        if f1 is None or result.best_f1 is None or f1 > result.best_f1:
            result.best_f1, result.best_epoch = f1, epoch
            best = {name: value.clone() for name, value in result.model.state_dict().items()} if f1 is not None else {}
        elif epoch - result.best_epoch >= chosen.patience:
            break
    if best:
        result.model.load_state_dict(best)


def _calibrate(result: Trained, validation: Iterable[Example]) -> None:
    """Fit the temperature on validation and divide the head by it.

    The head is linear, so this is the same as dividing its scores; whoever loads the folder, with or without us,
    gets calibrated probabilities.
    """
    rows = list(islice(result.tagger().rows(validation), _CALIBRATION_CHUNKS))
    if not rows:
        return
    log_probs, gold = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    result.temperature = calibration.temperature(log_probs, gold)
    with torch.no_grad():
        result.model.classifier.weight /= result.temperature
        result.model.classifier.bias /= result.temperature


def _validate(result: Trained, validation: Iterable[Example]) -> float | None:
    """Entity micro F1 on the validation documents, decoded as they will be in production; None without any."""
    found = result.tagger().evaluate(validation)
    return found.micro.f1 if found.documents else None


class _Optimizer:
    """AdamW over the parameters that learn, with its schedule; lives for one training."""

    def __init__(self, model: BertForTokenClassification, chosen: Hyperparameters, *, steps: int) -> None:
        self.step, self.steps = 0, steps
        self._model, self._chosen = model, chosen
        self._device = model.device
        if chosen.freeze_embeddings:
            model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
        learning = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
        decayed = [value for name, value in learning if not _is_exempt(name)]
        plain = [value for name, value in learning if _is_exempt(name)]
        groups = [{"params": decayed, "weight_decay": chosen.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self._parameters = decayed + plain
        self._adam = torch.optim.AdamW(groups, lr=0.0, fused=True)

    def step_on(self, batch: Sequence[Sample]) -> float | None:
        """One update; returns the mean loss per labeled token, or None (and no update) without any."""
        self.step += 1
        labeled = sum(int((sample.labels != IGNORED).sum()) for sample in batch)
        if not labeled:
            return None  # the mean of nothing is NaN and would poison every weight
        self._model.train()
        loss = sum(self._backward(part, labeled) for part in _micro_batches(batch))
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, self._chosen.clip)
        if not (math.isfinite(loss) and math.isfinite(norm.item())):
            message = f"Training diverged at step {self.step}: the loss is {loss}. Choose a smaller learning_rate."
            raise Invalid(message, code="training_diverged", details={"field": "learning_rate"})
        for group in self._adam.param_groups:
            group["lr"] = (self._chosen.learning_rate or 0.0) * rate(self.step, self.steps, self._chosen.warmup)
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        return loss

    def _backward(self, part: Sequence[Sample], labeled: int) -> float:
        ids, mask = padded([sample.ids for sample in part])
        labels, _ = padded([sample.labels for sample in part], fill=IGNORED)
        mixed = precision(self._device) is torch.bfloat16
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=mixed):
            outputs = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device))
        loss = functional.cross_entropy(
            outputs.logits.float().flatten(0, 1),
            labels.to(self._device).flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self._chosen.label_smoothing,
        )
        (loss / labeled).backward()  # type: ignore[no-untyped-call]
        return loss.item() / labeled


def _is_exempt(name: str) -> bool:
    return name.endswith("bias") or "LayerNorm" in name


def rate(step: int, steps: int, warmup: float) -> float:
    """The share of the learning rate at `step` (from 1) of `steps`: linear up, then linear down to 0."""
    rising = max(1, round(steps * warmup))
    return step / rising if step <= rising else max(0.0, (steps - step + 1) / (steps - rising + 1))


class _Batches:
    """The samples in batches; as many in every epoch.

    Within a pool of some batches windows are sorted by length, so that little is padded. Sorting all of
    them would cost F1: batches of one length alone are too much alike.
    """

    def __init__(self, samples: list[Sample], chosen: Hyperparameters) -> None:
        self._samples, self._seed = samples, chosen.seed
        self._lengths = np.array([len(sample.ids) for sample in samples])
        fitting = int(chosen.batch_pieces // self._lengths.mean())
        self._size = min(chosen.batch_size, max(1, fitting))

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


def _micro_batches(batch: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    longest = max(len(sample.ids) for sample in batch)
    size = max(1, _MICRO_PIECES // longest)
    for at in range(0, len(batch), size):
        yield batch[at : at + size]


class _OwnRandomness:
    """A random state of its own for initial weights and dropout: `with` swaps it in and out of torch."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._devices = [torch.cuda.current_device()] if self._cuda else []
        with torch.random.fork_rng(self._devices):
            torch.manual_seed(seed)
            self._state = self._read()

    def _read(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        return torch.get_rng_state(), torch.cuda.get_rng_state() if self._cuda else None

    def _write(self, state: tuple[torch.Tensor, torch.Tensor | None]) -> None:
        torch.set_rng_state(state[0])
        if state[1] is not None:
            torch.cuda.set_rng_state(state[1])

    def __enter__(self) -> None:
        self._outside = self._read()
        self._write(self._state)

    def __exit__(self, *_: object) -> None:
        self._state = self._read()
        self._write(self._outside)
