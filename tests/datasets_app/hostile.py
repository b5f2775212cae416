"""Files to break an import with: good ones of each format, pieces of theirs put together anew, and what goes wrong.

Bytes overwritten, cut, doubled and swapped; lines doubled and parted elsewhere; other encodings, with and without a
mark; packed once or twice, and the pack broken; JSON and tables of the words that the tools use, with any values.
"""

import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from datasets_app.codecs import WRITERS
from datasets_app.records import Gold

TEXT = "Ada 👋 met Bob in 中国."


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # the same bytes each time
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def arrow(table: pa.Table, *, stream: bool = True) -> bytes:
    out = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


# Good ones -----------------------------------------------------------------------------------------------

OBJECTS = [
    {"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "id": "a", "split": "dev", "meta": {"a": 1}},
    {"text": TEXT, "label": [[0, 3, "PER"], [10, 13, "PER"]]},
    {"tokens": ["Ada", "met"], "ner_tags": ["B-PER", "O"], "offsets": [[0, 3], [4, 7]], "text": "Ada met"},
    {"data": {"text": TEXT}, "annotations": [{"result": [
        {"type": "labels", "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}}]}]},
    {"fields": {"text": TEXT}, "responses": {"q": [{"value": [{"start": 0, "end": 3, "label": "PER"}]}]}},
    {"text": TEXT, "_task_hash": 1, "tokens": [{"text": "Ada", "start": 0, "end": 3}], "spans": []},
]  # fmt: skip
JSONL = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in OBJECTS).encode()
CONLL = b"-DOCSTART- O\n\n# id 1\n1\tAda\t_\tB-PER\n2-3\tx\t_\t_\n2\tmet\t_\tO\n\nEU NNP B-ORG\nsays VB I-ORG\n"
CSV = b'id,text,split\n1,"a, ""b""",train\n2,"c\nd",test\n'
_SPANS = [[{"start": 0, "end": 3, "label": "PER"}], None]
_TEXTS = pa.table({"text": [TEXT, "x"], "spans": _SPANS, "tokens": [None, ["x"]]})
_WORDS = pa.table({"tokens": [["Ada", "met"]], "ner_tags": [["B-PER", "O"]]})


@cache
def spacy() -> bytes:
    gold = Gold("k", "Ada met", [0, 4], [3, 7], ["B-PER", "O"], "train")
    return b"".join(WRITERS["spacy"].write([gold], scheme="iob2"))


SEEDS: Mapping[str, Callable[[], bytes]] = {
    "conll": lambda: CONLL,
    "jsonl": lambda: JSONL,
    "txt": lambda: b"one\r\ntwo\n\nthree",
    "csv": lambda: CSV,
    "parquet": lambda: parquet(_TEXTS),
    "arrow": lambda: arrow(_WORDS),
    "hf": lambda: zipped({"train/a.parquet": parquet(_TEXTS), "test/data-0.arrow": arrow(_WORDS)}),
    "brat": lambda: zipped({"a.txt": TEXT, "a.ann": "T1\tPER 0 3\tAda\nR1\tx Arg1:T1\n#1\tNote T1\tx\n", "b.txt": "b"}),
    "files": lambda: zipped({"train.conll": CONLL, "dev.jsonl": JSONL, "test.csv": CSV, "README.md": "x"}),
    "spacy": spacy,
}

# Bytes gone wrong ----------------------------------------------------------------------------------------

NASTY = (
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\r\n", b"\n\n", b"\t", b'"', b"\\ud800", b"\\u0000"),
    *(b"{", b"[", b"]", b"},", b"-1", b"[" * 3000, b'{"a":' * 1200, b"9" * 30, b"9" * 5000, b"NaN", b"1e999", b"null"),
    *(b"I-PER", b"-DOCSTART-", b"# ", b"0 3;1 2", b"\xe2\x80\xa8", b"\xc2\x85", b"B-", b",,", b"\xed\xa0\x80"),
    *(b"E-PER", b"\xf0\x9f\x91\x8b", b"\xe2\x80\x8b", b"\xcc\x81", b"x" * 201, b"PK\x03\x04", b"PAR1", b"1-2", b"1.1"),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, seed: bytes) -> bytes:
    """The bytes with some stretches overwritten, doubled, moved or cut away, as pieces or as lines."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        kind = draw(st.sampled_from(["nasty", "nasty", "bytes", "double", "cut", "line", "turned"]))
        if kind == "cut":
            del data[end if draw(st.booleans()) else start :]
        elif kind == "line":
            lines = bytes(data).splitlines(keepends=True) or [b""]
            at = draw(st.integers(0, len(lines) - 1))
            lines[at:at] = [lines[at]] * draw(st.sampled_from([1, 1, 2, 40]))
            data = bytearray(b"".join(lines))
        else:
            old = bytes(data[start:end])
            new = {"nasty": st.sampled_from(NASTY), "bytes": st.binary(max_size=4), "double": st.just(old * 2)}
            data[start:end] = draw(new[kind]) if kind in new else old[::-1]
    return bytes(data)


ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1", "cp1252", "gb18030")
PACKS: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zip": lambda data: zipped({"inside": data}),
}


@st.composite
def files(draw: st.DrawFn, format: str) -> tuple[str, bytes]:
    """A name and a file's bytes: a good file gone wrong, or made of what such a file is made of."""
    seed = SEEDS[format]()
    made = MADE.get(format)
    name = f"a.{format}"
    if format == "spacy":
        data = draw(st.just(seed) | mutated(zlib.decompress(seed)).map(zlib.compress) | mutated(seed))
    elif made is not None and draw(st.booleans()):
        data = draw(made)
    else:
        data = draw(mutated(seed))
    if format in ("conll", "jsonl", "txt", "csv") and not draw(st.integers(0, 5)):
        data = data.decode("utf-8", "replace").encode(draw(st.sampled_from(ENCODINGS)), "ignore")
    if not draw(st.integers(0, 5)):
        ending = draw(st.sampled_from(sorted(PACKS)))
        name, data = name + ending, PACKS[ending](data)
        if draw(st.booleans()):
            data = draw(mutated(data))
    return name, data


# Files made of what such files are made of ---------------------------------------------------------------

KEYS = (
    *("text", "spans", "tokens", "tags", "ner_tags", "label", "labels", "entities", "start", "end", "start_offset"),
    *("end_offset", "id", "split", "meta", "metadata", "offsets", "data", "annotations", "result", "value", "type"),
    *("fields", "responses", "annotation", "prediction", "_task_hash", "answer", "token_start", "was_cancelled"),
    *("suggestions", "accepted", "ground_truth", "entity_group", "score", "_annotator_id", "record_id", "status"),
)
HUGE = (2**31, 2**63, -(2**63) - 1, 10**40)
SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 20) | st.sampled_from(HUGE) | st.floats() | st.text(max_size=6)
    | st.sampled_from(["PER", "B-PER", "I-PER", "O", TEXT, "train", "accept", "labels", "\ud800", "a\0", "", " "])
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
# Ranges that may be right, so that what is checked behind them is reached.
_AT = st.integers(0, len(TEXT) + 2)
_RANGES = st.lists(
    st.fixed_dictionaries({"start": _AT, "end": _AT, "label": st.sampled_from(["PER", "LOC", "B-PER", "x y", ""])})
    | st.tuples(_AT, _AT, st.just("PER")).map(list),
    max_size=4,
)
ROWS = st.fixed_dictionaries({"text": st.just(TEXT) | JSON}, optional=dict.fromkeys(KEYS[1:], JSON)) | (
    st.fixed_dictionaries({"text": st.just(TEXT)}, optional=dict.fromkeys(("spans", "label", "entities"), _RANGES))
)
_TAG = st.sampled_from(["O", "B-PER", "I-PER", "S-PER", "E-PER", "L-PER", "U-PER", "I-LOC", "B-", "PER", "_", "0", ""])
_TOKEN = st.sampled_from(
    ["Ada", "#", '"', "-DOCSTART-", "中", "👋", "1", "1-2", "a\u00a0b", "\u200b", "\u2028", "\ud7ff"]
)


def _dumped(values: list[object], array: bool) -> bytes:
    text = json.dumps(values) if array else "".join(json.dumps(value) + "\n" for value in values)
    return text.encode()


@st.composite
def _conll(draw: st.DrawFn) -> bytes:
    parted, lines = draw(st.sampled_from(["\t", " ", "  "])), []
    for _ in range(draw(st.integers(1, 12))):
        cells = [draw(_TOKEN), *draw(st.lists(_TOKEN | _TAG, max_size=2)), draw(_TAG)]
        lines.append(draw(st.sampled_from(["", parted.join(cells), parted.join(cells), parted.join(cells), "# x"])))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode()


@st.composite
def _csv(draw: st.DrawFn) -> bytes:
    parted = draw(st.sampled_from(",;\t"))
    cell = st.sampled_from(['"', '""', '"a"', "text", "id", "split", "train", "1", "a\nb", '"a\nb"', "", TEXT, "\r"])
    head = draw(st.just(["id", "text", "split"]) | st.lists(cell, min_size=1, max_size=4))
    rows = [head, *draw(st.lists(st.lists(cell, min_size=1, max_size=4), max_size=5))]
    return "\n".join(parted.join(row) for row in rows).encode()


@st.composite
def _ann(draw: st.DrawFn) -> bytes:
    line = st.one_of(
        st.tuples(_AT, _AT, st.sampled_from(["Ada", "👋", "中国", "", "x"])).map(
            lambda given: f"T1\tPER {given[0]} {given[1]}\t{given[2]}"
        ),
        st.sampled_from(
            ["T1\tPER 0 3;4 5\tAda 👋", "T2 PER 0 3", "T", "#1\tx", "T1\tPER 99999999999999999999 3\tA", "E1"]
        ),
    )
    lines = draw(st.lists(line, max_size=5))
    return zipped({"dev/a.txt": TEXT, "dev/a.ann": "\n".join(lines), "b.txt": draw(st.binary(max_size=8))})


@st.composite
def _tables(draw: st.DrawFn) -> pa.Table:
    columns = draw(st.dictionaries(st.sampled_from(KEYS), st.lists(JSON, min_size=2, max_size=2), max_size=3))
    columns |= {"text": [TEXT, "x"]} if draw(st.booleans()) else {}
    made = {}
    for name, values in columns.items():
        try:
            made[name] = pa.array(values)
            parquet(pa.table({name: made[name]}))
        except (pa.ArrowException, ValueError, TypeError, OverflowError):  # no table can hold such a column
            made[name] = pa.array([TEXT, None])
    return pa.table(made or {"text": pa.array([], pa.large_string())})


MADE: Mapping[str, st.SearchStrategy[bytes]] = {
    "conll": _conll(),
    "jsonl": st.builds(_dumped, st.lists(ROWS | JSON, min_size=1, max_size=4), st.booleans()),
    "csv": _csv(),
    "brat": _ann(),
    "parquet": _tables().map(parquet),
    "arrow": st.builds(arrow, _tables(), stream=st.booleans()),
    "hf": _tables().map(lambda table: zipped({"train/a.parquet": parquet(table), "test/b.arrow": arrow(table)})),
}
