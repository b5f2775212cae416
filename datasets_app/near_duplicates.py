"""Which texts are nearly the same: MinHash over pairs of words, banded for look-up (Broder 1997; Indyk & Motwani 1998).

Two texts that share most of their word pairs share at least one *key* with high probability, so that candidates are
found by an index; `similarity` then decides. Texts of few words have one key, that of the whole text: in short texts
one word makes all the difference. Keys are the same on any machine. Pure: numpy, no Django.
"""

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

BANDS, ROWS = 5, 3  # chance to share a key: 97 % at similarity 0.8, 88 % at 0.7, 12 % at 0.3
THRESHOLD = 0.7
WORDS_MIN = 6

# Scripts that are written without blanks: each character counts as a word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SEEDS = np.random.Generator(np.random.PCG64(20240229)).integers(1, 2**63, size=(BANDS * ROWS, 2), dtype=np.uint64)

Hashes = npt.NDArray[np.uint64]


def words(normal: str) -> list[str]:
    """The words of a text that `splits.normal` has made equal but for them."""
    return (_ASCII_WORD if normal.isascii() else _WORD).findall(normal)


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of the word pairs of two normal texts; 1.0 only for texts that are equal."""
    if one == other:
        return 1.0
    first, second = _pairs(one), _pairs(other)
    shared = len(first & second)
    # Equal but for punctuation or repeated words is near, not the same.
    return min(0.999, shared / max(1, len(first | second)))


def _pairs(normal: str) -> set[tuple[str, str]]:
    found = words(normal)
    return set(pairwise(found))


def keys(normals: Sequence[str], digests: Sequence[int]) -> list[list[int]]:
    """The keys of each text, as 64-bit signed integers: its digest if it is short, else one for each band."""
    found = [words(normal) for normal in normals]
    long = [number for number, each in enumerate(found) if len(each) >= WORDS_MIN]
    result = [[digest] for digest in digests]
    for number, banded in zip(long, _banded([found[number] for number in long]), strict=True):
        result[number] = banded
    return result


def _banded(texts: Sequence[Sequence[str]]) -> list[list[int]]:
    if not texts:
        return []
    pairs, bounds = _hashed_pairs(texts)
    least = np.empty((len(texts), BANDS * ROWS), dtype=np.uint64)
    for row, (seed, factor) in enumerate(_SEEDS):
        # Every second stretch lies between two texts: the pair that no text has.
        least[:, row] = np.minimum.reduceat(_mixed((pairs ^ seed) * (factor | np.uint64(1))), bounds)[::2]
    bands = least.reshape(len(texts), BANDS, ROWS)
    combined = np.broadcast_to(np.arange(1, BANDS + 1, dtype=np.uint64) * _MIX[0], bands.shape[:2])
    for row in range(ROWS):
        combined = _mixed(combined * _MIX[1] + bands[:, :, row])
    signed: list[list[int]] = combined.view(np.int64).tolist()
    return signed


def _hashed_pairs(texts: Sequence[Sequence[str]]) -> tuple[Hashes, npt.NDArray[np.intp]]:
    """A hash for each pair of neighboring words of all texts in one row, and where each text's pairs begin and end."""
    hashes = {word: crc32(word.encode()) for word in set().union(*texts)}  # most words stand there many times
    flat = np.array([hashes[word] for text in texts for word in text], dtype=np.uint64)
    ends = np.fromiter(accumulate(len(text) for text in texts), dtype=np.intp)
    starts = np.concatenate(([0], ends[:-1]))
    following = np.concatenate((flat[1:], flat[:1]))
    bounds = np.column_stack((starts, ends - 1)).ravel()
    return _mixed(flat * _MIX[0] + following), bounds


def _mixed(values: Hashes) -> Hashes:
    """Spread each value's bits over all 64 (the finalizer of splitmix64, shortened)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[1]
    return values ^ (values >> np.uint64(31))
