"""A tiny BERT made on the spot, and sentences that it can learn in seconds."""

import itertools
import random
import string
from pathlib import Path

import torch
from transformers import BertConfig, BertModel, BertTokenizer

WORDS = [
    "visited",
    "met",
    "praised",
    "left",
    "joined",
    "in",
    "at",
    "and",
    "the",
    "a",
    "from",
    "quietly",
    "again",
    "mr",
    "inc",
    "city",
]
FIRST = {
    "PER": ["anna", "bob", "carla", "dmitri", "eva", "farid", "gita", "hugo"],
    "LOC": ["berlin", "cairo", "delhi", "lagos", "lima", "oslo", "paris", "quito"],
}
SECOND = {"PER": ["smith", "jones", "costa", "mbeki"], "LOC": ["harbor", "gate", "square", "park"]}
CHINESE = "王李北京上海在去了的人"
Example = tuple[list[str], list[str]]


def build(folder: Path, *, positions: int = 128) -> Path:
    """Write a BERT of two narrow layers with its tokenizer into `folder`."""
    letters = string.ascii_lowercase + string.digits + string.punctuation
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *CHINESE]
    vocabulary += [*WORDS, *itertools.chain(*FIRST.values(), *SECOND.values())]
    vocabulary = list(dict.fromkeys(vocabulary))
    tokenizer = BertTokenizer(vocab={piece: index for index, piece in enumerate(vocabulary)}, do_lower_case=True)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=48, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=96, max_position_embeddings=positions,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def sentences(count: int, *, seed: int = 0) -> list[Example]:
    """Sentences such as `Anna Smith visited quietly Oslo Gate and .` with their tags."""
    draw = random.Random(seed)
    return [_sentence(draw) for _ in range(count)]


def _sentence(draw: random.Random) -> Example:
    tokens: list[str] = []
    tags: list[str] = []
    for label in draw.choices(["PER", "LOC", ""], k=draw.randint(2, 4)):
        names = [draw.choice(FIRST[label]), *draw.sample(SECOND[label], draw.randint(0, 1))] if label else []
        tokens += [*(name.title() for name in names), draw.choice(WORDS), draw.choice(WORDS)]
        tags += [f"{'B' if not at else 'I'}-{label}" for at in range(len(names))] + ["O", "O"]
    return [*tokens, "."], [*tags, "O"]
