"""Encodings, limits, and the formats JSONL, text and CSV."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app import codecs
from datasets_app.codecs import lines
from datasets_app.grids import fit
from datasets_app.records import CharSpan, Failure, Gold, ReadOptions, Record
from labeling import tokens
from labeling.errors import Invalid


@pytest.fixture
def read(tmp_path):
    """`read(format, content)` gives the records of a file."""

    def records(format: str, content: str | bytes, **options) -> list[Record | Failure]:
        path = tmp_path / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        reader, chosen = codecs.READERS[format], ReadOptions(**options)
        found = reader.survey(lines.prepare(path), chosen)
        records = list(reader.read(lines.prepare(path), chosen, found))
        assert found.records == len(records)
        return records

    return records


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_utf8_with_or_without_mark_and_utf16(self, read, encoding):
        first, second = read("txt", "Grüße\n你好 👋\n".encode(encoding))
        assert (first.text, second.text) == ("Grüße", "你好 👋")

    def test_another_encoding_is_named_by_its_byte(self, read):
        with pytest.raises(Invalid, match=r"byte 0xfc at position 8 \(line 2\).*UTF-8") as caught:
            read("txt", b"first\nGr\xfc\xdfe\n")
        assert caught.value.code == "bad_encoding"
        assert caught.value.details == {"position": 8, "line": 2}

    def test_a_wrong_byte_far_into_the_file_is_found_before_anything_is_taken(self, read):
        content = "ä".encode() * lines.CHUNK + b"\n\xff"
        with pytest.raises(Invalid, match=rf"position {2 * lines.CHUNK + 1:,} \(line 2\)"):
            read("txt", content)

    @pytest.mark.parametrize("content", [b"", b"\n \n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\n"])
    def test_an_empty_file(self, read, content):
        with pytest.raises(Invalid) as caught:
            read("txt", content)
        assert caught.value.code == "empty_file"

    @pytest.mark.parametrize(
        "content", [b"PK\x03\x04...", b"\x89PNG\r\n", b"PAR1\0\0", b"\0\1\2\xff\xfe\xfd", b"%PDF-1.7"]
    )
    def test_a_binary_file(self, read, content):
        with pytest.raises(Invalid) as caught:
            read("txt", content)
        assert caught.value.code == "binary_file"

    def test_a_line_over_the_limit_is_one_error(self, read):
        first, bad, last = read("txt", "a\n" + "x" * 10_000_000 + "\nb\n")
        assert (first.text, bad.code, bad.line, last.text) == ("a", "line_too_long", 2, "b")

    def test_a_line_at_the_limit_is_taken(self, read):
        (record,) = read("txt", "x" * lines.LINE_BYTES_MAX + "\r\n")
        assert len(record.text) == lines.LINE_BYTES_MAX


class TestText:
    def test_each_line_as_it_stands(self, read):
        first, second, third = read("txt", " a \u2028b\t\r\n\n   \n\x85c\nlast")
        assert (first.text, second.text, third.text) == (" a \u2028b\t", "\x85c", "last")
        assert (first.line, second.line, third.line) == (1, 4, 5)


class TestCsv:
    def test_columns(self, read):
        first, second = read("csv", 'id,text,split,source\n7,"a, b\nc",dev,web\n,"say ""x""",,\n')
        assert (first.key, first.text, first.split, first.meta) == ("7", "a, b\nc", "dev", {"source": "web"})
        assert (first.line, second.line) == (2, 4)
        assert (second.key, second.text, second.split) == (None, 'say "x"', None)

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_delimiters(self, read, delimiter):
        (record,) = read("csv", f"text{delimiter}n\na b{delimiter}1\n")
        assert (record.text, record.meta) == ("a b", {"n": "1"})

    @pytest.mark.parametrize("header", ["a,b", "body", "text,text"])
    def test_a_header_without_text(self, read, header):
        with pytest.raises(Invalid, match="first line"):
            read("csv", f"{header}\nx,y\n")

    def test_bad_rows(self, read):
        first, bad, nul, last = read("csv", "id,text\n1,a\n2,b,c\n3,\0\n4,d\n")
        assert (first.text, last.text) == ("a", "d")
        assert [(failure.line, failure.code) for failure in (bad, nul)] == [(3, "wrong_columns"), (4, "nul")]

    def test_a_quote_that_is_not_closed(self, read):
        first, bad = read("csv", 'text\na\n"b\nc\n')
        assert (first.text, bad.line, bad.code) == ("a", 3, "bad_csv")

    def test_a_field_without_end_makes_no_rows_of_what_follows(self, read):
        with pytest.raises(Invalid, match="line 3"):
            read("csv", 'text\na\n"' + "b\n" * 2_100_000)

    def test_line_ends_of_old_are_refused(self, read):
        with pytest.raises(Invalid, match="first line"):
            read("csv", "text,n\ra,1\r")

    def test_a_first_line_that_is_too_long_is_told(self, read):
        failure, record = read("csv", "x" * 4_000_001 + "\ntext\na\n")
        assert (failure.line, failure.code, record.text) == (1, "line_too_long", "a")


class TestJsonl:
    def test_text_with_spans(self, read):
        (record,) = read(
            "jsonl", '{"id": 5, "text": "Ada", "spans": [{"start": 0, "end": 3, "label": "PER"}], "by": "x"}'
        )
        assert (record.key, record.text, record.spans) == ("5", "Ada", [CharSpan(0, 3, "PER")])
        assert record.meta == {"by": "x"}

    @pytest.mark.parametrize("name", ["tags", "ner_tags"])
    def test_tokens_with_tags(self, read, name):
        (record,) = read(
            "jsonl", json.dumps({"tokens": ["你", "好", "Ada"], name: ["O", "O", "B-PER"], "split": "dev"})
        )
        assert (record.text, record.tags, record.split) == ("你好 Ada", ["O", "O", "B-PER"], "dev")

    def test_bilou_is_recognized(self, read):
        (record,) = read("jsonl", '{"tokens": ["a", "b"], "tags": ["B-X", "L-X"]}')
        assert record.tags == ["B-X", "I-X"]

    def test_no_spans_is_not_the_same_as_spans_that_are_none(self, read):
        labeled, not_labeled = read("jsonl", '{"text": "a", "spans": []}\n{"text": "a"}\n')
        assert (labeled.spans, not_labeled.spans) == ([], None)

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("{", "bad_json"),
            ("[1]", "bad_json"),
            ('"text"', "bad_json"),
            ('{"text": NaN}', "bad_json"),
            ('{"text": "a", "meta": {"x": 1e999}}', "bad_json"),
            ("[" * 100_000, "bad_json"),
            ('{"text": "a\\u0000b"}', "nul"),
            ('{"text": "half \\ud800"}', "lone_surrogate"),
            ('{"text": "a", "meta": {"\\udc00": 1}}', "lone_surrogate"),
            ("{}", "no_text"),
            ('{"text": 5}', "bad_field"),
            ('{"text": "a", "id": [1]}', "bad_field"),
            ('{"text": "a", "meta": [1]}', "bad_field"),
            ('{"text": "a", "spans": {}}', "bad_field"),
            ('{"text": "a", "spans": [[0, 1]]}', "bad_span"),
            ('{"text": "a", "spans": [{"start": 0.5, "end": 1, "label": "X"}]}', "bad_span"),
            ('{"text": "a", "spans": [{"start": true, "end": 1, "label": "X"}]}', "bad_span"),
            ('{"tokens": []}', "no_tokens"),
            ('{"tokens": ["a", ""]}', "bad_token"),
            ('{"tokens": ["a\\nb"]}', "bad_token"),
            ('{"tokens": ["a", 1]}', "bad_field"),
            ('{"tokens": ["a"], "tags": ["I-X"]}', "illegal_tag"),
            ('{"tokens": ["a"], "tags": ["X"]}', "illegal_tag"),
            ('{"tokens": ["a"], "ner_tags": [3]}', "numbered_tags"),
            ('{"text": "a", "tags": ["O"]}', "tags_without_tokens"),
            ('{"text": "a b", "tokens": ["a", "c"]}', "tokens_do_not_fit"),
            ('{"text": "a b", "tokens": ["a"]}', "tokens_do_not_fit"),
            ('{"text": "a b", "tokens": ["a", "b"], "offsets": [[0, 1], [0, 1]]}', "bad_offsets"),
        ],
    )
    def test_a_bad_line_is_one_error_and_the_others_go_in(self, read, line, code):
        # The first line says IOB2, so that a single bad tag is not taken for another scheme.
        good = '{"tokens": ["x", "y"], "tags": ["B-X", "I-X"]}'
        first, bad, last = read("jsonl", f"{good}\n{line}\n{good}\n")
        assert isinstance(first, Record)
        assert isinstance(last, Record)
        assert (bad.line, bad.code) == (2, code)
        bad.message.encode()

    HOSTILE = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0")
        | st.sampled_from('👩‍👩‍👧e\u0301中文אב\u202e\u200b\u2028\xa0\u3000\x85 \t\r\n"\\')
    )

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
    @given(data=st.data())
    def test_what_is_written_is_read_back_the_same(self, read, data):
        text = data.draw(self.HOSTILE)
        starts, ends = tokens.tokenize(text, data.draw(st.sampled_from(tokens.KINDS)))
        if not starts:
            return
        tags = data.draw(st.lists(st.sampled_from(["O", "B-人", "B-a-b"]), min_size=len(starts), max_size=len(starts)))
        gold = Gold("key-1", text, starts, ends, tags, "test", {"n": [1, {"x": None}]})
        (record,) = read("jsonl", b"".join(codecs.WRITERS["jsonl"].write([gold], scheme="iob2")))
        fitted = fit(record, tokenizer="words")
        again = Gold(
            record.key, record.text, list(fitted.starts), list(fitted.ends), fitted.tags, record.split, record.meta
        )
        assert again == gold

    def test_a_grid_that_tokens_do_not_tell_is_written_as_offsets(self, read):
        text, starts, ends = tokens.join(["a", " ", "b"])
        gold = Gold("k", text, starts, ends, ["O", "B-X", "O"], "train")
        (record,) = read("jsonl", b"".join(codecs.WRITERS["jsonl"].write([gold], scheme="iob2")))
        assert record.grid == (starts, ends)


class TestRecognize:
    @pytest.mark.parametrize(
        ("name", "head", "format"),
        [
            ("a.conll", "x\tO\n", "conll"),
            ("a.txt", "x\tO\ny\tB-X\n", "conll"),
            ("a.txt", "Hello there.\nO\n", "txt"),
            ("a.jsonl", '{"text": "a"}\n', "jsonl"),
            ("data", '{"text": "a"}\n', "jsonl"),
            ("data", "EU NNP B-ORG\nrejects VBZ O\n", "conll"),
            ("a.CSV", "id,text\n", "csv"),
            ("a.json", '[{"text": "a"}]', "jsonl"),
            ("data", '[\n{"text": "a"}]', "jsonl"),
            ("a.txt", "[\nchorus\n]\n", "txt"),
            ("a.sub.unknown", "{\n", "jsonl"),
        ],
    )
    def test_by_name_and_content(self, name, head, format):
        assert codecs.recognize(name, head.encode()) == format

    def test_what_cannot_be_told(self):
        with pytest.raises(Invalid, match="choose one"):
            codecs.recognize("data", b"some words\n")
