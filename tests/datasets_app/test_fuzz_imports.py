"""Whatever file comes, an import ends in records, in errors with a code and a line, or in a refusal that says why.

Files are made from good ones of each format by cutting, doubling and overwriting pieces, and from JSON built of the
words that the tools use. `GOLDSET_FUZZ` sets how many of each there are.
"""

import bz2
import gzip
import io
import json
import os
import re
import tempfile
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app import importing, jobs
from datasets_app.codecs import READERS
from datasets_app.grids import fit
from datasets_app.importing_source import format_of, plain_file
from datasets_app.models import Job
from datasets_app.records import Failure, ReadOptions, Record, Refused, storable
from labeling import bio
from labeling.errors import GoldsetError
from labeling.models import Annotation, Document

MANY = int(os.environ.get("GOLDSET_FUZZ", "60"))
QUICK = settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = "Ada 👋 met Bob in 中国."


def parquet() -> bytes:
    out = io.BytesIO()
    spans = [[{"start": 0, "end": 3, "label": "PER"}], None]
    pq.write_table(pa.table({"text": [TEXT, "x"], "spans": spans, "tokens": [None, ["x"]]}), out)
    return out.getvalue()


def arrow() -> bytes:
    out = io.BytesIO()
    table = pa.table({"tokens": [["Ada", "met"]], "ner_tags": [["B-PER", "O"]]})
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def zipped(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


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
SEEDS = {
    "conll": CONLL,
    "jsonl": JSONL,
    "txt": b"one\r\ntwo\n\nthree",
    "csv": b'id,text,split\n1,"a, ""b""",train\n2,"c\nd",test\n',
    "parquet": parquet(),
    "arrow": arrow(),
    "hf": zipped({"train/a.parquet": parquet(), "test/data-0.arrow": arrow()}),
    "brat": zipped({"a.txt": TEXT, "a.ann": "T1\tPER 0 3\tAda\nR1\tx Arg1:T1\n#1\tNote T1\tx\n", "test/b.txt": "b"}),
}
NASTY = (
    *(
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n\n",
        b"\t",
        b'"',
        b"\\ud800",
        b"\\u0000",
        b"{",
        b"[",
        b"]",
        b"},",
        b"-1",
    ),
    *(b"I-PER", b"-DOCSTART-", b"# ", b"9" * 30, b"null", b"NaN", b"1e999", b"0 3;1 2", b"\xe2\x80\xa8", b"B-", b",,"),
)


@st.composite
def mutated(draw, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        piece = draw(st.sampled_from(NASTY) | st.binary(max_size=4) | st.just(bytes(data[start:end]) * 2))
        data[start:end] = piece
    return bytes(data)


WORDS = (
    *("text", "spans", "tokens", "tags", "ner_tags", "label", "labels", "entities", "start", "end", "start_offset"),
    *("end_offset", "id", "split", "meta", "metadata", "offsets", "data", "annotations", "result", "value", "type"),
    *("fields", "responses", "annotation", "prediction", "_task_hash", "answer", "token_start", "was_cancelled"),
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 20) | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["PER", "B-PER", "O", TEXT, "train", "accept", "labels"])
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)
ROWS = st.fixed_dictionaries({"text": st.just(TEXT) | JSON}, optional=dict.fromkeys(WORDS[1:], JSON))


def went_through(name: str, data: bytes, format: str, **options) -> None:
    """Read a file as an import does; raises whatever is none of our own errors."""
    with tempfile.TemporaryDirectory() as folder:
        path, chosen = Path(folder) / "upload", ReadOptions(**options)
        path.write_bytes(data)
        try:
            found = format_of(path, name, format)
            reader = READERS[found]
            plain = plain_file(path, reader, name=name)
            for record in reader.read(plain, chosen, reader.survey(plain, chosen)):
                judged(storable(record) if isinstance(record, Record) else record)
        except GoldsetError as error:
            check_words(error.code, error.message)


def judged(record: Record | Failure) -> None:
    if isinstance(record, Failure):
        assert record.line >= 0
        check_words(record.code, record.message)
        return
    try:
        fitted = fit(record, tokenizer="words", overlaps="longest")
    except Refused as refused:
        check_words(refused.code, refused.message)
        return
    assert 0 <= fitted.starts[0] < fitted.ends[-1] <= len(record.text)
    assert all(start < end for start, end in zip(fitted.starts, fitted.ends, strict=True))
    assert fitted.tags is None or bio.illegal_index(fitted.tags) is None


def check_words(code: str, message: str) -> None:
    assert re.fullmatch(r"[a-z_0-9]+", code)
    assert message.encode()
    assert "\0" not in message


@pytest.mark.parametrize("format", SEEDS)
@QUICK
@given(st.data())
def test_files_gone_wrong(format: str, data: st.DataObject) -> None:
    content = data.draw(mutated(SEEDS[format]))
    asked = data.draw(st.sampled_from(["auto", format, *SEEDS]))
    went_through(f"a.{format}", content, asked, offsets=data.draw(st.sampled_from(["auto", "utf16"])))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lambda data: zipped({"a.jsonl": data})])
@settings(QUICK, max_examples=MANY // 3)
@given(st.data())
def test_packed_files_gone_wrong(pack, data: st.DataObject) -> None:
    went_through(
        "a.packed", data.draw(mutated(pack(data.draw(mutated(JSONL))))), data.draw(st.sampled_from(["auto", "jsonl"]))
    )


@QUICK
@given(st.lists(ROWS | JSON, min_size=1, max_size=3), st.sampled_from(["auto", "utf16", "code_points"]), st.booleans())
def test_json_of_the_tools_words(values: list, offsets: str, array: bool) -> None:
    text = json.dumps(values) if array else "".join(json.dumps(value) + "\n" for value in values)
    went_through("a.json", text.encode(), "jsonl", offsets=offsets, tag_names=("O", "B-PER"))


@settings(QUICK, max_examples=3)
@given(st.data())
def test_spacy_files_gone_wrong(data: st.DataObject) -> None:
    from datasets_app.codecs import WRITERS
    from datasets_app.records import Gold

    good = b"".join(
        WRITERS["spacy"].write([Gold("k", "Ada met", [0, 4], [3, 7], ["B-PER", "O"], "train")], scheme="iob2")
    )
    went_through("a.spacy", zlib.compress(data.draw(mutated(zlib.decompress(good)))), "auto")


@pytest.mark.django_db
@pytest.mark.parametrize("format", ["conll", "jsonl", "csv"])
@settings(QUICK, max_examples=MANY // 5)
@given(data=st.data())
def test_a_job_ends_and_what_it_says_is_so(format: str, data: st.DataObject, project, manager) -> None:
    before, labeled = Document.objects.count(), Annotation.objects.count()
    content, strict = data.draw(mutated(SEEDS[format])), data.draw(st.booleans())
    try:
        job = importing.start(
            project, manager, io.BytesIO(content), name=f"a.{format}", format=format, overlaps="first",
            on_error="refuse" if strict else "keep",
        )  # fmt: skip
    except GoldsetError:
        assert Document.objects.count() == before
        return
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state in (Job.State.SUCCEEDED, Job.State.FAILED)
    assert not job.message.startswith("Unexpected"), job.message
    assert Document.objects.count() - before == job.result.get("documents", 0)
    assert Annotation.objects.count() - labeled == job.result.get("annotations", 0)
    assert job.errors.count() == job.error_count
