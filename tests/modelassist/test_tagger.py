"""A trained network on documents of every kind."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import pipeline

from labeling import bio
from labeling.errors import Unavailable
from modelassist import evaluation, tagger
from modelassist.strategies import STRATEGIES
from modelassist.tagger import Tagger
from tests.modelassist import tiny


@pytest.fixture(scope="module")
def trained_tagger(trained_folder: Path) -> Tagger:
    return Tagger.load(trained_folder)


def tags_of(model: Tagger, documents: list[list[str]]) -> list[list[str]]:
    return [tagging.tags for tagging in model.predict(documents)]


def test_it_finds_what_it_has_learned(trained_tagger: Tagger) -> None:
    unseen = tiny.sentences(50, seed=7)
    found = tags_of(trained_tagger, [tokens for tokens, _ in unseen])
    pairs = ((tags, predicted) for (_, tags), predicted in zip(unseen, found, strict=True))
    assert evaluation.evaluate(pairs, trained_tagger.tagset).micro.f1 > 0.95


HOSTILE = [
    [],
    [""],
    ["\u200b", "\ufe0f"],
    ["a", "\x00", "b"],
    ["[SEP]", "[CLS]", "[PAD]", "[MASK]"],
    ["x" * 5000],
    ["中" * 400, "在"],
    ["a\ud800b"],
    ["😀", "👨‍👩‍👧", "İ", "e\u0301"],
    ["anna"] * 700,
]


def test_every_token_has_a_legal_tag_and_a_confidence(trained_tagger: Tagger) -> None:
    taggings = list(trained_tagger.predict(HOSTILE))
    assert [len(tagging.tags) for tagging in taggings] == [len(words) for words in HOSTILE]
    for words, tagging in zip(HOSTILE, taggings, strict=True):
        assert bio.illegal_index(tagging.tags) is None
        assert tagging.confidences.shape == (len(words),)
        assert tagging.confidences.dtype == np.float32
        assert ((tagging.confidences >= 0) & (tagging.confidences <= 1)).all()
        assert set(tagging.uncertainty) == set(STRATEGIES)
        assert np.isfinite(list(tagging.uncertainty.values())).all()


def test_a_word_without_a_piece_does_not_cut_an_entity(trained_tagger: Tagger) -> None:
    plain = ["Anna", "Smith", "visited", "the", "city", "."]
    (tags, gapped) = tags_of(trained_tagger, [plain, [*plain[:1], "\ufe0f", *plain[1:]]])
    assert tags[:2] == ["B-PER", "I-PER"]
    assert gapped == ["B-PER", "I-PER", "I-PER", *tags[2:]]


def test_a_long_document_is_tagged_alike_everywhere(trained_tagger: Tagger) -> None:
    paragraph = ["Anna", "Smith", "visited", "the", "Paris", "quietly", "again", "and", "left", "."] * 3
    (tags,) = tags_of(trained_tagger, [paragraph * 40])
    copies = [tags[at : at + 30] for at in range(0, len(tags), 30)]
    assert copies.count(copies[20]) >= 38  # the first and the last may differ
    assert "B-PER" in copies[20]


def test_an_entity_over_every_window_border_is_found_once(trained_tagger: Tagger) -> None:
    entity = ["Anna", "Smith"]
    for before in range(110, 140):  # the tiny network's windows hold 126 pieces
        (tags,) = tags_of(trained_tagger, [["the"] * before + entity + ["the"] * 120])
        near = [span for span in bio.spans(tags) if span.start <= before + 1 and span.end > before]
        assert near == [bio.Span(before, before + 2, "PER")]


def test_batches_do_not_change_the_answer(trained_tagger: Tagger) -> None:
    documents = [tokens for tokens, _ in tiny.sentences(60, seed=11)] + [["Anna"] * 300]
    together = tags_of(trained_tagger, documents)
    assert together == [tags_of(trained_tagger, [document])[0] for document in documents]


def test_it_agrees_with_the_transformers_pipeline(trained_folder: Path, trained_tagger: Tagger) -> None:
    reference = pipeline("token-classification", str(trained_folder), aggregation_strategy="simple")
    words = ["Anna", "Smith", "visited", "Paris", "and", "left", "."]
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    expected = {(group["entity_group"], int(group["start"]), int(group["end"])) for group in reference(" ".join(words))}
    (tags,) = tags_of(trained_tagger, [words])
    found = {(s.label, int(starts[s.start]), int(starts[s.end]) - 1) for s in bio.spans(tags)}
    assert found == expected


def test_documents_stream_through(trained_tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger, "_CHUNK_DOCUMENTS", 4)
    taken = 0

    def endless() -> Iterator[list[str]]:
        nonlocal taken
        while True:
            taken += 1
            yield ["Anna", "left", "."]

    first = list(itertools.islice(trained_tagger.predict(endless()), 6))
    assert len(first) == 6
    assert taken == 8


def test_labels_that_the_project_no_longer_has_are_not_given(trained_folder: Path) -> None:
    only_places = Tagger.load(trained_folder).restricted(["LOC"])
    (tags,) = tags_of(only_places, [["Anna", "Smith", "visited", "Paris", "."]])
    assert {bio.label_of(tag) for tag in tags} <= {"", "LOC"}


def test_labels_are_called_what_became_of_them(trained_folder: Path) -> None:
    words = [["Anna", "Smith", "visited", "Paris", "."]]
    tagger = Tagger.load(trained_folder)
    (before,) = tags_of(tagger, words)
    (renamed,) = tags_of(tagger.named({"PER": "PERSON"}).restricted(["PERSON", "LOC"]), words)
    assert renamed == [tag.replace("-PER", "-PERSON") for tag in before]
    (gone,) = tags_of(tagger.named({"PER": "PERSON", "LOC": None}).restricted(["LOC"]), words)
    assert set(gone) == {"O"}


def test_predicting_leaves_the_random_state_alone(trained_tagger: Tagger) -> None:
    before = torch.get_rng_state()
    tags_of(trained_tagger, [["Anna"]])
    assert torch.equal(before, torch.get_rng_state())


def test_a_missing_or_damaged_model_is_unavailable(trained_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        Tagger.load(tmp_path / "none")
    for file in trained_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:300])
    with pytest.raises(Unavailable, match="cannot be read"):
        Tagger.load(tmp_path)


def test_texts_about_the_same_have_near_vectors(trained_tagger: Tagger) -> None:
    people, more_people, places = (
        tagging.vector.astype(float)
        for tagging in trained_tagger.predict([["Anna", "Smith"], ["Bob", "Jones"], ["Oslo", "Gate", "in", "Lima"]])
    )
    assert np.linalg.norm(people - more_people) < np.linalg.norm(people - places)
    assert [not tagging.vector.any() for tagging in trained_tagger.predict([[], ["a"]])] == [True, False]


def test_cores_that_share_the_batches_say_the_same_as_one(
    trained_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Tagger.load(trained_folder)
    model._batch_pieces = 64  # many batches
    documents = [tokens for tokens, _ in tiny.sentences(60, seed=9)]
    shared = list(model.predict(documents))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    for one, other in zip(model.predict(documents), shared, strict=True):
        assert one.tags == other.tags
        assert one.confidences == pytest.approx(other.confidences, abs=0.02)
        assert one.vector == pytest.approx(other.vector, abs=0.02)


def test_judging_gives_how_likely_each_gold_tag_is(trained_tagger: Tagger) -> None:
    words = ["Anna", "\ufe0f", "Smith", "visited", "Oslo"]
    right, wrong = ["B-PER", "I-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "I-LOC", "I-LOC", "O", "O"]
    (tags, likely), (_, unlikely), (none, nothing) = trained_tagger.judge([(words, right), (words, wrong), ([], [])])
    assert tags == right == tags_of(trained_tagger, [words])[0]
    assert np.exp(likely).min() > 0.5
    assert likely[1] == unlikely[1] == 0  # what the network does not see
    assert np.exp(unlikely[[0, 2, 4]]).max() < 0.5
    assert (none, len(nothing)) == ([], 0)
