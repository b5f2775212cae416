"""The CRF against brute force over all paths, its marginals, its file, and a tagger that uses it."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from modelassist import crf, decode
from modelassist.crf import Crf
from modelassist.decode import Tagset, Transitions
from modelassist.tagger import Tagger
from tests.modelassist import tiny
from tests.modelassist.test_trainer import fit

TAGS = Tagset.of_labels(["PER", "LOC"])


def chain(seed: int = 0) -> Crf:
    torch.manual_seed(seed)
    made = Crf(len(TAGS.names))
    with torch.no_grad():
        made.steps.normal_()
        made.start.normal_()
    return made


def path_score(scores: np.ndarray, path: tuple[int, ...], learned: Transitions) -> float:
    total = learned.start[path[0]] + scores[0, path[0]]
    for at in range(1, len(path)):
        total += learned.steps[path[at - 1], path[at]] + scores[at, path[at]]
    return float(total)


def test_the_loss_is_that_of_all_paths() -> None:
    made, lengths = chain(), [3, 1, 4]
    scores = torch.randn(3, 4, 5)
    tags = torch.full((3, 4), -100)
    expected = 0.0
    for text, length in enumerate(lengths):
        gold = torch.randint(0, 5, (length,))
        tags[text, :length] = gold
        rows = scores[text, :length].numpy()
        every = [path_score(rows, path, made.transitions()) for path in itertools.product(range(5), repeat=length)]
        expected += np.logaddexp.reduce(every) - path_score(rows, tuple(gold.tolist()), made.transitions())
    assert made.loss(scores, tags).item() == pytest.approx(expected, rel=1e-5)


def test_decoding_and_marginals_are_those_of_all_legal_paths() -> None:
    learned = chain(1).transitions()
    lengths = np.array([2, 0, 4, 1])
    scores = np.random.default_rng(2).normal(size=(7, 5)).astype(np.float32)
    path = decode.viterbi(scores, lengths, TAGS, learned)
    shares = np.exp(decode.marginals(scores, lengths, TAGS, learned))
    assert shares.sum(1) == pytest.approx(1, abs=1e-5)
    at = 0
    for length in lengths:
        rows = scores[at : at + length]
        legal = [
            each for each in itertools.product(range(5), repeat=int(length))
            if all(TAGS.may_follow[a, b] for a, b in itertools.pairwise(each)) and (not each or TAGS.may_start[each[0]])
        ]  # fmt: skip
        if length:
            totals = np.array([path_score(rows, each, learned) for each in legal])
            assert tuple(path[at : at + length]) == legal[int(totals.argmax())]
            weights = np.exp(totals - np.logaddexp.reduce(totals))
            for place in range(length):
                for tag in range(5):
                    expected = weights[[each[place] == tag for each in legal]].sum()
                    assert shares[at + place, tag] == pytest.approx(expected, abs=1e-5)
        at += length


def test_a_training_with_learned_transitions_is_a_plain_model_too(tiny_bert: Path, tmp_path: Path) -> None:
    knobs = {"epochs": 5, "learning_rate": 5e-3, "freeze_embeddings": False, "batch_size": 8, "transitions": "learned"}
    result = fit(tiny_bert, tiny.sentences(120, seed=1), tiny.sentences(30, seed=2), **knobs)
    assert result.best_f1 is not None
    assert result.best_f1 > 0.9
    result.save(tmp_path)
    loaded = Tagger.load(tmp_path)
    examples = tiny.sentences(30, seed=2)
    assert loaded.evaluate(examples).micro.f1 == pytest.approx(result.best_f1, abs=0.02)
    for tagging in loaded.predict([tokens for tokens, _ in examples]):
        assert ((tagging.confidences > 0) & (tagging.confidences <= 1.00001)).all()
    assert (tmp_path / crf.FILE).is_file()
    grown = fit(tmp_path, tiny.sentences(8), labels=["ORG", "LOC", "PER"], learning_rate=1e-7, transitions="learned")
    assert grown.crf is not None
    old, new = result.crf.transitions(), grown.crf.transitions()  # type: ignore[union-attr]
    ids = grown.tagset.ids
    assert new.steps[ids["B-PER"], ids["I-PER"]] == pytest.approx(old.steps[1, 2], abs=1e-4)


def test_transitions_of_other_tags_are_refused(tmp_path: Path) -> None:
    crf.save(chain().transitions(), TAGS, tmp_path)
    assert crf.load(tmp_path, TAGS) is not None
    with pytest.raises(ValueError, match="for the tags"):
        crf.load(tmp_path, Tagset.of_labels(["X"]))
    assert crf.load(tmp_path / "none", TAGS) is None
