"""The figures that the training page tells are those of the benchmarks."""

import re
from pathlib import Path

from django.utils import translation

from modelassist import effects

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def test_the_figures_are_those_of_the_benchmarks() -> None:
    section = BENCHMARKS.read_text().partition("## Augmentation and adversarial training")[2].partition("\n## ")[0]
    rows = {
        name: tuple(map(float, cells))
        for name, *cells in re.findall(r"\| (\w+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", section)
    }
    assert rows == {"neither": effects.NEITHER, "augmentation": effects.AUGMENTATION, "FGM": effects.FGM}


def test_they_are_told_in_both_languages() -> None:
    assert (
        "changed F1 by +0.076 with 100 labeled texts, +0.055 with 500 and +0.028 with all 3,394."
        in effects.sentences()[0]
    )
    with translation.override("zh-hans"):
        assert all("F1" in sentence or "wnut17" in sentence for sentence in effects.sentences())
        assert "+0.076" in effects.sentences()[0]
        assert "changed" not in "".join(effects.sentences())
