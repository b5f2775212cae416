"""A shallower base model for benchmarks that train hundreds of times: the lower layers' work, done once.

What the lower layers make of each piece of a fixed set of sentences is kept as the word embedding of a piece of
its own, and the upper layers are a BERT over those. The trainer, the tagger and the strategies run on it
unchanged; it is as if the lower layers were frozen and had no dropout. `[CLS]` and `[SEP]` get their mean state.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from modelassist.encode import Encoder
from modelassist.tagger import batches, padded

SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}


@torch.inference_mode()
def build(base: Path, sentences: Sequence[Sequence[str]], folder: Path, *, layers: int) -> list[list[str]]:
    """Write the base of the upper `layers` into `folder`; gives the sentences as words of its own vocabulary.

    A sentence may be as long as a window, not longer.
    """
    model = BertModel.from_pretrained(base, dtype=torch.float32).eval()
    encoder = Encoder(AutoTokenizer.from_pretrained(base).backend_tokenizer)
    renamed: list[list[str]] = []
    at = len(SPECIAL)
    for words in sentences:
        counts = [len(pieces) for pieces in encoder.pieces(words)]
        names = iter(range(at, at + sum(counts)))
        renamed.append([" ".join(str(next(names)) for _ in range(count)) for count in counts])
        at += sum(counts)
    windows = [window for words in sentences for window in encoder.windows(words)]
    ends = len(SPECIAL) + np.cumsum([len(window.ids) - 2 for window in windows])
    states = np.zeros((at, model.config.hidden_size), np.float32)
    for batch in batches(windows, 2048):
        ids, mask = padded([windows[index].ids for index in batch])
        lower = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[-1 - layers].numpy()
        for index, state in zip(batch, lower, strict=True):
            length = len(windows[index].ids)
            states[ends[index] - length + 2 : ends[index]] = state[1 : length - 1]
            states[[2, 3]] += state[[0, length - 1]] / len(windows)
    _write(model, folder, layers, states)
    return renamed


def _write(model: BertModel, folder: Path, layers: int, states: np.ndarray) -> None:
    """States end in a layer norm; taken back, the new embeddings' own layer norm makes the same of them."""
    lower = model.config.num_hidden_layers - layers
    norm = model.encoder.layer[lower - 1].output.LayerNorm if lower else model.embeddings.LayerNorm
    config = BertConfig(**{**model.config.to_dict(), "num_hidden_layers": layers, "vocab_size": len(states)})
    upper = BertModel(config)
    upper.encoder.layer.load_state_dict(model.encoder.layer[lower:].state_dict())
    embeddings = upper.embeddings
    embeddings.LayerNorm.load_state_dict(norm.state_dict())
    embeddings.position_embeddings.weight.zero_()
    embeddings.token_type_embeddings.weight.zero_()
    embeddings.word_embeddings.weight.copy_((torch.from_numpy(states) - norm.bias) / norm.weight)
    upper.save_pretrained(folder)
    vocabulary = {**{name: index for index, name in enumerate(SPECIAL.values())}}
    vocabulary |= {str(index): index for index in range(len(SPECIAL), len(states))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL).save_pretrained(folder)
