"""Viterbi and the words without a piece, against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling import bio
from modelassist.decode import Tagset, fill, viterbi

X = Tagset.of_labels(["X"])
PL = Tagset.of_labels(["PER", "creative-work"])


def decoded(probabilities: list[list[float]], tagset: Tagset = X) -> list[str]:
    scores = np.log(np.array(probabilities, np.float32))
    return tagset.to_names(viterbi(scores, np.array([len(scores)]), tagset))


def test_the_best_legal_path_beats_the_best_tags() -> None:
    assert decoded([[0.4, 0.05, 0.55], [0.9, 0.05, 0.05]]) == ["O", "O"]
    assert decoded([[0.1, 0.45, 0.45], [0.1, 0.1, 0.8]]) == ["B-X", "I-X"]
    assert decoded([[0.01, 0.01, 0.98]]) in (["O"], ["B-X"])


def test_which_tag_may_follow_which() -> None:
    assert PL.names == ("O", "B-PER", "I-PER", "B-creative-work", "I-creative-work")
    assert PL.may_start.tolist() == [True, True, False, True, False]
    assert PL.may_follow.astype(int).tolist() == [
        [1, 1, 0, 1, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 0], [1, 1, 0, 1, 1], [1, 1, 0, 1, 1],
    ]  # fmt: skip


def test_no_rows_and_empty_documents() -> None:
    assert viterbi(np.zeros((0, 3), np.float32), np.array([], np.int64), X).tolist() == []
    assert viterbi(np.zeros((0, 3), np.float32), np.array([0, 0]), X).tolist() == []
    scores = np.log(np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], np.float32))
    assert viterbi(scores, np.array([0, 1, 0, 1, 0]), X).tolist()[0] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 10_000))
def test_every_document_of_a_batch_as_brute_force_finds_it(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = np.log(random.dirichlet(np.ones(5), size=sum(lengths)).astype(np.float32).reshape(-1, 5) + 1e-9)
    found = viterbi(scores, np.array(lengths), PL)
    at = 0
    for length in lengths:
        rows, path = scores[at : at + length], found[at : at + length]
        at += length
        paths = itertools.product(range(5), repeat=length)
        legal = [p for p in paths if bio.illegal_index(PL.to_names(np.array(p, np.int64))) is None]
        best = max(rows[np.arange(length), list(p)].sum() for p in legal) if length else 0
        assert bio.illegal_index(PL.to_names(path)) is None
        assert rows[np.arange(length), path].sum() == pytest.approx(best, abs=1e-4)


@given(st.lists(st.integers(0, 4), max_size=12))
def test_legal_tags_stay_and_illegal_ones_begin_an_entity(tags: list[int]) -> None:
    repaired = PL.legal(np.array(tags, np.int64))
    assert bio.illegal_index(PL.to_names(repaired)) is None
    if bio.illegal_index(PL.to_names(np.array(tags, np.int64))) is None:
        assert repaired.tolist() == tags


def test_a_word_without_a_piece_does_not_cut_an_entity() -> None:
    seen = np.array([0, 2, 4])
    tags, confidences = fill(PL.to_ids(["B-PER", "I-PER", "O"]), np.array([0.9, 0.8, 0.7], np.float32), seen, 6, PL)
    assert PL.to_names(tags) == ["B-PER", "I-PER", "I-PER", "O", "O", "O"]
    assert confidences.tolist() == pytest.approx([0.9, 0.8, 0.8, 1, 0.7, 1])


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 1000))
def test_filled_tags_are_legal_and_complete(has_piece: list[bool], seed: int) -> None:
    seen = np.flatnonzero(np.array(has_piece, bool))
    scores = np.log(np.random.default_rng(seed).dirichlet(np.ones(5), size=len(seen)).reshape(-1, 5).astype(np.float32))
    path = viterbi(scores, np.array([len(seen)]), PL)
    tags, confidences = fill(path, np.ones(len(seen), np.float32), seen, len(has_piece), PL)
    assert len(tags) == len(confidences) == len(has_piece)
    assert bio.illegal_index(PL.to_names(tags)) is None
    assert tags[seen].tolist() == path.tolist()
