"""Which split a new text belongs to: decided once, from a stable hash of what it is grouped with.

The share of a split can change for new texts without moving old ones, and texts of one group never part.
"""

import hashlib
import re
import unicodedata

_BLANKS = re.compile(r"\s+")


def normal(text: str) -> str:
    """The text with its case, blanks and Unicode forms made equal."""
    if text.isascii():  # the same, in a tenth of the time
        return " ".join(text.lower().split())
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def digest(normal: str) -> int:
    """A normal text's identity as a signed 64-bit number: the head of its group key."""
    return int.from_bytes(hashlib.sha256(normal.encode()).digest()[:8], signed=True)


def split_of(group: str, *, validation: float, test: float) -> str:
    """`test`, `validation` or `train`, by where the group's hash falls in [0, 1)."""
    at = int.from_bytes(hashlib.blake2b(group.encode(), digest_size=8, person=b"goldset split").digest()) / 2**64
    if at < test:
        return "test"
    return "validation" if at < test + validation else "train"
