"""JSON objects, in and out: one a line, or in an array.

`objects` says what may stand in one. What `write` gives, `read` takes back to the same text, grid, tags, key, split
and meta.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets_app.codecs import everything
from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.codecs.json_stream import objects
from datasets_app.codecs.lines import too_long
from datasets_app.codecs.objects import parsed, record, tags_if_any
from datasets_app.grids import align
from datasets_app.records import Failure, Gold, ReadOptions, Record, Refused, Survey, Whole
from labeling import bio


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the objects, and find the scheme of their tags."""
    evidence, records = bio.SchemeEvidence(), 0
    for _, text in objects(path):
        records += 1
        if options.tags and text:
            evidence.add(tags_if_any(text))
    return Survey(records, evidence.scheme)


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record an object; blank lines are passed over."""
    for line, text in objects(path):
        if text is None:
            yield too_long(line)
            continue
        try:
            yield record(line, parsed(text), options, found.scheme)
        except Refused as refused:
            yield refused.at(line)


# Out -----------------------------------------------------------------------------------------------------


_JSON = json.JSONEncoder(ensure_ascii=False)


def write(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """One line a text, tags in `scheme`."""
    for gold in rows:
        yield _JSON.encode(as_object(gold, scheme=scheme)).encode() + b"\n"


def write_everything(rows: Iterable[Whole]) -> Iterator[bytes]:
    """One line a text: its gold as ever, if it has one, and `annotations` and `suggestions` beside it."""
    for whole in rows:
        gold = whole.accepted
        fields = as_object(whole.gold(gold["tags"] if gold else [bio.OUTSIDE] * len(whole.starts)))
        if gold is None:
            del fields["tags"], fields["spans"]
        yield json.dumps(everything.as_object(whole, fields), ensure_ascii=False).encode() + b"\n"


def as_object(gold: Gold, *, scheme: str = "iob2") -> dict[str, Any]:
    """The object of one text. `offsets` stand there only where tokens and text do not tell them."""
    words = gold.tokens
    found: dict[str, Any] = {"id": gold.key, "text": gold.text, "tokens": words}
    if not _told_by(words, gold):
        found["offsets"] = [list(pair) for pair in zip(gold.starts, gold.ends, strict=True)]
    found["tags"] = bio.encode(gold.tags, scheme)
    found["spans"] = [
        {"start": gold.starts[span.start], "end": gold.ends[span.end - 1], "label": span.label}
        for span in bio.spans(gold.tags)
    ]
    found["split"] = gold.split
    return found | ({"meta": gold.meta} if gold.meta else {})


def _told_by(words: Sequence[str], gold: Gold) -> bool:
    if "".join(words) == "".join(gold.text.split()) and " ".join(words).split() == words:
        return True  # blanks stand between tokens alone, so there is one place for each
    try:
        starts, _ = align(words, gold.text)
    except Refused:
        return False
    return list(starts) == list(gold.starts)


CODEC = Codec(
    "jsonl",
    "JSONL: an object a line, with spans or tokens",
    Reader(survey, read, (".jsonl", ".ndjson", ".json")),
    Writer(write, "jsonl", "application/x-ndjson", bio.SCHEMES, write_everything),
)
