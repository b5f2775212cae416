"""A trained network as one ONNX file, for runtimes that know no torch; made by a model worker when somebody asks.

The file takes `input_ids`, `attention_mask` and `token_type_ids`, each `[batch, pieces]`, and gives `logits`,
`[batch, pieces, tags]`. The temperature is in the weights; learned transitions are not.
"""

import warnings
from pathlib import Path

import onnx
import torch
from transformers import BertForTokenClassification

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_OPSET = 17  # the last one that the exporter by tracing writes; runtimes read it since 2022


def write(folder: Path, name: str) -> None:
    """Put the file beside the network's own, whole or not at all."""
    model = BertForTokenClassification.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    partial = folder / f"{name}.partial"
    ids = torch.ones((2, 8), dtype=torch.long)
    with warnings.catch_warnings():
        # Tracing is deprecated for general code; of a BERT it sees everything, and it takes seconds, not minutes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Logits(model).eval(),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            partial,
            input_names=list(_INPUTS),
            output_names=["logits"],
            dynamic_axes={each: {0: "batch", 1: "pieces"} for each in (*_INPUTS, "logits")},
            opset_version=_OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(partial)
    partial.replace(folder / name)


class _Logits(torch.nn.Module):
    """The network with tensors in and one tensor out."""

    def __init__(self, model: BertForTokenClassification) -> None:
        super().__init__()
        self._model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Scores of each piece's tags."""
        logits: torch.Tensor = self._model(input_ids=ids, attention_mask=mask, token_type_ids=types).logits
        return logits
