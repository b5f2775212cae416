"""One step of a training after another: losses, gradients, and AdamW with its schedule.

Cross-entropy over first pieces, or a CRF's likelihood; optionally with a second pass over perturbed inputs.
Layers nearer to the input may learn more slowly (Howard & Ruder 2018).
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional
from transformers import BertForTokenClassification

from datasets_app import stopping
from labeling.errors import Invalid
from modelassist import adversarial, meter
from modelassist.crf import Crf
from modelassist.decode import Ints
from modelassist.encode import IGNORED
from modelassist.hyperparameters import Hyperparameters
from modelassist.tagger import padded, precision, sent
from modelassist.team import ALONE, Team

_MICRO_PIECES = 4_096  # padded pieces in one forward pass; larger batches are summed up, and halved out of memory
_WEIGHT_MAX = 10.0  # of the rarest tag, where tags are weighted


class Sample(NamedTuple):
    """One training window."""

    ids: np.ndarray
    labels: Ints


class Optimizer:
    """AdamW over the parameters that learn, with its schedule; lives for one training."""

    def __init__(
        self,
        model: BertForTokenClassification,
        crf: Crf | None,
        chosen: Hyperparameters,
        *,
        steps: int,
        weights: torch.Tensor | None = None,
        together: Team = ALONE,
    ) -> None:
        self._together = together
        self.step, self.steps = 0, steps
        self._model, self._crf, self._chosen, self._weights = model, crf, chosen, weights
        self._device, self._micro_pieces = model.device, _MICRO_PIECES
        for part in _frozen(model, chosen):
            part.requires_grad_(False)
        groups = list(_groups(model, crf, chosen))
        self._parameters = [value for group in groups for value in group["params"]]
        self.adam = torch.optim.AdamW(groups, lr=0.0, fused=True)

    def step_on(self, batch: Sequence[Sample]) -> float | None:
        """One update; returns the mean loss per labeled token, or None (and no update) without any."""
        self.step += 1
        labeled = sum(int((sample.labels != IGNORED).sum()) for sample in batch)
        if not labeled:
            return None  # the mean of nothing is NaN and would poison every weight
        self._model.train()
        own = self._together.share(batch)
        loss = self._together.summed(self._parameters, self._gradients(own, labeled))
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, self._chosen.clip)
        if not (math.isfinite(loss) and math.isfinite(norm.item())):
            message = f"Training diverged at step {self.step}: the loss is {loss}. Choose a smaller learning_rate."
            raise Invalid(message, code="training_diverged", details={"field": "learning_rate"})
        now = (self._chosen.learning_rate or 0.0) * rate(self.step, self.steps, self._chosen.warmup)
        for group in self.adam.param_groups:
            group["lr"] = now * group["share"]
        self.adam.step()
        meter.count(training_steps=1)
        self.adam.zero_grad(set_to_none=True)
        return loss

    def _gradients(self, batch: Sequence[Sample], labeled: int) -> float:
        """Of the samples, in parts that fit the memory; gives the loss."""
        while True:
            try:
                return sum(self._backward(part, labeled) for part in _micro_batches(batch, self._micro_pieces))
            except torch.OutOfMemoryError:
                if self._micro_pieces <= max(len(sample.ids) for sample in batch):
                    raise  # windows already come one by one
            self.adam.zero_grad(set_to_none=True)  # what came together until then would count twice
            torch.cuda.empty_cache()
            self._micro_pieces //= 2

    def _backward(self, part: Sequence[Sample], labeled: int) -> float:
        stopping.check()
        ids, mask = (sent(values, self._device) for values in padded([sample.ids for sample in part]))
        labels = sent(padded([sample.labels for sample in part], fill=IGNORED)[0], self._device)
        embedded = self._model.bert.embeddings.word_embeddings(ids)

        def loss_of(inputs: torch.Tensor) -> torch.Tensor:
            return self._loss(inputs, mask, labels) / labeled

        loss = loss_of(embedded)
        loss.backward()  # type: ignore[no-untyped-call]
        if self._chosen.adversarial != "none":
            change = adversarial.perturbation(
                loss_of,
                embedded,
                mask,
                method=self._chosen.adversarial,
                epsilon=self._chosen.adversarial_epsilon,
                steps=self._chosen.adversarial_steps,
            )
            loss_of(self._model.bert.embeddings.word_embeddings(ids) + change).backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _loss(self, inputs: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Summed over the labeled pieces."""
        mixed = precision(self._device) is torch.bfloat16
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=mixed):
            outputs = self._model(inputs_embeds=inputs, attention_mask=mask)
        scores = outputs.logits.float()
        if self._crf is not None:
            return self._crf.loss(*_of_words(scores, labels))
        return functional.cross_entropy(
            scores.flatten(0, 1),
            labels.flatten(),
            weight=self._weights,
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self._chosen.label_smoothing,
        )


def _frozen(model: BertForTokenClassification, chosen: Hyperparameters) -> Iterator[torch.nn.Module]:
    """What does not learn. Through frozen layers no gradient has to be carried, which is what makes them cheap."""
    if chosen.freeze_embeddings:
        yield model.bert.embeddings.word_embeddings
    if chosen.freeze_layers:
        yield model.bert.embeddings
        yield from model.bert.encoder.layer[: chosen.freeze_layers]


def _groups(model: BertForTokenClassification, crf: Crf | None, chosen: Hyperparameters) -> Iterator[dict[str, Any]]:
    """The parameters that learn, by weight decay and by how fast their layer learns."""
    learning = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    top = model.config.num_hidden_layers + 1
    for layer in range(top + 1):
        share = chosen.layer_decay ** (top - layer)
        own = [(name, value) for name, value in learning if _layer(name, top) == layer]
        for exempt in (False, True):
            if params := [value for name, value in own if _is_exempt(name) == exempt]:
                yield {"params": params, "weight_decay": 0.0 if exempt else chosen.weight_decay, "share": share}
    if crf is not None:
        yield {"params": list(crf.parameters()), "weight_decay": 0.0, "share": 1.0}


def _layer(name: str, top: int) -> int:
    """0 for the embeddings, then the encoder's layers, and `top` for the head."""
    found = re.search(r"encoder\.layer\.(\d+)\.", name)
    return int(found[1]) + 1 if found else 0 if ".embeddings." in name else top


def _is_exempt(name: str) -> bool:
    return name.endswith("bias") or "LayerNorm" in name


def _of_words(scores: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Only the labeled pieces of each window, moved together to the front; padded with `IGNORED`."""
    order = torch.argsort((labels == IGNORED).int(), dim=1, stable=True)[:, : int((labels != IGNORED).sum(1).max())]
    return scores.gather(1, order.unsqueeze(2).expand(-1, -1, scores.shape[2])), labels.gather(1, order)


def rate(step: int, steps: int, warmup: float) -> float:
    """The share of the learning rate at `step` (from 1) of `steps`: linear up, then linear down to 0."""
    rising = max(1, round(steps * warmup))
    return step / rising if step <= rising else max(0.0, (steps - step + 1) / (steps - rising + 1))


def tag_weights(samples: Sequence[Sample], tags: int) -> torch.Tensor:
    """A weight per tag, by the root of how rare it is: 1 for the average token, at most tenfold."""
    counts = sum((np.bincount(s.labels[s.labels != IGNORED], minlength=tags) for s in samples), np.zeros(tags))
    weights = np.sqrt(counts.sum() / np.maximum(counts, 1))
    weights *= counts.sum() / max(1.0, float((weights * counts).sum()))
    return torch.from_numpy(np.minimum(weights, _WEIGHT_MAX).astype(np.float32))


def _micro_batches(batch: Sequence[Sample], pieces: int) -> Iterator[Sequence[Sample]]:
    longest = max((len(sample.ids) for sample in batch), default=1)
    size = max(1, pieces // longest)
    for at in range(0, len(batch), size):
        yield batch[at : at + size]
