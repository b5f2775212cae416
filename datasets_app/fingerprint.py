"""The fingerprint of a dataset version: same content, same fingerprint, on any machine.

It covers the labels in their order and, of every text, key, split, text, grid and tags. Row ids, dates,
people and the order in which texts came in do not count: feed the rows in the order of their keys.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

from datasets_app.records import Gold


def fingerprint(labels: Sequence[str], rows: Iterable[Gold]) -> str:
    """64 hexadecimal digits: SHA-256 over one JSON line for the labels and one for each row."""
    digest = hashlib.sha256(_line(["goldset-1", *labels]))
    for gold in rows:
        digest.update(_line([gold.key, gold.split, gold.text, gold.starts, gold.ends, gold.tags]))
    return digest.hexdigest()


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _line(value: object) -> bytes:
    return _JSON.encode(value).encode() + b"\n"
