"""From the network's scores to legal BIO tags: transition rules, Viterbi over whole documents, gaps.

Plain numpy; knows nothing of windows, files or torch. Many documents are decoded together: their rows stand
one after another in one array, with a list of lengths. One Viterbi runs over a whole document, so an entity
that lies over a window's border is neither cut nor doubled.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from labeling import bio

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
_FORBIDDEN = -1e9  # finite, so that no sum of forbidden steps becomes NaN


@dataclass(frozen=True)
class Tagset:
    """The classes of a network, in its order, and which may follow which."""

    names: tuple[str, ...]

    @classmethod
    def of_labels(cls, labels: Iterable[str]) -> Self:
        """`O, B-X, I-X, …` in the labels' order."""
        return cls(tuple(bio.tag_names(labels)))

    @cached_property
    def ids(self) -> dict[str, int]:
        """The position of each tag."""
        return {name: index for index, name in enumerate(self.names)}

    def allowed(self, labels: Iterable[str]) -> npt.NDArray[np.bool_]:
        """True for `O` and the tags of `labels`."""
        known = {"", *labels}
        return np.array([bio.label_of(name) in known for name in self.names])

    @cached_property
    def may_follow(self) -> npt.NDArray[np.bool_]:
        """`[previous, next]`: True where `next` may stand after `previous`."""
        opened = [f"B-{bio.label_of(name)}" if name[:2] == "I-" else name for name in self.names]
        return np.array([[bio.illegal_index([a, b]) is None for b in self.names] for a in opened])

    @cached_property
    def may_start(self) -> npt.NDArray[np.bool_]:
        """True for the tags that may stand first."""
        return np.array([bio.illegal_index([name]) is None for name in self.names])

    @cached_property
    def begins(self) -> Ints:
        """For each tag the tag that begins the same entity: `B-X` for `I-X`, the others themselves."""
        return np.array([self.ids.get(f"B-{bio.label_of(name)}", at) for name, at in self.ids.items()])

    @property
    def outside(self) -> int:
        """The position of `O`."""
        return self.ids[bio.OUTSIDE]

    @cached_property
    def _array(self) -> npt.NDArray[np.object_]:
        return np.array(self.names, dtype=object)

    def to_ids(self, tags: Iterable[str]) -> Ints:
        """Tag names as positions; raises KeyError for a tag that the set does not have."""
        return np.array([self.ids[tag] for tag in tags], np.int64)

    def to_names(self, ids: Ints) -> list[str]:
        """Positions as tag names."""
        return list(self._array[ids].tolist())

    def legal(self, tags: Ints) -> Ints:
        """The same tags with every inside tag that continues nothing turned into the beginning of an entity."""
        fits = np.concatenate((self.may_start[tags[:1]], self.may_follow[tags[:-1], tags[1:]]))
        return np.where(fits, tags, self.begins[tags])


@dataclass(frozen=True, slots=True)
class Transitions:
    """Learned scores of one tag after another `[previous, next]`, and of the first."""

    steps: Floats
    start: Floats

    def __truediv__(self, temperature: float) -> "Transitions":
        return Transitions(self.steps / temperature, self.start / temperature)


def _rules(tagset: Tagset, learned: Transitions | None) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What each step and each beginning adds to a path's score: what was learned, and the ban on illegal ones."""
    steps, start = (learned.steps, learned.start) if learned else (0.0, 0.0)
    return np.where(tagset.may_follow, steps, _FORBIDDEN), np.where(tagset.may_start, start, _FORBIDDEN)


def viterbi(scores: Floats, lengths: Ints, tagset: Tagset, learned: Transitions | None = None) -> Ints:
    """The likeliest legal tags of several documents.

    `scores` are log-probabilities `[rows, tags]`, the documents' rows one after another; `lengths` says how
    many rows each has (0 is fine). Returns one tag id per row. (Forney 1973: The Viterbi algorithm.)
    """
    order, active = _time_major(lengths)
    rows = scores[order].astype(np.float64)
    step, start = _rules(tagset, learned)
    best = rows[: active[0] if len(active) else 0] + start
    back = np.zeros(rows.shape, np.int16)
    at = len(best)
    for count in active[1:]:
        paths = best[:count, :, None] + step
        back[at : at + count] = came_from = paths.argmax(1)
        reached = np.take_along_axis(paths, came_from[:, None], 1)[:, 0]
        best[:count] = rows[at : at + count] + reached
        at += count
    found = np.empty(len(rows), np.int64)
    found[order] = _trace(best.argmax(1), back, active)
    return found


def marginals(scores: Floats, lengths: Ints, tagset: Tagset, learned: Transitions) -> Floats:
    """The log-probability of each tag of each row over all legal paths, `[rows, tags]` (forward and backward sums)."""
    order, active = _time_major(lengths)
    rows = scores[order].astype(np.float64)
    step, start = _rules(tagset, learned)
    forward, backward = np.empty_like(rows), np.zeros_like(rows)
    starts = np.cumsum(active) - active
    for place, (at, count) in enumerate(zip(starts, active, strict=True)):
        if place == 0:
            forward[:count] = rows[:count] + start
        else:
            before = forward[starts[place - 1] : starts[place - 1] + count]
            forward[at : at + count] = rows[at : at + count] + _log_sum(before[:, :, None] + step)
    for place in range(len(active) - 1, 0, -1):
        at, count, to = starts[place], active[place], starts[place - 1]
        ahead = rows[at : at + count] + backward[at : at + count]
        backward[to : to + count] = _log_sum(ahead[:, :, None] + step.T)
    total = forward + backward
    found = np.empty_like(total)
    found[order] = total - _log_sum(total[:, :, None])
    return found.astype(np.float32)


def _log_sum(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The logarithm of the sum of exponentials over the middle axis."""
    largest = values.max(1, keepdims=True)
    sums: npt.NDArray[np.float64] = largest[:, 0] + np.log(np.exp(values - largest).sum(1))
    return sums


def _time_major(lengths: Ints) -> tuple[Ints, Ints]:
    """Row numbers ordered by place in their document, longest document first, and the documents alive at each place."""
    ranked = np.argsort(-lengths, kind="stable")
    rank = np.empty(len(lengths), np.int64)
    rank[ranked] = np.arange(len(lengths))
    starts = np.cumsum(lengths) - lengths
    place = np.arange(int(lengths.sum())) - np.repeat(starts, lengths)
    return np.lexsort((np.repeat(rank, lengths), place)), np.bincount(place)


def _trace(last: Ints, back: npt.NDArray[np.int16], active: Ints) -> Ints:
    """The path in time-major order, walked from each document's last row to its first."""
    path = np.empty(len(back), np.int64)
    tag = last.astype(np.int64)
    at = len(back)
    for count in active[::-1]:
        at -= count
        path[at : at + count] = tag[:count]
        tag[:count] = back[np.arange(at, at + count), tag[:count]]
    return path


def fill(tags: Ints, confidences: Floats, seen: Ints, length: int, tagset: Tagset) -> tuple[Ints, Floats]:
    """Tags and confidences of all `length` words of a document, from those of the `seen` words.

    A word without a piece belongs to the entity that goes on after it, so that a variation selector does
    not cut `B-PER I-PER` in two, and is `O` otherwise. It takes the confidence of the word that follows.
    """
    after = np.searchsorted(seen, np.arange(length))  # the place in `seen` of the word itself or the next one
    goes_on = np.append(tagset.begins[tags] != tags, False)
    is_seen = np.zeros(length, bool)
    is_seen[seen] = True
    next_tag, next_confidence = np.append(tags, tagset.outside)[after], np.append(confidences, np.float32(1))[after]
    inside = goes_on[after] | is_seen
    return np.where(inside, next_tag, tagset.outside), np.where(inside, next_confidence, 1).astype(np.float32)
