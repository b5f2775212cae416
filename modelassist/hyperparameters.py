"""The knobs of a training, checked; pure, so that the web process can refuse a bad one at once.

What is left out (None) is chosen when the size of the data and of the network are known.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from labeling.errors import Invalid


@dataclass(frozen=True, slots=True)
class Range:
    """What a field may be: `kind` between `low` and `high`, both included."""

    kind: type
    low: float
    high: float


RANGES = {
    "epochs": Range(int, 1, 100),
    "learning_rate": Range(float, 1e-7, 1e-1),
    "batch_size": Range(int, 1, 256),
    "batch_pieces": Range(int, 16, 65_536),
    "weight_decay": Range(float, 0, 1),
    "warmup": Range(float, 0, 1),
    "clip": Range(float, 0.01, 100),
    "label_smoothing": Range(float, 0, 0.5),
    "dropout": Range(float, 0, 0.9),
    "patience": Range(int, 1, 100),
    "max_pieces": Range(int, 16, 512),
    "seed": Range(int, 0, 2**31 - 1),
    "accumulation": Range(int, 1, 64),
    "layer_decay": Range(float, 0.1, 1),
    "freeze_layers": Range(int, 0, 48),
    "adversarial_epsilon": Range(float, 0.001, 1),
    "adversarial_steps": Range(int, 1, 10),
    "mention_replacement": Range(float, 0, 1),
    "token_replacement": Range(float, 0, 1),
    "segment_shuffle": Range(float, 0, 1),
    "augmented_copies": Range(int, 1, 5),
}
CHOICES = {
    "class_weights": ("none", "balanced"),
    "transitions": ("fixed", "learned"),
    "adversarial": ("none", "fgm", "pgd"),
}
SWITCHES = ("freeze_embeddings", "warm_start")
NAMES = (*RANGES, *CHOICES, *SWITCHES)
_CHOSEN_LATER = ("epochs", "learning_rate")


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """One training's settings; `from_json` reads and checks them, `complete` fills in what was left open."""

    epochs: int | None = None
    learning_rate: float | None = None  # of the head and the encoder alike
    batch_size: int = 16  # windows per optimizer step, at most
    batch_pieces: int = 2048  # pieces per step, about, at most: long documents need small steps as well
    weight_decay: float = 0.01
    warmup: float = 0.1  # share of the steps
    clip: float = 1.0  # largest gradient norm
    label_smoothing: float = 0.0
    dropout: float = 0.1
    patience: int = 3  # evaluations without a better validation F1 before training stops
    max_pieces: int = 512  # longest training window, with [CLS] and [SEP]
    freeze_embeddings: bool = True
    seed: int = 13
    accumulation: int = 1  # batches whose gradients make one step
    layer_decay: float = 1.0  # each layer's learning rate as a share of that of the layer above
    freeze_layers: int = 0  # as many lower layers, and the embeddings below them, stay as they are
    class_weights: str = "none"  # balanced: rare tags weigh more, by the root of how rare they are
    transitions: str = "fixed"  # learned: a CRF; fixed: only illegal steps are barred
    warm_start: bool = False  # begin with the production model, and grow its head for new labels
    adversarial: str = "none"  # perturb the embeddings: one step, or several
    adversarial_epsilon: float = 0.1  # size of the perturbation as a share of a text's embedding norm
    adversarial_steps: int = 3  # of pgd
    mention_replacement: float = 0.0  # augmentation: share of mentions replaced by others of their label
    token_replacement: float = 0.0  # share of words replaced by others that stood under the same tag
    segment_shuffle: float = 0.0  # share of stretches whose words change places
    augmented_copies: int = 1  # changed copies of each training text, where any of the three shares is above 0

    @classmethod
    def from_json(cls, given: object) -> Self:
        """From a JSON object; raises `Invalid` naming the field for an unknown name, a wrong type or range."""
        if given is None:
            return cls()
        if not isinstance(given, Mapping):
            raise _invalid("hyperparameters", given, "must be an object of names and values")
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise _invalid(str(name), given[name], f"is not known; choose from {', '.join(known)}")
        return cls(**{name: _checked(name, value) for name, value in given.items()})._fitting()

    def _fitting(self) -> Self:
        """Itself; raises `Invalid` for what does not go together."""
        for name in ("class_weights", "label_smoothing"):
            if self.transitions == "learned" and getattr(self, name) not in ("none", 0.0):
                raise _invalid(name, getattr(self, name), "does not go together with learned transitions")
        return self

    def complete(self, *, steps_per_epoch: int, hidden_size: int) -> Self:
        """With epochs and learning rate chosen for that much data and a network of that width."""
        epochs = self.epochs or default_epochs(steps_per_epoch)
        rate = self.learning_rate or default_learning_rate(hidden_size, steps_per_epoch)
        return replace(self, epochs=epochs, learning_rate=rate)

    def as_json(self) -> dict[str, Any]:
        """All fields, JSON-ready."""
        return asdict(self)


def default_epochs(steps_per_epoch: int) -> int:
    """As many as give about 550 optimizer steps, but 3 to 20: small data needs to be seen more often."""
    return min(20, max(3, round(550 / steps_per_epoch)))


def default_learning_rate(hidden_size: int, steps_per_epoch: int) -> float:
    """Wide networks want small steps (Devlin et al. 2019: 2e-5 to 5e-5 for BERT), compact ones large ones.

    Largest where so little data makes few steps in all (chosen on the validation parts of public corpora).
    """
    if hidden_size >= 1024:
        return 2e-5
    if hidden_size > 512:
        return 5e-5
    return 5e-4 if steps_per_epoch < 30 else 3e-4 if steps_per_epoch < 150 else 2e-4


def _checked(name: str, value: object) -> Any:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise _invalid(name, value, f"must be one of {', '.join(CHOICES[name])}")
        return value
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise _invalid(name, value, "must be true or false")
        return value
    if value is None and name in _CHOSEN_LATER:
        return None
    allowed = RANGES[name]
    numbers = (int, float) if allowed.kind is float else (int,)
    if isinstance(value, bool) or not isinstance(value, numbers):
        raise _invalid(name, value, f"must be {'a whole number' if allowed.kind is int else 'a number'}")
    if not allowed.low <= value <= allowed.high:  # false for NaN too
        raise _invalid(name, value, f"must be from {allowed.low:g} to {allowed.high:g}")
    return allowed.kind(value)


def _invalid(field: str, value: object, complaint: str) -> Invalid:
    message = f"Hyperparameter {field!r} {complaint}; it was {value!r:.80}."
    return Invalid(message, code="invalid_hyperparameter", details={"field": field})
