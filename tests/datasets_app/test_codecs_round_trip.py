"""What one format writes, it reads back; and so through any two formats: hostile texts, keys and metadata.

Each hop is checked against what went into it: the same spans of the same text, or, where a format knows only tokens,
the same tags on the same tokens.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app.codecs import READERS, WRITERS, arrow, hf
from datasets_app.codecs.lines import prepare
from datasets_app.grids import fit
from datasets_app.records import Gold, ReadOptions, Record
from labeling import bio, tokens

PIECES = (
    *(
        "Ada",
        "Bob",
        "-DOCSTART-",
        "#",
        '"',
        "'",
        "\\",
        "%41",
        ";",
        "0 3",
        "T1",
        "_",
        ".",
        "B-PER",
        "O",
        "<b>",
        "{",
        "]",
    ),
    *(
        "👋",
        "👩\u200d👩\u200d👧",
        "e\u0301",
        "Ǆ",
        "字",
        "中国",
        "ไทย",
        "שלום",
        "مرحبا",
        "\U0001f600",
        "\ud7ff",
        "\ue000",
    ),
    *(
        "\u200b",
        "\u202e",
        "\ufeff",
        "\u00a0",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\u2028",
        "\u0085",
        "\x0c",
        "\x1f",
        ",",
        "ORG",
    ),
)
LABELS = ("PER", "creative-work", "ÖRT", "100%", "A;B", "O", "[x]")
READ_AS = {"doccano": "jsonl", "prodigy": "jsonl", "label_studio": "jsonl"}
LOSES_TEXT = {"conll", "parquet", "hf"}  # their tokens come back, the blanks between them do not
OWN = ("conll", "jsonl", "doccano", "prodigy", "label_studio", "brat", "parquet", "hf")
KEEPS_NO_META = {"brat", "parquet", "hf"}


STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@st.composite
def golds(draw) -> Gold:
    text = "".join(draw(st.lists(st.sampled_from(PIECES) | st.text(STORABLE, max_size=3), max_size=12)))
    starts, ends = tokens.tokenize(text)
    if not starts:
        text, starts, ends = "x" + text, *tokens.tokenize("x" + text)
    tags = ["O"] * len(starts)
    for index in range(len(tags)):
        label = draw(st.sampled_from(LABELS))
        before = tags[index - 1] if index else "O"
        tags[index] = draw(st.sampled_from(["O", f"B-{label}", *([f"I-{before[2:]}"] if before != "O" else [])]))
    key = draw(st.text(STORABLE, min_size=1, max_size=12))
    meta = draw(st.dictionaries(st.sampled_from(["source", "n"]), st.integers() | st.text("aä👋", max_size=3)))
    return Gold(key, text, starts, ends, tags, draw(st.sampled_from(["train", "validation", "test"])), meta=meta)


def written(name: str, given: list[Gold]) -> bytes:
    if name == "parquet":
        return b"".join(arrow.write_parquet(given, LABELS, with_split=True))
    if name == "hf":
        rows = {split: [gold for gold in given if gold.split == split] for split in ("train", "validation", "test")}
        more = {"card": "", "fingerprint": "f", "made": datetime(2026, 1, 1, tzinfo=UTC)}
        return b"".join(hf.write(lambda split: iter(rows[split]), splits=list(rows), labels=LABELS, **more))
    return b"".join(WRITERS[name].write(given, scheme="iob2"))


def through(name: str, given: list[Gold]) -> list[Gold]:
    """Written and read back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(written(name, given))
        reader, options = READERS[READ_AS.get(name, name)], ReadOptions()
        if reader.takes == "text":
            path = prepare(path)
        survey = reader.survey(path, options)
        records = list(reader.read(path, options, survey))
    assert [record for record in records if not isinstance(record, Record)] == []
    assert survey.records == len(given) == len(records)
    return [gold_of(record, gold) for record, gold in zip(_sorted(name, given, records), given, strict=True)]


def _sorted(name: str, given: list[Gold], records: list[Record]) -> list[Record]:
    if name not in ("brat", "hf"):  # whose files come in the order of their names
        return records
    known = {(record.split, record.key): record for record in records}
    return [known[(gold.split, gold.key)] for gold in given]


def gold_of(record: Record, gold: Gold) -> Gold:
    fitted = fit(record, tokenizer="words")
    return Gold(
        record.key or gold.key,
        record.text,
        fitted.starts,
        fitted.ends,
        fitted.tags,
        record.split or gold.split,
        meta=record.meta,
    )


def check(name: str, given: list[Gold]) -> list[Gold]:
    found = through(name, given)
    for gold, back in zip(given, found, strict=True):
        if name in LOSES_TEXT:
            assert (back.tokens, back.tags) == (gold.tokens, gold.tags)
            assert name == "conll" or (back.key, back.split) == (gold.key, gold.split)
            continue
        assert (back.text, spans(back), back.key, back.split) == (gold.text, spans(gold), gold.key, gold.split)
        if name not in KEEPS_NO_META:
            assert back.meta == gold.meta
        if name in ("jsonl", "prodigy", "spacy"):
            assert (list(back.starts), list(back.ends)) == (list(gold.starts), list(gold.ends))
    return found


def spans(gold: Gold) -> list[tuple[int, int, str]]:
    return [(gold.starts[s.start], gold.ends[s.end - 1], s.label) for s in bio.spans(gold.tags)]


def distinct(many: list[Gold]) -> list[Gold]:
    return list({(gold.split, gold.key): gold for gold in many}.values())


QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUICK
@given(st.lists(golds(), min_size=1, max_size=4).map(distinct))
@pytest.mark.parametrize("first", OWN)
def test_through_any_two_formats(first: str, given: list[Gold]) -> None:
    once = check(first, given)
    for second in OWN:
        check(second, once)


def labeled(number: int, text: str) -> Gold:
    starts, ends = tokens.tokenize(text)
    return Gold(f"k{number}", text, starts, ends, ["B-PER", *["O"] * (len(starts) - 1)], "train", meta={"n": number})


TEXTS = ["".join(PIECES), *(f"{piece}Ada{piece} 👋 {piece}{piece} x{piece}" for piece in PIECES)]
HOSTILE = [labeled(number, text) for number, text in enumerate(TEXTS, 1)]


def test_spacy_itself_reads_what_we_write() -> None:
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    docs = list(DocBin().from_bytes(b"".join(WRITERS["spacy"].write(HOSTILE, scheme="iob2"))).get_docs(Vocab()))
    for doc, gold in zip(docs, HOSTILE, strict=True):
        assert doc.text == gold.text
        assert [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] == spans(gold)
        assert doc.user_data == {"id": gold.key, "split": "train", "meta": dict(gold.meta)}


@pytest.mark.parametrize("second", OWN)
def test_spacy_and_any_other_format(second: str) -> None:
    check(second, check("spacy", HOSTILE))


def test_no_text_at_all() -> None:
    for name in OWN:
        assert isinstance(written(name, []), bytes)


@pytest.mark.parametrize("scheme", bio.SCHEMES)
def test_conll_in_every_scheme(scheme: str, tmp_path: Path) -> None:
    tags = ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER", "O"]
    gold = Gold("k", "a b c d e f g", *tokens.tokenize("a b c d e f g"), tags, "train")
    path = tmp_path / "x.conll"
    path.write_bytes(b"".join(WRITERS["conll"].write([gold], scheme=scheme)))
    found = READERS["conll"].survey(path, ReadOptions())
    (record,) = READERS["conll"].read(path, ReadOptions(), found)
    assert (found.scheme, record.tags) == (scheme, tags)
