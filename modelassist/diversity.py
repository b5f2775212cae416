"""Texts that are unlike each other: small vectors of what the network made of them, and a choice spread over those.

Pure numpy. The vectors come from the pass that predicts anyway.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from modelassist.decode import Floats, Ints

SIZE = 64  # numbers of a vector
_AS_STORED = np.dtype("<f2")


def shrunk(states: Floats) -> npt.NDArray[np.float16]:
    """Vectors of any width as `[texts, SIZE]` of about the same distances to each other, of length 1 or 0.

    By a fixed random projection (Johnson & Lindenstrauss 1984; Achlioptas 2003).
    """
    small = states @ _projection(states.shape[1])
    lengths = np.linalg.norm(small, axis=1, keepdims=True)
    units: npt.NDArray[np.float16] = (small / np.where(lengths > 0, lengths, 1)).astype(np.float16)
    return units


@cache
def _projection(width: int) -> Floats:
    return np.random.default_rng(width).choice(np.array([-1, 1], np.float32), (width, SIZE))


def to_bytes(vector: npt.NDArray[np.float16]) -> bytes:
    """A vector as it is stored."""
    return vector.astype(_AS_STORED).tobytes()


def from_bytes(rows: list[bytes]) -> Floats:
    """Stored vectors, `[texts, SIZE]`."""
    return np.frombuffer(b"".join(rows), _AS_STORED).reshape(len(rows), SIZE).astype(np.float32)


def spread(vectors: Floats, weights: Floats, count: int, *, seed: int = 0) -> Ints:
    """Positions of all texts: `count` chosen to be unsure and unlike each other, in the order of choice, then the rest.

    The seeding of k-means++ (Arthur & Vassilvitskii 2007), each text weighed by how unsure the model is of it, as in
    BADGE (Ash et al. 2020): the surest way to be chosen is to be unsure and far from all that was chosen before.
    The first is the one of the largest weight; the rest stand by weight.
    """
    random = np.random.default_rng(seed)
    weights = np.maximum(weights, 0).astype(np.float64)
    nearest = np.ones(len(weights))
    chosen: list[int] = []
    while len(chosen) < min(count, len(weights)):
        chances = np.cumsum(weights * nearest)
        if chances[-1] <= 0:
            break  # what is left is like what was chosen, or beyond doubt
        draw = random.random() * chances[-1]
        pick = int(np.searchsorted(chances, draw, side="right")) if chosen else int(weights.argmax())
        nearest = np.minimum(nearest, ((vectors - vectors[pick]) ** 2).sum(1))
        nearest[pick] = 0
        chosen.append(pick)
    rest = np.setdiff1d(np.arange(len(weights)), chosen)
    return np.concatenate([np.array(chosen, np.int64), rest[np.argsort(-weights[rest], kind="stable")]])
