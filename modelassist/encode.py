"""Words to word pieces, and long documents to windows, with numpy and a fast tokenizer; no torch.

A window begins and ends at word borders, holds at most `capacity` pieces and overlaps its neighbor. Each
word is *owned* by the one window in which it stands farthest from a cut, so the network's rows for the
owned words, written one after another, are the whole document's. A word that yields no piece (a variation
selector, a zero-width blank) is owned by none and keeps its place; `decode` gives it a tag.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from modelassist.decode import Tagset

Ints = npt.NDArray[np.int64]
OVERLAP = 32
IGNORED = -100  # the label that the loss leaves out: continuation pieces, special tokens, padding
_CACHE_WORDS = 200_000


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one document: piece ids with [CLS] and [SEP], and where its own words' first pieces are."""

    ids: npt.NDArray[np.int32]
    words: Ints  # the owned words that have a piece, as positions in the document
    firsts: Ints  # the place in `ids` of the first piece of each of them


class Encoder:
    """Turns words into windows; remembers the pieces of the words that it has seen.

    Words are cut on their own, as a pretokenized BERT input is, so a word's pieces never depend on its
    neighbors and can be looked up. Text such as `[SEP]` is split like any other, never taken as a command.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_pieces: int = 512, overlap: int = OVERLAP) -> None:
        tokenizer.no_truncation()  # a tokenizer file may bring both along; they would cut and pad words
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._capacity = max_pieces - 2
        self._overlap = min(overlap, self._capacity // 4)
        self._edges = [np.array([tokenizer.token_to_id(token)], np.int32) for token in ("[CLS]", "[SEP]")]
        self._known: dict[str, npt.NDArray[np.int32]] = {}

    def pieces(self, words: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """The piece ids of each word; of a word longer than a window, as many as a window holds."""
        if len(self._known) > _CACHE_WORDS:
            self._known.clear()
        if new := list({word for word in words if word not in self._known}):
            # A lone surrogate cannot be encoded at all: it becomes "?", so that the word keeps its place.
            clean = [[word.encode("utf-8", "replace").decode()] for word in new]
            codes = self._tokenizer.encode_batch_fast(clean, is_pretokenized=True, add_special_tokens=False)
            for word, code in zip(new, codes, strict=True):
                self._known[word] = np.array(code.ids[: self._capacity], np.int32)
        return [self._known[word] for word in words]

    def windows(self, words: Sequence[str]) -> Iterator[Window]:
        """The windows of one document, in order; none where no word has a piece."""
        pieces = self.pieces(words)
        counts = np.fromiter(map(len, pieces), np.int64, len(pieces))
        if not counts.any():
            return
        ids, before = np.concatenate(pieces), np.concatenate(([0], np.cumsum(counts)))
        for start, end, own_start, own_end in cuts(before, self._capacity, self._overlap):
            owned = own_start + np.flatnonzero(counts[own_start:own_end])
            stretch = ids[before[start] : before[end]]
            yield Window(
                np.concatenate((self._edges[0], stretch, self._edges[1])), owned, before[owned] - before[start] + 1
            )


def cuts(before: Ints, capacity: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Windows as `(start, end, own_start, own_end)` word ranges; the own ranges tile the document.

    `before[w]` is the number of pieces before word `w` (one entry more than words). Neighbors share at
    least `overlap` pieces unless a single word is too long for that.
    """
    words = len(before) - 1
    borders: list[tuple[int, int]] = []
    start = end = 0
    while end < words:
        if borders:
            start = _next_start(before, end, capacity, overlap)
        end = int(np.searchsorted(before, before[start] + capacity, side="right")) - 1
        borders.append((start, end))
    owners = [0, *(_middle(before, b[0], a[1]) for a, b in pairwise(borders)), words]
    return [(*border, *owners[i : i + 2]) for i, border in enumerate(borders)]  # type: ignore[misc]


def _next_start(before: Ints, end: int, capacity: int, overlap: int) -> int:
    """The last word that leaves `overlap` pieces before `end`, but late enough for the word at `end` to fit."""
    wanted = int(np.searchsorted(before, before[end] - overlap, side="right")) - 1
    needed = int(np.searchsorted(before, before[end + 1] - capacity, side="left"))
    return max(wanted, needed)


def _middle(before: Ints, start: int, end: int) -> int:
    """The first word of the shared range that is nearer to the earlier window's end than to the later's start."""
    later = 2 * before[start:end] > before[start] + before[end]
    return start + int(np.argmax(later)) if later.any() else end


def align(windows: Sequence[Window], tags: Ints, tagset: Tagset) -> list[Ints]:
    """The label of each piece of a document's windows: a word's tag on its first piece, `IGNORED` elsewhere.

    `tags` are the tag ids of all the document's words. Where the word that begins an entity has no piece,
    the next word of the entity begins it: the network never sees the first.
    """
    if not windows:
        return []
    seen = tagset.legal(tags[np.concatenate([window.words for window in windows])])
    labels, at = [], 0
    for window in windows:
        of_pieces = np.full(len(window.ids), IGNORED, np.int64)
        of_pieces[window.firsts] = seen[at : at + len(window.firsts)]
        at += len(window.firsts)
        labels.append(of_pieces)
    return labels
