"""Vectors of texts, and a choice spread over them."""

import numpy as np
import pytest

from modelassist.diversity import SIZE, from_bytes, shrunk, spread, to_bytes


def groups(*sizes: int, width: int = 384) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around as many centers as there are sizes, and the center of each."""
    random = np.random.default_rng(5)
    centers = random.standard_normal((len(sizes), width))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return (centers[owner] + 0.05 * random.standard_normal((len(owner), width))).astype(np.float32), owner


def test_small_vectors_keep_who_is_near_whom() -> None:
    states, owner = groups(10, 10, 10)
    small = shrunk(states).astype(np.float32)
    assert small.shape == (30, SIZE)
    assert np.linalg.norm(small, axis=1) == pytest.approx(1, abs=0.01)
    distances = ((small[:, None] - small[None]) ** 2).sum(2)
    same = owner[:, None] == owner[None]
    assert distances[same].max() < 0.1 * distances[~same].min()


def test_a_text_without_a_word_has_a_vector_too() -> None:
    assert not shrunk(np.zeros((2, 384), np.float32)).any()


def test_stored_and_read_again() -> None:
    small = shrunk(groups(3)[0])
    assert len(to_bytes(small[0])) == 2 * SIZE
    assert (from_bytes([to_bytes(row) for row in small]) == small.astype(np.float32)).all()
    assert from_bytes([]).shape == (0, SIZE)


def test_every_group_is_met_soon() -> None:
    states, owner = groups(20, 10, 8, 5)
    order = spread(shrunk(states).astype(np.float32), np.ones(len(owner)), 50)
    assert sorted(order) == list(range(len(owner)))
    assert set(owner[order[:6]]) == {0, 1, 2, 3}


def test_the_least_sure_of_a_group_comes_for_it() -> None:
    states, _ = groups(30, 30)
    weights = np.full(60, 0.001)
    weights[[7, 41]] = 1
    assert set(spread(shrunk(states).astype(np.float32), weights, 10)[:2]) == {7, 41}


def test_what_is_not_chosen_follows_by_weight() -> None:
    weights = np.array([3.0, 9, 1, 7, 5])
    vectors = shrunk(np.random.default_rng(1).standard_normal((5, 48)).astype(np.float32)).astype(np.float32)
    assert spread(vectors, weights, 1).tolist() == [1, 3, 4, 0, 2]
    assert spread(vectors, weights, 0).tolist() == [1, 3, 4, 0, 2]


def test_the_same_for_the_same_seed() -> None:
    states, _ = groups(40, 40)
    vectors, weights = shrunk(states).astype(np.float32), np.ones(80)
    assert (spread(vectors, weights, 20, seed=3) == spread(vectors, weights, 20, seed=3)).all()
    assert (spread(vectors, weights, 20, seed=3) != spread(vectors, weights, 20, seed=4)).any()


def test_copies_and_certainty_end_the_choice_but_lose_nobody() -> None:
    same = np.ones((6, SIZE), np.float32)
    assert sorted(spread(same, np.ones(6), 6)) == list(range(6))
    assert sorted(spread(same, np.zeros(6), 6)) == list(range(6))
    assert spread(np.empty((0, SIZE), np.float32), np.empty(0), 5).tolist() == []
