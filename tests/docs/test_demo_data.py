"""The bundled sentences: enough, in two languages, each unique, each span a whole name on the token grid."""

import json
from collections import Counter
from pathlib import Path

from labeling.tokens import tokenize

FOLDER = Path(__file__).parents[2] / "demo"
SENTENCES = [json.loads(line) for line in (FOLDER / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]
LABELS = {label["name"] for label in json.loads((FOLDER / "project.json").read_text(encoding="utf-8"))["labels"]}


def test_there_are_enough_in_both_languages() -> None:
    languages = Counter(sentence["meta"]["lang"] for sentence in SENTENCES)
    assert languages["en"] >= 110
    assert languages["zh"] >= 70
    assert set(languages) == {"en", "zh"}


def test_ids_and_texts_are_unique() -> None:
    for name in ("id", "text"):
        assert len({sentence[name] for sentence in SENTENCES}) == len(SENTENCES)


def test_spans_are_names_in_order_on_the_token_grid() -> None:
    for sentence in SENTENCES:
        text, end = sentence["text"], 0
        starts, ends = tokenize(text, "words")
        assert 1 <= len(sentence["spans"]) <= 4, text
        for span in sentence["spans"]:
            surface = text[span["start"] : span["end"]]
            assert surface == surface.strip() != "", text
            assert span["start"] >= end, text
            assert span["start"] in starts, (text, surface)
            assert span["end"] in ends, (text, surface)
            end = span["end"]


def test_every_label_is_used_in_both_languages() -> None:
    used = {(sentence["meta"]["lang"], span["label"]) for sentence in SENTENCES for span in sentence["spans"]}
    assert used == {(language, label) for language in ("en", "zh") for label in LABELS}
