"""What options of a training were measured to do: the figures of docs/benchmarks.md, told where they are chosen."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

TEXTS = (100, 500, None)  # of wnut17's training texts; None: all of them
NEITHER = (0.230, 0.372, 0.488)
AUGMENTATION = (0.306, 0.427, 0.516)
FGM = (0.213, 0.407, 0.427)


def augmentation() -> str:
    """What to expect of it, in the language that is active."""
    told = _("Measured: mention_replacement 0.5 with token_replacement 0.1 changed F1 by %(figures)s.")
    return told % {"figures": _figures(AUGMENTATION)} + " " + _doubt()


def adversarial() -> str:
    """What to expect of adversarial training, in the language that is active."""
    told = _("Measured: fgm changed F1 by %(figures)s and took twice as long; pgd was not measured.")
    return told % {"figures": _figures(FGM)} + " " + _doubt()


def _doubt() -> str:
    return _("On wnut17 with the compact encoder and one or two seeds: differences below 0.03 mean little.")


def _figures(scores: tuple[float, ...]) -> str:
    told = _("%(first)s with 100 labeled texts, %(second)s with 500 and %(third)s with all 3,394")
    return told % _differences(scores)


def _differences(scores: tuple[float, ...]) -> Mapping[str, Any]:
    names = ("first", "second", "third")
    return {name: f"{after - before:+.3f}" for name, before, after in zip(names, NEITHER, scores, strict=True)}
