"""What a text is known by: its normal form, that form's hash, and the keys by which texts like it are found; pure."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from datasets_app import near_duplicates, splits


class Likeness(NamedTuple):
    """Of one text. (A tuple: an import makes millions of them.)"""

    normal: str
    group: str  # 64 hexadecimal digits: the group of texts that are the same but for case, blanks and Unicode forms
    digest: int  # the head of `group` as a signed 64-bit number
    keys: Sequence[int]  # of `near_duplicates`


def of(texts: Sequence[str]) -> list[Likeness]:
    """The likeness of each text. Many at once cost less than one by one."""
    normals = [splits.normal(text) for text in texts]
    hashes = [hashlib.sha256(normal.encode()) for normal in normals]
    digests = [int.from_bytes(found.digest()[:8], signed=True) for found in hashes]
    keys = near_duplicates.keys(normals, digests)
    groups = [found.hexdigest() for found in hashes]
    return list(map(Likeness, normals, groups, digests, keys))
