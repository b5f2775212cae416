"""Compressed files and archives: what comes out, what is refused, and how much may come out."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import datasets
import pytest

from datasets_app.codecs import READERS, packed
from datasets_app.importing_source import format_of, plain_file
from datasets_app.records import Failure, ReadOptions, Record
from labeling.errors import Invalid, TooLarge

CONLL = "Ada\tB-PER\nmet\tO\n\n"
PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def zipped(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def read(tmp_path: Path):
    """`read(name, content)` tells the format of an upload and gives it with its records."""

    def run(name: str, content: bytes, format: str = "auto", **options) -> tuple[str, list[Record | Failure]]:
        path, chosen = tmp_path / "upload", ReadOptions(**options)
        path.write_bytes(content)
        found = format_of(path, name, format)
        reader = READERS[found]
        plain = plain_file(path, reader, name=name)
        survey = reader.survey(plain, chosen)
        records = list(reader.read(plain, chosen, survey))
        assert survey.records == len(records)
        return found, records

    return run


@pytest.mark.parametrize("ending", [*PACK, ".zip"])
@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.conll", CONLL, "conll"),
        ("a", CONLL, "conll"),
        ("a.jsonl", '{"text": "Ada"}\n', "jsonl"),
        ("a.txt", "Ada", "txt"),
    ],
)
def test_any_format_packed(read, ending, name, content, format):
    data = zipped({name: content}) if ending == ".zip" else PACK[ending](content.encode())
    found, records = read(name + ending, data)
    assert (found, [record.text.split()[0] for record in records]) == (format, ["Ada"])


def test_utf16_inside(read):
    assert read("a.txt.gz", gzip.compress("Grüße".encode("utf-16")))[1][0].text == "Grüße"


def test_a_readme_and_a_system_s_own_files_do_not_count(read):
    data = zipped({"README.md": "words", "__MACOSX/._a.conll": "x", ".DS_Store": "x", "d/": "", "d/a.conll": CONLL})
    assert read("a.zip", data)[0] == "conll"


class TestSeveralFiles:
    def test_each_in_its_own_format_with_the_split_of_its_name(self, read):
        bio = "a\tI-PER\nb\tB-PER\n\n"  # IOB1, beside IOB2
        data = zipped(
            {
                "d/README.md": "words",
                "d/train.conll": CONLL,
                "d/dev.txt": bio,
                "d/test/more.jsonl": '{"text": "Bo"}\n{"text": "Cy", "split": "train"}\n',
                "d/z.txt": "one line\n\nand another\n",
                "d/table.csv": "text,id\nDi,7\n",
            }
        )
        found, records = read("a.zip", data)
        told = [(record.text, record.split, record.line) for record in records]
        assert (found, told) == (
            "files",
            [
                ("a b", "validation", 1),
                ("Di", None, 6),
                ("Bo", "test", 8),
                ("Cy", "train", 9),
                ("Ada met", "train", 11),
                ("one line", None, 15),
                ("and another", None, 17),
            ],
        )
        assert [records[0].tags, records[4].tags] == [["B-PER", "B-PER"], ["B-PER", "O"]]

    def test_a_bad_record_names_its_file_and_line(self, read):
        _, records = read("a.zip", zipped({"a.conll": CONLL, "b.conll": CONLL + "c\tX\td\n\n", "c.conll": CONLL}))
        (failure,) = [record for record in records if isinstance(record, Failure)]
        assert (failure.line, failure.message.startswith("b.conll, line 4: ")) == (8, True)

    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({"a.conll": CONLL, "b.conll": ""}, "b.conll: The file is empty"),
            ({"a.conll": CONLL, "b.txt": b"\xff\xfe\xff"}, "b.txt: The file is not UTF-16"),
            ({"a.conll": CONLL, "b.txt": b"ab\xff"}, "b.txt: The file is not UTF-8"),
            ({"a.jsonl": "{}", "b.txt": b"PK\x03\x04"}, "b.txt: The file is a ZIP archive"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_named(self, read, files, told):
        with pytest.raises(Invalid, match=told):
            read("a.zip", zipped(files))

    def test_other_files_are_not_guessed_at(self, read):
        with pytest.raises(Invalid, match=r"holds 2 files \('a.conll', 'b.doc'\)") as caught:
            read("a.zip", zipped({"a.conll": CONLL, "b.doc": CONLL}))
        assert caught.value.code == "many_files"
        with pytest.raises(Invalid, match="leave the format to be recognized"):
            read("a.zip", zipped({"a.conll": CONLL, "b.conll": CONLL}), format="conll")

    def test_not_too_many(self, read, monkeypatch):
        monkeypatch.setattr("datasets_app.codecs.files.FILES_MAX", 2)
        with pytest.raises(Invalid, match="3 files; at most 2"):
            read("a.zip", zipped({f"{name}.conll": CONLL for name in "abc"}))


@pytest.mark.parametrize(
    "data",
    [gzip.compress(CONLL.encode() * 99, mtime=0)[:-12], b"\x1f\x8bnonsense", b"BZhnonsense", b"PK\x03\x04nonsense"],
)
def test_a_broken_one(read, data):
    with pytest.raises(Invalid) as caught:
        read("a.conll.gz", data)
    assert caught.value.code == "broken_archive"


def test_one_with_a_password(read):
    data = bytearray(zipped({"a.txt": "words"}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    with pytest.raises(Invalid, match="password"):
        read("a.zip", bytes(data))


class TestBombs:
    @pytest.mark.parametrize("ending", [*PACK, ".zip"])
    def test_more_than_the_limit_is_refused_and_nothing_is_left(self, read, tmp_path, settings, ending):
        settings.UPLOAD_MAX_BYTES = 500_000
        content = b"word\n" * 1_000_000
        data = zipped({"a.txt": content}) if ending == ".zip" else PACK[ending](content)
        with pytest.raises(TooLarge, match="More than 2,000,000 bytes") as caught:
            read(f"a.txt{ending}", data)
        assert caught.value.code == "unpacks_too_large"
        assert [path.name for path in tmp_path.iterdir()] == ["upload"]

    def test_the_ratio_is_limited_too(self, read, monkeypatch):
        monkeypatch.setattr(packed, "RATIO_FROM", 1000)
        monkeypatch.setattr(packed, "RATIO_MAX", 100)
        with pytest.raises(TooLarge, match="100 times"):
            read("a.txt.xz", lzma.compress(b"word\n" * 1_000_000))

    def test_an_archive_of_several_files_counts_as_a_whole(self, read, settings):
        settings.UPLOAD_MAX_BYTES = 50_000
        with pytest.raises(TooLarge):
            read("b.zip", zipped({"a.txt": b"w" * 150_000, "b.txt": b"w" * 150_000, "a.ann": ""}))


class TestTables:
    ROWS = {"id": ["a", "b"], "tokens": [["Ada", "met"], ["Bob"]], "ner_tags": [[1, 0], [1]]}

    @pytest.fixture
    def table(self) -> datasets.Dataset:
        tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-PER"]))
        strings = datasets.Sequence(datasets.Value("string"))
        features = datasets.Features({"id": datasets.Value("string"), "tokens": strings, "ner_tags": tags})
        return datasets.Dataset.from_dict(self.ROWS, features=features)

    def check(self, records, *splits):
        assert [(record.key, record.text, record.tags) for record in records] == [
            ("a", "Ada met", ["B-PER", "O"]),
            ("b", "Bob", ["B-PER"]),
        ] * len(splits)
        assert [record.split for record in records[::2]] == list(splits)

    def test_parquet(self, read, table, tmp_path):
        table.to_parquet(tmp_path / "table.parquet")
        found, records = read("x", (tmp_path / "table.parquet").read_bytes())
        assert found == "parquet"
        self.check(records, None)

    def test_arrow_as_a_stream_and_as_a_file(self, read, table, tmp_path):
        import pyarrow as pa

        table.save_to_disk(tmp_path / "disk")
        self.check(read("x", next((tmp_path / "disk").glob("*.arrow")).read_bytes())[1], None)
        whole = table.data.table
        with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as out, pa.ipc.new_file(out, whole.schema) as writer:
            writer.write_table(whole)
        found, records = read("x", (tmp_path / "x.arrow").read_bytes())
        assert found == "arrow"
        self.check(records, None)

    @pytest.mark.parametrize("how", ["disk", "parquet"])
    def test_a_zipped_folder_of_datasets_with_its_splits(self, read, table, tmp_path, how):
        folder = tmp_path / "set"
        if how == "disk":
            datasets.DatasetDict({"test": table, "train": table}).save_to_disk(folder)
        else:
            for split in ("test", "train"):
                table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
        files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        found, records = read("set.zip", zipped(files))
        assert found == "hf"
        self.check(records, "test", "train")

    def test_texts_with_spans_and_columns_by_name(self, read, tmp_path):
        spans = [[{"start": 0, "end": 3, "label": "PER"}], None]
        rows = {"body": ["Ada met", "Bob"], "spans": spans, "n": [1, 2], "part": ["test", "dev"]}
        datasets.Dataset.from_dict(rows).to_parquet(tmp_path / "x.parquet")
        data = (tmp_path / "x.parquet").read_bytes()
        _, (first, second) = read("x.parquet", data, text_column="body", id_column="n", split_column="part")
        assert (first.text, first.key, first.split, len(first.spans)) == ("Ada met", "1", "test", 1)
        assert second.spans is None
        with pytest.raises(Invalid, match="its columns are 'body', 'spans', 'n', 'part'") as caught:
            read("x.parquet", data)
        assert caught.value.code == "no_text_column"

    @pytest.mark.parametrize("data", [b"PAR1" + b"x" * 100, b"ARROW1\0\0" + b"x" * 100, b"\xff\xff\xff\xff" + b"x" * 9])
    def test_a_broken_table(self, read, data):
        with pytest.raises(Invalid) as caught:
            read("x", data)
        assert caught.value.code == "broken_table"

    def test_a_format_that_is_asked_for_must_be_there(self, read):
        for format in ("parquet", "brat", "spacy", "hf"):
            with pytest.raises(Invalid) as caught:
                read("a.conll", CONLL.encode(), format=format)
            assert caught.value.code == "wrong_format"


class TestBrat:
    TEXT = "Ada\nLovelace met 👋 Bob."

    def read_one(self, read, ann: str, name: str = "d/x") -> Record | Failure:
        found, (record,) = read("brat.zip", zipped({f"{name}.txt": self.TEXT, f"{name}.ann": ann}))
        assert found == "brat"
        return record

    def test_entities_and_what_else_there_is(self, read):
        record = self.read_one(read, "T1\tPER 0 3;4 12\tAda Lovelace\nT2\tPER 19 22\tBob\nR1\tx Arg1:T1 Arg2:T2\n")
        assert [(record.text[s.start : s.end], s.label) for s in record.spans] == [
            ("Ada\nLovelace", "PER"),
            ("Bob", "PER"),
        ]
        assert (record.key, record.split, record.meta) == ("d/x", None, {"brat": ["R1\tx Arg1:T1 Arg2:T2"]})

    def test_a_folder_says_the_split(self, read):
        record = self.read_one(read, "", "test/x")
        assert (record.key, record.split, record.spans) == ("x", "test", [])

    def test_a_text_without_entities_of_its_own_is_not_labeled(self, read):
        _, records = read("b.zip", zipped({"a.txt": "a", "b.txt": "b", "b.ann": ""}))
        assert [record.spans for record in records] == [None, []]

    @pytest.mark.parametrize(
        ("ann", "code"),
        [
            ("T1\tPER 0 3;13 16\tAda met\n", "span_in_pieces"),
            ("T1\tPER 0 3\tBob\n", "surface_mismatch"),
            ("T1 PER 0 3 Ada\n", "bad_span"),
            ("T1\tPER x 3\tAda\n", "bad_span"),
        ],
    )
    def test_what_is_wrong_is_said_with_the_file(self, read, ann, code):
        failure = self.read_one(read, ann)
        assert failure.code == code
        assert failure.message.startswith("d/x.txt: ")


class TestSpacy:
    def test_what_spacy_writes(self, read):
        from spacy.tokens import Doc, DocBin
        from spacy.vocab import Vocab

        vocab = Vocab()
        labeled = Doc(
            vocab,
            words=["Ada", "met", "ORG", "\n", "Bob"],
            spaces=[1, 1, 0, 0, 0],
            ents=["B-PER", "O", "B-ORG", "O", "B-PER"],
        )
        bare = Doc(vocab, words=["Nobody", "."], spaces=[False, False])
        grouped = Doc(vocab, words=["Ada", "B"], spaces=[True, False])
        grouped.spans["sc"] = [grouped.char_span(0, 3, "PER"), grouped.char_span(0, 5, "X")]
        labeled.user_data["source"] = "mail"
        found, records = read("x.spacy", DocBin(docs=[labeled, bare, grouped], store_user_data=True).to_bytes())
        assert found == "spacy"
        first, second, third = records
        assert (first.text, first.meta) == ("Ada met ORG\nBob", {"source": "mail"})
        assert [first.text[s.start : s.end] for s in first.spans] == ["Ada", "ORG", "Bob"]
        assert (list(first.grid[0]), second.spans, len(third.spans)) == ([0, 4, 8, 12], None, 2)

    def test_what_is_none(self, read):
        import zlib

        with pytest.raises(Invalid, match="none that spaCy can read"):
            read("x.spacy", zlib.compress(json.dumps({"no": "spaCy"}).encode()))


class TestColumns:
    CSV = "nr;body;part\n1;Ada met Bob;test\n2;x;dev\n"

    def test_columns_by_name(self, read):
        options = {"text_column": "body", "id_column": "nr", "split_column": "part"}
        _, (first, _) = read("a.csv", self.CSV.encode(), **options)
        assert (first.text, first.key, first.split, first.meta) == ("Ada met Bob", "1", "test", {})

    def test_a_number_means_that_there_is_no_header(self, read):
        _, records = read("a.tsv", b"1\tAda\n2\tBob\n", text_column="2", id_column="1")
        assert [(record.line, record.text, record.key) for record in records] == [(1, "Ada", "1"), (2, "Bob", "2")]

    @pytest.mark.parametrize(
        "options", [{"text_column": "9"}, {"text_column": "x"}, {"text_column": "body", "id_column": "x"}]
    )
    def test_a_column_that_is_not_there(self, read, options):
        with pytest.raises(Invalid, match="columns are"):
            read("a.csv", self.CSV.encode(), **options)


class TestConllColumns:
    CONLL_U = (
        "# sent_id = 1\n# text = Al mar.\n1-2\tAl\t_\t-\t_\n1\tA\tO\t-\tx\n2\tel\tO\t-\tx\n3\tmar\tB-LOC\t-\tx\n"
        "3.1\t_\t_\t_\t_\n\n# sent_id = 2\n1\tsí\tO\t-\tx\n\n"
    )

    def test_words_in_the_second_column_and_tags_before_the_last(self, read):
        from datasets_app.codecs import conll_out
        from datasets_app.records import Gold

        _, records = read("a.conllu", self.CONLL_U.encode(), format="conll")
        assert [(record.text, record.tags) for record in records] == [("A el mar", ["O", "O", "B-LOC"]), ("sí", ["O"])]
        golds = [Gold("k", r.text, *r.grid, r.tags, "train", layout=r.layout) for r in records]
        assert b"".join(conll_out.write(golds, scheme="original")).decode() == self.CONLL_U

    @pytest.mark.parametrize(("scheme", "tags"), [("ioe1", "I-A E-A I-A O I-B"), ("ioe2", "I-A E-A E-A O E-B")])
    def test_ioe(self, read, scheme, tags):
        text = "".join(f"w {tag}\n" for tag in tags.split())
        _, (record,) = read("a.conll", text.encode())
        assert (record.tags, record.layout["scheme"]) == (["B-A", "I-A", "B-A", "O", "B-B"], scheme)
