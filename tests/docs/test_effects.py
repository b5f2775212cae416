"""The figures that the training page tells are those of the benchmarks."""

import re
from pathlib import Path

from django.utils import translation

from modelassist import effects, hyperparameters, knobs

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def test_the_figures_are_those_of_the_benchmarks() -> None:
    section = BENCHMARKS.read_text().partition("## Augmentation and adversarial training")[2].partition("\n## ")[0]
    rows = {
        name: tuple(map(float, cells))
        for name, *cells in re.findall(r"\| (\w+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", section)
    }
    assert rows == {"neither": effects.NEITHER, "augmentation": effects.AUGMENTATION, "FGM": effects.FGM}


def test_they_are_told_in_both_languages() -> None:
    figures = "+0.076 with 100 labeled texts, +0.055 with 500 and +0.028 with all 3,394."
    assert f"changed F1 by {figures}" in effects.augmentation()
    assert "-0.017" in effects.adversarial()
    with translation.override("zh-hans"):
        assert "+0.076" in effects.augmentation()
        assert "changed" not in effects.augmentation() + effects.adversarial()


def test_each_option_says_what_it_does() -> None:
    assert list(knobs.HELP) == list(hyperparameters.NAMES)
    told = {each["name"]: each["measured"] for each in knobs.fields() if each["measured"]}
    assert set(told) == {"mention_replacement", "adversarial"}
