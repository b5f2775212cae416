"""Made-up texts as data looks: words by Zipf's law, about 25 a text, some of them entities, some texts nearly the same.

    python -m tests.bench.synthetic 100000 texts.jsonl texts.conll

A process of its own, so that what it holds is not counted with what is measured. The same texts each time.
"""

import json
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

WORDS = 60_000
AT_ONCE = 10_000
LABELS = ("PER", "ORG", "LOC", "MISC")
NEAR, SAME = 0.03, 0.01  # shares of texts that are another's with one word changed, or another's


def vocabulary() -> list[str]:
    """Words of 2 to 9 letters, each letter as frequent as in English."""
    chance = random.Random(7)
    letters, weights = "etaoinshrdlucmfwypvbgkjqxz", [12, 9, 8, 7, 7, 7, 6, 6, 6, 4, 4, 3, 3, *(2,) * 7, *(1,) * 6]
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(chance.choices(letters, weights, k=chance.randint(2, 9)))] = None
    return list(found)


def texts(documents: int) -> Iterator[list[str]]:
    """The words of each text."""
    words = np.array(vocabulary(), dtype=object)
    chance = np.random.default_rng(11)
    shares = (1 / np.arange(1, WORDS + 1)).cumsum()
    earlier: list[list[str]] = []
    for at in range(0, documents, AT_ONCE):
        lengths = chance.integers(12, 39, min(AT_ONCE, documents - at))
        drawn = words[np.searchsorted(shares, chance.random(lengths.sum()) * shares[-1])].tolist()
        kinds = chance.random(len(lengths))
        ends = lengths.cumsum()
        for kind, begin, end in zip(kinds, ends - lengths, ends, strict=True):
            text = drawn[begin:end]
            if earlier and kind < NEAR + SAME:
                text = list(earlier[int(chance.integers(len(earlier)))])
                if kind < NEAR:
                    text[int(chance.integers(len(text)))] = words[int(chance.integers(WORDS))]
            if len(earlier) < AT_ONCE:
                earlier.append(text)
            yield text


def entities(length: int, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    """Ranges of tokens with labels, about one in twelve tokens."""
    at = chance.randint(0, 12)
    while at < length:
        end = min(length, at + chance.randint(1, 3))
        yield at, end, chance.choice(LABELS)
        at = end + chance.randint(1, 20)


def as_jsonl(number: int, text: list[str], spans: list[tuple[int, int, str]]) -> str:
    """An object a line, with character offsets."""
    starts, at = [], 0
    for word in text:
        starts.append(at)
        at += len(word) + 1
    marked = [
        {"start": starts[begin], "end": starts[end - 1] + len(text[end - 1]), "label": label}
        for begin, end, label in spans
    ]
    return json.dumps({"id": f"text-{number}", "text": " ".join(text), "spans": marked}) + "\n"


def as_conll(text: list[str], spans: list[tuple[int, int, str]]) -> str:
    """A token a line, in IOB2."""
    tags = ["O"] * len(text)
    for begin, end, label in spans:
        tags[begin:end] = [f"B-{label}", *[f"I-{label}"] * (end - begin - 1)]
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(text, tags, strict=True)) + "\n"


def write(documents: int, jsonl: Path, conll: Path) -> None:
    """The same texts in both formats."""
    chance = random.Random(5)
    with ExitStack() as stack:
        objects, lines = (stack.enter_context(path.open("w")) for path in (jsonl, conll))
        for number, text in enumerate(texts(documents)):
            spans = list(entities(len(text), chance))
            objects.write(as_jsonl(number, text, spans))
            lines.write(as_conll(text, spans))


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
