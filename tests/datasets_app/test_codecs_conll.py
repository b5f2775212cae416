"""CoNLL files: what is read, what is refused, and that the same bytes come back."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app.codecs import conll, conll_lines, conll_out
from datasets_app.records import Failure, Gold, ReadOptions, Record
from labeling import bio
from labeling.errors import Invalid

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
call NN I-NP O

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER

-DOCSTART- -X- -X- O

LONDON NNP I-NP I-LOC
Paris NNP I-NP B-LOC
"""


def read(path: Path, **options) -> list[Record | Failure]:
    chosen = ReadOptions(**options)
    return list(conll.read(path, chosen, conll.survey(path, chosen)))


def read_text(tmp_path: Path, text: str | bytes, **options) -> list[Record | Failure]:
    path = tmp_path / "file.conll"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


def gold(record: Record) -> Gold:
    return Gold("k", record.text, *record.grid, record.tags, "train", {}, record.layout)


def written(records: list[Record], scheme: str) -> str:
    return b"".join(conll_out.write(map(gold, records), scheme=scheme)).decode()


class TestReading:
    def test_conll_2003_with_iob1_and_docstart(self, tmp_path):
        first, second, third = read_text(tmp_path, CONLL_2003)
        assert first.text == "EU rejects German call"
        assert (first.line, second.line, third.line) == (3, 8, 13)
        assert first.tags == ["B-ORG", "O", "B-MISC", "O"]
        assert third.tags == ["B-LOC", "B-LOC"]
        assert first.group == second.group != third.group

    @pytest.mark.parametrize(
        ("text", "out"),
        [
            ("Ada\nmet\n\n", "Ada\tB-PER\nmet\tO\n\n"),
            ("# x\n1\tAda\tPROPN\t_\n2-3\tm\t_\t_\n2\tmet\tVERB\t_\n\n",
             "# x\n1\tAda\tPROPN\t_\tB-PER\n2-3\tm\t_\t_\n2\tmet\tVERB\t_\tO\n\n"),
        ],
    )  # fmt: skip
    def test_without_tags_it_is_text_and_gets_a_column_of_tags_on_its_way_out(self, tmp_path, text, out):
        (record,) = read_text(tmp_path, text)
        assert (record.text, record.tags) == ("Ada met", None)
        labeled = Gold("k", record.text, *record.grid, ["B-PER", "O"], "train", {}, record.layout)
        assert b"".join(conll_out.write([labeled], scheme="original")).decode() == out

    def test_a_docstart_block_as_one_document(self, tmp_path):
        first, second = read_text(tmp_path, CONLL_2003, unit="document")
        assert first.text == "EU rejects German call\nPeter Blackburn"
        assert first.tags == ["B-ORG", "O", "B-MISC", "O", "B-PER", "I-PER"]
        assert first.text[first.grid[0][4] : first.grid[1][4]] == "Peter"
        assert second.text == "LONDON Paris"

    def test_unit_document_needs_docstart_lines(self, tmp_path):
        with pytest.raises(Invalid, match="no -DOCSTART- lines"):
            read_text(tmp_path, "a\tO\n\n", unit="document")

    @pytest.mark.parametrize("scheme", bio.SCHEMES)
    def test_every_scheme_is_recognized(self, tmp_path, scheme):
        tags = ["B-A", "I-A", "B-A", "O", "B-B", "I-B", "I-B", "O", "B-A"]
        lines = [f"w{index}\t{tag}\n" for index, tag in enumerate(bio.encode(tags, scheme))]
        (record,) = read_text(tmp_path, "".join(lines))
        assert record.tags == tags

    def test_tags_split_at_the_first_hyphen(self, tmp_path):
        (record,) = read_text(tmp_path, "a\tB-creative-work\nb\tI-creative-work\n")
        assert bio.spans(record.tags) == [bio.Span(0, 2, "creative-work")]

    def test_a_hash_is_a_token_with_a_tag_and_a_comment_without(self, tmp_path):
        (record,) = read_text(tmp_path, "# sent_id = 1\n# text = x\n#\tO\nx\tB-A\n# \tO\n")
        assert record.text == "# x # "
        (record,) = read_text(tmp_path, "# a comment of five words\n# O\nx B-A\n")
        assert record.text == "# x"

    def test_docstart_inside_a_sentence_is_a_token(self, tmp_path):
        (record,) = read_text(tmp_path, "x\tO\n-DOCSTART-\tO\ny\tO\n")
        assert record.text == "x -DOCSTART- y"

    def test_without_tags_the_tags_are_not_looked_at(self, tmp_path):
        (record,) = read_text(tmp_path, "a\tI-X\nb\tnonsense\n", tags=False)
        assert record.tags is None

    @pytest.mark.parametrize(
        ("text", "line", "code"),
        [
            ("a\tO\n\nb\tO\textra\n\nc\tO\n\n", 3, "wrong_columns"),
            ("a\tO\n\nx\tO\nb\n\nc\tO\n\n", 4, "wrong_columns"),
            ("a\tO\n\nx\tB-A\nb\tI-B\n\nc\tB-A\nd\tI-A\n", 4, "illegal_tag"),
            ("a\tO\n\n\tO\n\nc\tO\n\n", 3, "empty_token"),
            ("a\tO\n\nb\0\tO\n\nc\tO\n\n", 3, "nul"),
            ("a\tO\n\nb\tX-Y\n\nc\tB-A\n\n", 3, "illegal_tag"),
        ],
    )
    def test_a_bad_sentence_is_one_error_and_the_others_go_in(self, tmp_path, text, line, code):
        first, bad, last = read_text(tmp_path, text)
        assert (first.text[0], last.text[0]) == ("a", "c")
        assert (bad.line, bad.code) == (line, code)
        assert bad.message

    def test_a_line_over_the_limit_fails_its_sentence_alone(self, tmp_path):
        first, bad, last = read_text(tmp_path, "a\tO\n\n" + "x" * 10_000_000 + "\tO\n\nc\tO\n")
        assert (first.text, last.text) == ("a", "c")
        assert (bad.line, bad.code) == (3, "line_too_long")
        assert "4,000,000 bytes" in bad.message

    def test_sentences_without_blank_lines_do_not_fill_the_memory(self, tmp_path):
        (bad,) = read_text(tmp_path, "a\tO\n" * (conll_lines.ROWS_MAX + 10))
        assert bad.code == "too_many_tokens"

    def test_a_document_over_the_limit_fails_alone(self, tmp_path, monkeypatch):
        monkeypatch.setattr(conll, "CHARACTERS_MAX", 1000)
        long = "-DOCSTART-\tO\n\n" + "word\tO\n\n" * 1000
        bad, record = read_text(tmp_path, f"{long}-DOCSTART-\tO\n\na\tO\n\n", unit="document")
        assert (bad.line, bad.code, record.text) == (3, "text_too_long", "a")


SAMPLES = {
    "plain": "a\tO\nb\tB-X\n\nc\tO\n\n",
    "no final newline": "a\tO\nb\tB-X",
    "one final newline": "a\tO\n\nb\tB-X\n",
    "crlf": "a\tO\r\nb\tB-X\r\n\r\nc\tO\r\n\r\n",
    "mixed endings": "a\tO\r\nb\tB-X\n\r\nc\tO\n",
    "byte order mark": "\ufeffa\tO\n\nb\tO\n\n",
    "blanks": "a O\nb  B-X\n\n c\tO\n",
    "trailing blanks": "a\tO \nb\tB-X\t\n \t\nc\tO\n\n\n\n",
    "leading blank lines": "\n\n\t\na\tO\n\n",
    "comments": "# one\n# two\na\tO\n\n# three\nb\tO\n\n# at the end\n",
    "four columns, IOB1": CONLL_2003,
    "docstart, no blank line": "-DOCSTART-\tO\na\tO\n\n-DOCSTART-\tO\n\nb\tO\n\n",
    "docstart at the end": "a\tO\n\n-DOCSTART-\tO\n\n",
    "bioes": "a\tS-X\nb\tB-X\nc\tE-X\n\n",
    "odd tokens": '-DOCSTART\tO\n\u2028\tO\n\xa0\tB-X\n\u3000\tO\n\x85\tO\n \tO\n"\tO\n\\\tO\n\ufeff\tO\na b\tO\n\n',
}


class TestSameBytes:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_samples(self, tmp_path, name):
        assert written(read_text(tmp_path, SAMPLES[name]), "original") == SAMPLES[name]

    @pytest.mark.parametrize("name", ["four columns, IOB1", "docstart, no blank line"])
    def test_documents(self, tmp_path, name):
        assert written(read_text(tmp_path, SAMPLES[name], unit="document"), "original") == SAMPLES[name]

    def test_the_plain_form_needs_no_layout(self, tmp_path):
        assert [record.layout for record in read_text(tmp_path, SAMPLES["plain"])] == [None, None]

    # Anything that a token can be: no tab or line feed, and no carriage return where a line ending begins.
    token = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r\0")
        | st.sampled_from("👩‍👩‍👧é中文אב\u202e\u200b\u2028\xa0\u3000\x85\x0b\x0c"),
        min_size=1,
        max_size=6,
    ) | st.sampled_from(["-DOCSTART-", "#", "# ", '"', "'", "\\", "O", "B-X", "🏳️‍🌈", "ก็", "a b"])
    label = st.sampled_from(["PER", "creative-work", "人"])
    end = st.sampled_from(["\n", "\r\n"])

    @st.composite
    @staticmethod
    def files(draw, self):
        scheme, end = draw(st.sampled_from(bio.SCHEMES)), draw(self.end)
        extra = draw(st.sampled_from(["", "NN\t", "NN\tB-NP\t"]))
        parts = [draw(st.sampled_from(["", f"-DOCSTART-\t{extra}O{end}{end}", f"# c{end}", end]))]
        for _ in range(draw(st.integers(1, 4))):
            # At the head of a sentence `-DOCSTART-` begins a document; the format has no way to write the token.
            words = draw(st.lists(self.token, min_size=1, max_size=5).filter(lambda words: words[0] != "-DOCSTART-"))
            cuts = draw(st.lists(st.tuples(self.label, st.booleans(), st.booleans()), min_size=5, max_size=5))
            tags, before = [], "O"
            for label, inside, goes_on in cuts[: len(words)]:
                begun = before != "O" and goes_on
                tags.append("O" if not inside else f"I-{before[2:]}" if begun else f"B-{label}")
                before = tags[-1]
            encoded = bio.encode(tags, scheme)
            parts += [f"{word}\t{extra}{tag}{end}" for word, tag in zip(words, encoded, strict=True)]
            parts.append(end * draw(st.integers(1, 3)))
        return "".join(parts)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
    @given(data=st.data())
    def test_hostile_files(self, tmp_path, data):
        text = data.draw(self.files(self))
        records = read_text(tmp_path, text)
        good = [record for record in records if isinstance(record, Record)]
        if len(good) == len(records):
            assert written(good, "original") == text
        else:  # only a scheme that a short file leaves open may be guessed wrong
            assert {record.code for record in records if isinstance(record, Failure)} == {"illegal_tag"}


class TestWriting:
    def test_iob2_form_is_two_columns_with_docstart_kept(self, tmp_path):
        assert written(read_text(tmp_path, CONLL_2003), "iob2") == (
            "-DOCSTART-\tO\n\nEU\tB-ORG\nrejects\tO\nGerman\tB-MISC\ncall\tO\n\nPeter\tB-PER\nBlackburn\tI-PER\n\n"
            "-DOCSTART-\tO\n\nLONDON\tB-LOC\nParis\tB-LOC\n\n"
        )

    def test_both_units_give_the_same_file(self, tmp_path):
        one, other = (written(read_text(tmp_path, CONLL_2003, unit=unit), "iob2") for unit in ("sentence", "document"))
        assert one == other

    def test_original_writes_new_tags_in_the_old_columns(self, tmp_path):
        first, *_ = read_text(tmp_path, CONLL_2003)
        changed = Gold("k", first.text, *first.grid, ["O", "O", "B-PER", "I-PER"], "train", {}, first.layout)
        assert conll_out.render(changed, scheme="original").split("\n")[4:6] == [
            "German JJ I-NP I-PER",
            "call NN I-NP I-PER",
        ]

    def test_an_entity_over_a_sentence_break_stays_whole(self, tmp_path):
        record, _ = read_text(tmp_path, CONLL_2003, unit="document")
        tags = ["O", "O", "O", "B-ORG", "I-ORG", "O"]
        text = conll_out.render(Gold("k", record.text, *record.grid, tags, "train", {}, record.layout), scheme="iob2")
        (again,) = read_text(tmp_path, text)
        assert again.tags == tags

    def test_a_byte_order_mark_stands_only_at_the_head(self, tmp_path):
        records = [*read_text(tmp_path, "\ufeffa\tO\n\n"), *read_text(tmp_path, "\ufeffb\tO\n\n")]
        assert written(records, "original") == "\ufeffa\tO\n\nb\tO\n\n"


LINES = st.sampled_from(
    ["a\tO", "b\tB-X", "b\tI-X", "", "", "", " ", "\t", "# said", "#", "-DOCSTART-", "a O", "a\tO\r", "a\tb\tO", 
     " a\tO", "a\t", "\u2028\tO", "\xa0\tB-Y", "a\tX-", "a b\tO", "a\0\tO"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=40), ends=st.booleans(), stretch=st.integers(1, 60))
def test_quick_ways_read_what_the_general_ones_read(tmp_path, monkeypatch, lines, ends, stretch) -> None:
    path = tmp_path / "file.conll"
    path.write_bytes("\n".join([*lines, ""] if ends else lines).encode())

    def everything() -> list:
        sentences = list(conll_lines.sentences_of(path, columns=2))
        try:
            return [sentences, read(path), read(path, tags=False)]
        except Invalid as error:
            return [sentences, error.message]

    with monkeypatch.context() as patch:
        patch.setattr(conll_lines, "STRETCH", stretch)
        quick = everything()
    with monkeypatch.context() as patch:
        patch.setattr(conll_lines, "_is_regular", lambda stretch: False)
        patch.setattr(conll, "_plain", lambda *_: None)
        assert everything() == quick
