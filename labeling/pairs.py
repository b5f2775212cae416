"""The pairs of characters by which the search finds a text, as the database's `labeling_bigrams` gives them; pure.

An import gives them along, since many texts at once take a small part of what they take the database one by one.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_DIGITS = [str(pair - 32768) for pair in range(1 << 14)]  # of an ASCII pair


def of(texts: Sequence[str]) -> list[list[str] | None]:
    """Each text's pairs of neighbors in lower case, none with a blank: 16-bit signed numbers, in digits, each once.

    None for a text beyond ASCII: what lower case is there, only the database knows.
    """
    plain = [text for text in texts if text.isascii()]
    codes = np.frombuffer(" ".join(plain).lower().encode(), np.uint8).astype(np.int32)
    owners = np.repeat(np.arange(len(plain), dtype=np.int32), [len(text) + 1 for text in plain])
    found = (owners[: len(codes)] << 14 | codes << 7)[:-1] ^ codes[1:]
    found = np.sort(found[(codes[:-1] > 32) & (codes[1:] > 32)])
    found = found[np.diff(found, prepend=-1) > 0]
    digits = [_DIGITS[pair] for pair in (found & (1 << 14) - 1).tolist()]
    ends = np.searchsorted(found, np.arange(len(plain) + 1, dtype=np.int64) << 14).tolist()
    pairs = iter([digits[begin:end] for begin, end in pairwise(ends)])
    return [next(pairs) if text.isascii() else None for text in texts]
