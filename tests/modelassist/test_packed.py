"""Texts one after another, beside the same BERT over padded texts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertForTokenClassification

from modelassist import packed, tagger
from modelassist.tagger import Tagger, padded
from tests.modelassist import tiny

LENGTHS = [9, 9, 9, 40, 3, 3, 127, 1]


@pytest.fixture(params=[128, 5], ids=["products", "fused kernel for the longer"])
def network(trained_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packed, "_SHORT", request.param)
    return BertForTokenClassification.from_pretrained(trained_folder, dtype=torch.float32).eval()


def both(network: BertForTokenClassification) -> tuple[torch.Tensor, torch.Tensor]:
    """The states of every other piece, packed and plain."""
    random = np.random.default_rng(3)
    ids = [random.integers(0, network.config.vocab_size, length) for length in LENGTHS]
    rows, mask = padded(ids)
    plain = network.bert(input_ids=rows, attention_mask=mask).last_hidden_state[mask.bool()][::2]
    embedded = network.bert.embeddings.word_embeddings(torch.from_numpy(np.concatenate(ids)))
    return packed.states(network.bert, embedded, LENGTHS, torch.arange(0, sum(LENGTHS), 2)), plain


def test_states_are_those_of_the_plain_network(network: BertForTokenClassification) -> None:
    found, plain = both(network)
    assert found.shape == plain.shape
    torch.testing.assert_close(found, plain, atol=1e-5, rtol=1e-4)


def test_so_are_gradients(network: BertForTokenClassification) -> None:
    gradients = []
    for states in both(network):
        network.zero_grad()
        states.pow(3).sum().backward()
        gradients.append([value.grad.clone() for value in network.bert.encoder.parameters()])
    for found, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(found, plain, atol=2e-4 * float(plain.abs().max()) + 1e-4, rtol=1e-3)


def test_dropout_is_that_of_the_network(network: BertForTokenClassification) -> None:
    network.train()
    drops = [part for part in network.modules() if isinstance(part, torch.nn.Dropout)]
    for p, same in ((0.5, False), (0.0, True)):
        for part in drops:
            part.p = p
        found, plain = both(network)
        assert torch.allclose(found, plain, atol=1e-5, rtol=1e-4) == same
        assert torch.allclose(found, both(network)[0]) == same


def test_a_tagger_says_the_same_either_way(trained_folder: Path) -> None:
    without, padding = Tagger.load(trained_folder), Tagger.load(trained_folder)
    padding._pads = True  # as on a GPU
    documents = [tokens for tokens, _ in tiny.sentences(80, seed=5)] + [["Anna", "left"] * 300, []]
    for one, other in zip(without.predict(documents), padding.predict(documents), strict=True):
        assert one.tags == other.tags
        assert one.confidences == pytest.approx(other.confidences, abs=0.02)
        assert one.vector == pytest.approx(other.vector, abs=0.02)


def test_a_batch_that_does_not_fit_is_halved(trained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Tagger.load(trained_folder)
    documents = [tokens for tokens, _ in tiny.sentences(40, seed=6)]
    expected = list(model.predict(documents))
    real, seen = tagger.packed.states, []

    def small(bert: object, embedded: torch.Tensor, *rest: object) -> torch.Tensor:
        seen.append(len(embedded))
        if len(embedded) > 60:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(bert, embedded, *rest)

    monkeypatch.setattr(packed, "states", small)
    found = list(model.predict(documents))
    assert max(seen) > 60
    assert [each.tags for each in found] == [each.tags for each in expected]
    np.testing.assert_allclose(
        np.concatenate([each.confidences for each in found]),
        np.concatenate([each.confidences for each in expected]), atol=0.02,
    )  # fmt: skip
    with pytest.raises(torch.OutOfMemoryError):  # a single window that does not fit is an error
        list(model.predict([["Anna"] * 100]))
