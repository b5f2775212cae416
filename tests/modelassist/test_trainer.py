"""Training: it learns, keeps the best state, repeats itself exactly and refuses what cannot work."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertModel

from labeling.errors import Invalid
from modelassist.hyperparameters import Hyperparameters
from modelassist.optimizer import Optimizer, rate
from modelassist.trainer import Progress, Trained, train
from tests.modelassist import tiny
from tests.modelassist.conftest import run

LABELS = ["PER", "LOC"]


def weights(result: Trained) -> torch.Tensor:
    return torch.cat([value.flatten() for value in result.model.state_dict().values()])


def fit(base: Path, examples: Any, validation: Any = (), labels: list[str] = LABELS, **knobs: Any) -> Trained:
    chosen = Hyperparameters.from_json({"epochs": 1, "learning_rate": 1e-3, **knobs})
    return run(train(examples, list(validation), labels=labels, base=base, hyperparameters=chosen))[1]


def test_it_learns_and_tells_how_far_it_is(trained: tuple[list[Progress], Trained]) -> None:
    progress, result = trained
    assert [step.step for step in progress] == list(range(1, len(progress) + 1))
    assert {(step.steps, step.epochs) for step in progress} == {(120, 6)}
    assert progress[-1].loss < 0.1 < progress[0].loss  # type: ignore[operator]
    assert progress[0].f1 is None
    assert progress[-1].f1 is not None
    assert result.best_f1 == max(row["f1"] for row in result.curve) > 0.95


def test_the_best_state_is_kept(trained: tuple[list[Progress], Trained]) -> None:
    result = trained[1]
    best = next(row["epoch"] for row in result.curve if row["f1"] == result.best_f1)
    assert result.best_epoch == best


def test_the_saved_folder_is_a_plain_transformers_model(trained_folder: Path) -> None:
    model = AutoModelForTokenClassification.from_pretrained(trained_folder)
    tokenizer = AutoTokenizer.from_pretrained(trained_folder)
    assert model.config.id2label == {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
    assert model.config.label2id == {name: index for index, name in model.config.id2label.items()}
    assert model.dtype == torch.float32
    assert model.config.architectures == ["BertForTokenClassification"]
    logits = model(**tokenizer(["Anna", "left"], is_split_into_words=True, return_tensors="pt")).logits
    assert logits.shape == (1, 4, 5)
    assert json.loads((trained_folder / "config.json").read_text())["label2id"]["B-PER"] == 1


def test_the_same_seed_gives_the_same_weights_and_touches_no_global_state(tiny_bert: Path) -> None:
    examples = tiny.sentences(40)
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    steps = train(examples, [], labels=LABELS, base=tiny_bert, hyperparameters=Hyperparameters(epochs=1))
    next(steps)
    assert torch.equal(before[0], torch.get_rng_state())
    steps.close()  # a cancelled training leaves nothing behind either
    first = fit(tiny_bert, examples, seed=4)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    torch.manual_seed(99)
    assert torch.equal(weights(first), weights(fit(tiny_bert, examples, seed=4)))
    assert not torch.equal(weights(first), weights(fit(tiny_bert, examples, seed=5)))


def test_word_embeddings_stay_frozen_unless_asked(tiny_bert: Path) -> None:
    base = BertModel.from_pretrained(tiny_bert).embeddings.word_embeddings.weight
    frozen = fit(tiny_bert, tiny.sentences(20)).model.bert.embeddings.word_embeddings.weight
    moved = fit(tiny_bert, tiny.sentences(20), freeze_embeddings=False).model.bert.embeddings.word_embeddings.weight
    assert torch.equal(base, frozen)
    assert not torch.equal(base, moved)


def test_texts_without_a_piece_poison_nothing(tiny_bert: Path) -> None:
    empty = [(["\u200b"], ["O"]), ([], []), (["\ufe0f", "\u200b"], ["B-PER", "I-PER"])]
    result = fit(tiny_bert, [*empty * 10, *tiny.sentences(5)], batch_size=2)
    assert torch.isfinite(weights(result)).all()
    with pytest.raises(Invalid, match="no labeled token") as caught:
        fit(tiny_bert, empty)
    assert caught.value.code == "nothing_to_train_on"


def test_long_documents_are_windowed_not_cut(tiny_bert: Path) -> None:
    words = [*["the"] * 400, "Anna", *["the"] * 300, "Paris"]
    tags = [*["O"] * 400, "B-PER", *["O"] * 300, "B-LOC"]
    progress, _ = run(
        train(
            [(words, tags)] * 2,
            [],
            labels=LABELS,
            base=tiny_bert,
            hyperparameters=Hyperparameters(batch_size=2, epochs=1),
        )
    )
    assert progress[-1].steps == 8  # two documents of eight windows each


def test_long_windows_make_smaller_batches(tiny_bert: Path) -> None:
    long = [(["the"] * 120, ["O"] * 120)] * 6
    knobs = Hyperparameters(batch_size=16, batch_pieces=250, epochs=2)
    progress, _ = run(train(long, [], labels=LABELS, base=tiny_bert, hyperparameters=knobs))
    assert progress[-1].steps == len(progress) == 6  # two windows of 122 pieces a step


def test_large_batches_are_the_same_as_their_parts(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = tiny.sentences(16)
    whole = fit(tiny_bert, examples, dropout=0.0, learning_rate=1e-4)
    monkeypatch.setattr("modelassist.optimizer._MICRO_PIECES", 40)
    parts = fit(tiny_bert, examples, dropout=0.0, learning_rate=1e-4)
    assert torch.allclose(weights(whole), weights(parts), atol=3e-4)


def test_a_step_that_does_not_fit_the_memory_is_made_in_smaller_parts(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = tiny.sentences(16)
    whole = fit(tiny_bert, examples, dropout=0.0, learning_rate=1e-4)
    real, sizes = Optimizer._backward, []

    def small(self: Optimizer, part: Any, labeled: int) -> float:
        sizes.append(len(part))
        loss = real(self, part, labeled)  # the memory ends after some gradients are there
        if len(part) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss

    monkeypatch.setattr(Optimizer, "_backward", small)
    monkeypatch.setattr("modelassist.optimizer._MICRO_PIECES", 100)
    parts = fit(tiny_bert, examples, dropout=0.0, learning_rate=1e-4)
    assert max(sizes) > 3
    assert torch.allclose(weights(whole), weights(parts), atol=3e-4)
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", _no_memory)
    with pytest.raises(torch.OutOfMemoryError):
        fit(tiny_bert, examples)


def _no_memory(*_: object, **__: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_divergence_is_told(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "modelassist.optimizer.functional.cross_entropy", lambda logits, *_, **__: (logits * torch.inf).sum()
    )
    with pytest.raises(Invalid, match="smaller learning_rate") as caught:
        fit(tiny_bert, tiny.sentences(20))
    assert caught.value.code == "training_diverged"


def test_early_stopping(tiny_bert: Path) -> None:
    validation = [(["zz"], ["B-PER"])]  # never found: nothing gets better after the first epoch
    result = fit(tiny_bert, tiny.sentences(16), validation, epochs=30, patience=2, learning_rate=1e-6)
    assert [row["epoch"] for row in result.curve] == [1, 2, 3]
    assert result.best_epoch == 1


def test_label_names_with_hyphens_and_dots_and_a_new_label_keep_their_rows(
    trained_folder: Path, trained: tuple[list[Progress], Trained]
) -> None:
    labels = ["creative-work", "LOC", "PER.NOM", "PER"]
    result = fit(trained_folder, [(["the"], ["B-creative-work"])], labels=labels, learning_rate=1e-7, weight_decay=0)
    ids = result.model.config.label2id
    assert list(ids) == ["O", *(f"{p}-{label}" for label in labels for p in "BI")]
    old = trained[1].model
    for name, row in old.config.label2id.items():
        assert torch.allclose(old.classifier.weight[row], result.model.classifier.weight[ids[name]], atol=1e-5)


def test_a_base_that_is_no_bert_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        fit(tmp_path, tiny.sentences(2))
    assert caught.value.code == "base_model_unreadable"
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(Invalid, match="gpt2, not a BERT"):
        fit(tmp_path, tiny.sentences(2))


def test_the_rate_rises_and_falls() -> None:
    rates = [rate(step, 100, 0.1) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert max(rates) == rates[9] == 1.0
    assert sorted(rates[9:], reverse=True) == rates[9:]
    assert 0 < rates[-1] < 0.02
    assert rate(1, 1, 0.1) == 1.0
