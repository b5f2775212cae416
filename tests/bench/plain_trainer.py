"""A training as the token-classification examples of `transformers` do it: the yardstick of ours.

Needs `accelerate`, which the product does without: `make bench-model` installs it.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoTokenizer,
    BertForTokenClassification,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

from modelassist import base_model
from modelassist.decode import Tagset
from modelassist.hyperparameters import Hyperparameters
from tests.bench.conll import Sentence


def build(examples: list[Sentence], labels: list[str], chosen: Hyperparameters, folder: Path) -> Trainer:
    """A `Trainer` over the examples that has not begun."""
    tagset = Tagset.of_labels(labels)
    base = base_model.compact().path
    tokenizer = AutoTokenizer.from_pretrained(base)
    torch.manual_seed(chosen.seed)
    model = BertForTokenClassification.from_pretrained(
        base, dtype=torch.float32, num_labels=len(tagset.names),
        id2label=dict(enumerate(tagset.names)), label2id=dict(tagset.ids),
    )  # fmt: skip
    arguments = TrainingArguments(
        output_dir=str(folder / "trainer"), num_train_epochs=chosen.epochs or 1, learning_rate=chosen.learning_rate,
        per_device_train_batch_size=chosen.batch_size, weight_decay=chosen.weight_decay, warmup_steps=chosen.warmup,
        max_grad_norm=chosen.clip, seed=chosen.seed, save_strategy="no", report_to="none", disable_tqdm=True,
        logging_strategy="no",
    )  # fmt: skip
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=[_features(tokenizer, tagset, *example) for example in examples],
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )


def save(trainer: Trainer, folder: Path) -> None:
    """The trained model, as `Tagger.load` reads it."""
    trainer.model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base_model.compact().path).save_pretrained(folder)


def _features(tokenizer: Any, tagset: Tagset, tokens: list[str], tags: list[str]) -> dict[str, Any]:
    encoded = tokenizer(tokens, is_split_into_words=True, truncation=True, max_length=512)
    of_words = tagset.to_ids(tags).tolist()
    labels, before = [], None
    for word in encoded.word_ids():
        labels.append(-100 if word is None or word == before else of_words[word])
        before = word
    return {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"], "labels": labels}
