r"""Token grids: where each token of a text begins and ends, in code points.

Spaced scripts give words and single punctuation marks; Han, Kana, Thai and their like, which write no
blanks, give single characters. No token cuts a grapheme cluster (an emoji family, a letter with its
accents) in two. Unicode properties and clusters come from the `regex` library.

>>> tokenize("Hi, 中国!")
([0, 2, 4, 5, 6], [2, 3, 5, 6, 7])
"""

import re
from collections.abc import Sequence
from itertools import accumulate

import regex

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_MARK = r"[\p{M}\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]"  # what a grapheme cluster goes on with
_LETTER = rf"(?:(?![{UNSPACED}])[\p{{L}}\p{{N}}_]{_MARK}*)"
_NUMBER = rf"\p{{Nd}}+(?:[.,]\p{{Nd}}+)+(?![\p{{L}}\p{{N}}]|{_MARK})"
_CLUSTER = r"(?:(?!\s)\X)"
_PATTERNS = {
    "words": regex.compile(rf"{_NUMBER}|{_LETTER}+(?:['’]{_LETTER}+)*|{_CLUSTER}"),
    "characters": regex.compile(_CLUSTER),
}
KINDS = tuple(_PATTERNS)
# The same for text that is ASCII, three times as fast. Its blanks are spelled out: `re` counts \x1c-\x1f as such.
_ASCII = {
    "words": re.compile(r"[0-9]+(?:[.,][0-9]+)+(?![A-Za-z0-9])|[A-Za-z0-9_]+(?:'[A-Za-z0-9_]+)*|[^ \t-\r]"),
    "characters": re.compile(r"[^ \t-\r]"),
}
_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\u3000-\u303f\uff00-\uffef]")


def tokenize(text: str, kind: str = "words") -> tuple[list[int], list[int]]:
    """The starts and ends of the tokens of `text`; `kind` is one of `KINDS`."""
    patterns = _ASCII if text.isascii() else _PATTERNS
    found = [match.span() for match in patterns[kind].finditer(text)]
    return [start for start, _ in found], [end for _, end in found]


def join(tokens: Sequence[str]) -> tuple[str, list[int], list[int]]:
    """A text made of given tokens, with their grid: a blank between two, save between two CJK characters."""
    text = " ".join(tokens)
    if text.isascii() and tokens:
        ends = [end - 1 for end in accumulate(len(token) + 1 for token in tokens)]
        return text, [0, *(end + 1 for end in ends[:-1])], ends
    parts: list[str] = []
    starts: list[int] = []
    ends = []
    at = 0
    for index, token in enumerate(tokens):
        if index and not (_CJK.match(tokens[index - 1][-1:]) and _CJK.match(token[:1])):
            parts.append(" ")
            at += 1
        parts.append(token)
        starts.append(at)
        at += len(token)
        ends.append(at)
    return "".join(parts), starts, ends


def pieces(text: str, starts: Sequence[int], ends: Sequence[int]) -> list[str]:
    """The tokens of a grid as strings."""
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]
