"""A BERT over texts of unlike length that stand one after another: no padding, and nothing computed that nobody reads.

What works on single pieces sees the rows of all texts at once. Only attention goes text by text: those of one
length together, so it is fastest where texts of one length stand side by side. The layers are those of
`transformers`, so dropout, autocast and gradients work as there. For processors: on a GPU so many small steps are
slower than padding.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from torch.nn import functional
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertSelfAttention

_SHORT = 128  # up to here products and a softmax are up to three times as fast as the fused kernel; beyond, slower


def states(bert: BertModel, embedded: torch.Tensor, lengths: Sequence[int], wanted: torch.Tensor) -> torch.Tensor:
    """The last layer's states of the rows `wanted`, `[wanted, width]`, in their order.

    `embedded` are the word embeddings of all texts' pieces `[pieces, width]`; `lengths` says how many each text has.
    """
    runs = [(len(list(same)), length) for length, same in groupby(lengths)]
    places = torch.from_numpy(np.concatenate([np.arange(length) for length in lengths])).to(embedded.device)
    first = bert.embeddings
    summed = embedded + first.position_embeddings(places) + first.token_type_embeddings.weight[0]
    rows: torch.Tensor = first.dropout(first.LayerNorm(summed))
    last = len(bert.encoder.layer) - 1
    for number, layer in enumerate(bert.encoder.layer):
        attended = _attended(layer.attention.self, rows, runs)
        if number == last:
            attended, rows = attended[wanted], rows[wanted]
        rows = layer.attention.output(attended, rows)
        rows = layer.output(layer.intermediate(rows), rows)
    return rows


def _attended(attention: BertSelfAttention, rows: torch.Tensor, runs: list[tuple[int, int]]) -> torch.Tensor:
    """What each piece takes from those of its own text, `[pieces, width]`; runs are `(texts, pieces of each)`."""
    heads, size = attention.num_attention_heads, attention.attention_head_size
    sizes = [texts * length for texts, length in runs]
    sides = [side(rows).split(sizes) for side in (attention.query, attention.key, attention.value)]
    parts = []
    for (texts, length), *run in zip(runs, *sides, strict=True):
        query, key, value = (side.view(texts, length, heads, size).transpose(1, 2) for side in run)
        mixed = (_short if length <= _SHORT else _long)(attention, query, key, value)
        parts.append(mixed.transpose(1, 2).reshape(texts * length, heads * size))
    return torch.cat(parts)


def _short(attention: BertSelfAttention, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Scaled dot products, `[texts, heads, pieces, size]`; the softmax in fp32, which is more exact and faster."""
    shape = query.shape
    query, key, value = (side.reshape(-1, *shape[2:]) for side in (query * attention.scaling, key, value))
    shares = torch.bmm(query, key.transpose(1, 2)).float().softmax(-1).to(value.dtype)
    return torch.bmm(attention.dropout(shares), value).view(shape)


def _long(attention: BertSelfAttention, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    dropped = attention.dropout.p if attention.training else 0.0
    return functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped)
