"""Hyperparameters as fields of a form: the range of each, its usual value, and in a sentence what it does."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from modelassist import effects
from modelassist.hyperparameters import CHOICES, RANGES, SWITCHES, Hyperparameters

HELP: Mapping[str, Promise] = {
    "epochs": gettext_lazy("How often all texts are learned from, at most."),
    "learning_rate": gettext_lazy("How large the steps are; smaller where the loss jumps or is no number."),
    "batch_size": gettext_lazy("Windows of text that make one step, at most."),
    "batch_pieces": gettext_lazy("Word pieces that make one step, about, at most: long texts make small steps."),
    "weight_decay": gettext_lazy("How strongly weights are held small, against learning by heart."),
    "warmup": gettext_lazy("Share of the steps in which the learning rate rises to its height."),
    "clip": gettext_lazy("Largest length of a gradient; longer ones are cut."),
    "label_smoothing": gettext_lazy("How much doubt is left to each label, against being too sure."),
    "dropout": gettext_lazy("Share of the network that is left out at random, against learning by heart."),
    "patience": gettext_lazy("Epochs without a better F1 on validation before training stops."),
    "max_pieces": gettext_lazy("Longest window of a text, in word pieces."),
    "seed": gettext_lazy("Where chance begins: the same data and the same seed give the same model."),
    "accumulation": gettext_lazy("Batches that are summed up for one step: larger batches without more memory."),
    "layer_decay": gettext_lazy("Learning rate of each layer as a share of that of the layer above."),
    "freeze_layers": gettext_lazy("So many lower layers do not learn, which is faster."),
    "adversarial_epsilon": gettext_lazy("How far adversarial training moves the inputs."),
    "adversarial_steps": gettext_lazy("Steps in which pgd looks for the worst inputs."),
    "mention_replacement": gettext_lazy("Augmentation: share of entities replaced by others of their label."),
    "token_replacement": gettext_lazy("Augmentation: share of words replaced by others that stood under the same tag."),
    "segment_shuffle": gettext_lazy("Augmentation: share of stretches whose words change places."),
    "augmented_copies": gettext_lazy("Augmentation: changed copies of each training text."),
    "class_weights": gettext_lazy("balanced: rare labels weigh more."),
    "transitions": gettext_lazy("learned: a CRF learns which tag follows which; fixed: only illegal ones are barred."),
    "adversarial": gettext_lazy(
        "Also learn from inputs moved to where the model errs most: fgm in one step, pgd in several."
    ),
    "freeze_embeddings": gettext_lazy("The meaning of word pieces does not learn, which suits little data."),
    "warm_start": gettext_lazy("Begin with the model in production, and add new labels to it."),
}


def fields() -> list[dict[str, Any]]:
    """Every hyperparameter as a field: a number with its range, or a choice."""
    usual = Hyperparameters().as_json()
    words = {True: _("yes"), False: _("no")}
    numbers: list[dict[str, Any]] = [
        {"name": name, "range": each, "usual": _("chosen") if usual[name] is None else usual[name]}
        for name, each in RANGES.items()
    ]
    choices = [{"name": name, "usual": values[0], "values": values[1:]} for name, values in CHOICES.items()]
    switches = [
        {
            "name": name,
            "usual": words[usual[name]],
            "value": str(not usual[name]).lower(),
            "other": words[not usual[name]],
        }
        for name in SWITCHES
    ]
    measured = {"mention_replacement": effects.augmentation(), "adversarial": effects.adversarial()}
    return [
        {**each, "help": HELP[each["name"]], "measured": measured.get(each["name"], "")}
        for each in (*numbers, *choices, *switches)
    ]
