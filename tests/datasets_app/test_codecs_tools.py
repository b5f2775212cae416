"""JSON as other tools write it, the units of their offsets, and JSON in one array."""

import json
from pathlib import Path

import pytest

from datasets_app.codecs import READERS, dialects, lines
from datasets_app.grids import fit
from datasets_app.records import CharSpan, Failure, ReadOptions, Record

ADA = "Ada met Bob."
WAVE = "👋 Ada met Bob."  # the wave is one code point and two UTF-16 units


@pytest.fixture
def read(tmp_path: Path):
    """`read(*objects, **options)` gives the records of a file of them, a line each."""

    def records(*objects: object, text: str | None = None, **options) -> list[Record | Failure]:
        path, chosen = tmp_path / "file.jsonl", ReadOptions(**options)
        content = text if text is not None else "".join(json.dumps(value) + "\n" for value in objects)
        path.write_text(content, encoding="utf-8", newline="")
        reader = READERS["jsonl"]
        found = reader.survey(lines.prepare(path), chosen)
        records = list(reader.read(path, chosen, found))
        assert found.records == len(records)
        return records

    return records


def named(record: Record | Failure) -> list[tuple[str, str]]:
    """The spans as (surface, label)."""
    assert isinstance(record, Record), record
    return [(record.text[span.start : span.end], span.label) for span in record.spans or ()]


def label_studio(text: str, *regions: tuple, **more) -> dict:
    result = [
        {"id": "x", "from_name": "label", "to_name": "text", "type": "labels",
         "value": {"start": start, "end": end, "text": surface, "labels": [label]}}
        for start, end, surface, label in regions
    ]  # fmt: skip
    return {
        "id": 7,
        "data": {"text": text},
        "annotations": [{"id": 1, "result": result, "was_cancelled": False}],
        **more,
    }


TOOLS = {
    "doccano": [
        {"id": 7, "text": ADA, "label": [[0, 3, "PER"], [8, 11, "PER"]], "Comments": []},
        {"id": 7, "text": ADA, "labels": [[0, 3, "PER"], [8, 11, "PER"]]},
        {"id": 7, "text": ADA, "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3},
            {"id": 2, "label": "PER", "start_offset": 8, "end_offset": 11}], "relations": []},
    ],
    "label_studio": [
        label_studio(ADA, (0, 3, "Ada", "PER"), (8, 11, "Bob", "PER")),
        {"id": 7, "text": ADA, "label": [
            {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]},
            {"start": 8, "end": 11, "text": "Bob", "labels": ["PER"]}], "annotator": 1},
    ],
    "prodigy": [
        {"id": "7", "text": ADA, "_input_hash": 1, "_task_hash": 2, "answer": "accept",
         "tokens": [{"text": word, "start": start, "end": start + len(word), "id": index, "ws": True}
                    for index, (word, start) in enumerate((("Ada", 0), ("met", 4), ("Bob", 8), (".", 11)))],
         "spans": [{"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"},
                   {"start": 8, "end": 11, "token_start": 2, "token_end": 2, "label": "PER"}]},
    ],
    "argilla": [
        {"id": "7", "fields": {"text": ADA}, "metadata": {}, "suggestions": {}, "status": "completed",
         "responses": {"spans": [{"value": [
             {"start": 0, "end": 3, "label": "PER"}, {"start": 8, "end": 11, "label": "PER"}], "user_id": "u"}]}},
        {"id": "7", "text": ADA, "tokens": ["Ada", "met", "Bob", "."], "prediction": None,
         "annotation": [["PER", 0, 3], ["PER", 8, 11]], "status": "Validated"},
    ],
    "argilla_row": [
        {"id": "7", "status": "completed", "_server_id": "s", "body": ADA, "metadata.source": "mail",
         "ner.responses": [[{"start": 0, "end": 3, "label": "PER"}, {"start": 8, "end": 11, "label": "PER"}]],
         "ner.responses.users": ["u"], "ner.suggestion": None, "ner.suggestion.score": None},
    ],
    "words": [
        {"id": 7, "text": ADA, "words": ["Ada", "met", "Bob", "."], "ner": ["B-PER", "O", "B-PER", "O"]},
        {"id": 7, "text": ADA, "tokens": ["Ada", "met", "Bob", "."], "labels": ["S-PER", "O", "S-PER", "O"]},
        {"id": 7, "text": ADA, "tokens": ["Ada", "met", "Bob", "."], "ner_tags": ["I-PER", "O", "I-PER", "O"],
         "spans": ["PER: Ada", "PER: Bob"]},
    ],
}  # fmt: skip


def tool_of(value):
    return next((dialect.name for dialect in dialects.DIALECTS if dialect.known(value)), None)


@pytest.mark.parametrize(("tool", "value"), [(tool, value) for tool, values in TOOLS.items() for value in values])
def test_each_tool_is_known_by_its_keys_and_gives_the_same_spans(read, tool, value):
    assert tool_of(value) == tool
    (record,) = read(value)
    assert (record.text, record.key) == (ADA, "7")
    if record.tags is None:
        assert named(record) == [("Ada", "PER"), ("Bob", "PER")]
    assert fit(record, tokenizer="words").tags == ["B-PER", "O", "B-PER", "O"]


def test_our_own_shape_belongs_to_no_tool():
    for value in (
        {"text": ADA},
        {"text": ADA, "spans": []},
        {"tokens": ["a"], "tags": ["O"]},
        {"tokens": ["a"], "ner_tags": ["O"], "labels": ["sport", "news"], "pos": [1]},
        {"text": "", "label": "x", "words": ["not", "tokens"]},
    ):
        assert tool_of(value) is None


def test_categories_are_no_spans(read):
    (record,) = read({"text": ADA, "label": ["sport", "news"]})
    assert (record.spans, record.meta) == (None, {"label": ["sport", "news"]})


class TestWhatIsLeft:
    def test_what_else_a_tool_says_is_kept(self, read):
        (record,) = read({"id": 1, "text": ADA, "label": [], "source": "mail", "meta": {"a": 1}, "relations": []})
        assert (record.meta, record.spans) == ({"source": "mail", "a": 1}, [])

    def test_the_ground_truth_is_taken_and_the_others_are_reported(self, read):
        value = label_studio(ADA, (0, 3, "Ada", "PER"))
        value["annotations"].insert(0, {"result": [], "was_cancelled": True})
        value["annotations"].append({"result": [], "ground_truth": True})
        (record,) = read(value)
        assert record.spans == []
        assert [code for code, _ in record.remarks] == ["more_annotations"]

    def test_a_task_that_nobody_has_labeled_is_a_text(self, read):
        (record,) = read({"id": 1, "data": {"body": ADA}, "annotations": [], "predictions": []})
        assert (record.text, record.spans) == (ADA, None)

    @pytest.mark.parametrize("value", [
        {"id": 1, "data": {"text": ADA}, "annotations": [], "predictions": [
            {"result": label_studio(ADA, (0, 3, "Ada", "PER"))["annotations"][0]["result"], "model_version": "m"}]},
        {"fields": {"text": ADA}, "responses": {}, "suggestions": {
            "stars": {"value": 3}, "ner": {"value": [{"start": 0, "end": 3, "label": "PER"}], "agent": "m"}}},
        {"text": ADA, "tokens": ["Ada"], "annotation": None, "prediction": [["PER", 0, 3, 0.5]]} | {
            "tokens": ["Ada", "met", "Bob", "."]},
        {"text": ADA, "ner.responses": None, "ner.suggestion": [{"start": 0, "end": 3, "label": "PER"}]},
    ])  # fmt: skip
    def test_what_a_model_suggested_is_taken_where_that_is_asked_for_and_else_reported(self, read, value):
        (asked,), (usual,), (ignored,) = read(value, suggestions=True), read(value), read(value, tags=False)
        assert (named(asked), asked.remarks) == ([("Ada", "PER")], [])
        assert (usual.spans, [code for code, _ in usual.remarks]) == (None, ["suggestions_left_out"])
        assert (ignored.spans, ignored.remarks) == (None, [])

    def test_regions_of_label_studio_that_are_no_labels_of_a_text(self, read):
        value = label_studio(ADA, (0, 3, "Ada", "PER"))
        value["annotations"][0]["result"] += [
            {"type": "hypertextlabels", "value": {
                "start": "/p[1]", "globalOffsets": {"start": 8, "end": 11}, "text": "Bob", "hypertextlabels": ["PER"]}},
            {"type": "paragraphlabels", "value": {"start": "0", "end": "0", "paragraphlabels": ["PER"]}},
        ]  # fmt: skip
        (record,) = read(value)
        assert named(record) == [("Ada", "PER"), ("Bob", "PER")]
        assert [code for code, _ in record.remarks] == ["regions_left_out"]

    def test_examples_of_spacy_before_its_third_version(self, read):
        text = json.dumps([["Ada left", {"entities": [[0, 3, "PER"]]}], ["x", {"entities": []}], ["x"]])
        first, second, bad = read(text=text)
        assert (named(first), second.spans) == ([("Ada", "PER")], [])
        assert (bad.line, bad.code) == (3, "bad_json")

    @pytest.mark.parametrize("answer", ["reject", "ignore"])
    def test_what_was_rejected_in_prodigy_is_a_text_without_labels(self, read, answer):
        (record,) = read({"text": ADA, "_task_hash": 1, "answer": answer, "spans": []})
        assert (record.spans, record.meta) == (None, {"answer": answer})

    def test_relations_of_label_studio_go_to_meta(self, read):
        value = label_studio(ADA, (0, 3, "Ada", "PER"))
        relation = {"type": "relation", "from_id": "x", "to_id": "y"}
        value["annotations"][0]["result"].append(relation)
        (record,) = read(value)
        assert (named(record), record.meta) == ([("Ada", "PER")], {"result": [relation]})


class TestOffsets:
    def test_the_surface_tells_the_unit(self, read):
        for at in (2, 3):
            (record,) = read(label_studio(WAVE, (at, at + 3, "Ada", "PER")))
            assert named(record) == [("Ada", "PER")]

    def test_label_studio_counts_utf16_where_nothing_tells(self, read):
        value = label_studio(WAVE, (3, 6, None, "PER"))
        assert named(read(value)[0]) == [("Ada", "PER")]
        assert named(read(value, offsets="code_points")[0]) == [("da ", "PER")]

    def test_doccano_counts_code_points_unless_the_import_says_otherwise(self, read):
        assert named(read({"text": WAVE, "label": [[2, 5, "PER"]]})[0]) == [("Ada", "PER")]
        assert named(read({"text": WAVE, "label": [[3, 6, "PER"]]}, offsets="utf16")[0]) == [("Ada", "PER")]

    @pytest.mark.parametrize(("start", "end"), [(1, 3), (0, 99), (-5, 2)])
    def test_half_a_character_or_what_lies_outside_is_refused(self, read, start, end):
        (failure,) = read({"text": WAVE, "spans": [{"start": start, "end": end, "label": "PER"}]}, offsets="utf16")
        assert failure.code == "span_out_of_range"

    def test_a_surface_that_is_elsewhere_is_refused_and_never_moved(self, read):
        for text in (ADA, WAVE):
            (failure,) = read(label_studio(text, (4, 7, "Ada", "PER")))
            assert failure.code == "surface_mismatch"
            assert "'Ada'" in failure.message


class TestArrays:
    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("ending", ["", "\n"])
    def test_a_json_array_is_read_object_by_object(self, read, indent, ending):
        found = read(text=json.dumps([{"text": "a [{"}, {"text": 'b"]}'}], indent=indent) + ending)
        assert [record.text for record in found] == ["a [{", 'b"]}']
        assert found[1].line == (5 if indent else 2)

    def test_of_an_array_on_one_line_the_place_counts(self, read):
        found = read(text=json.dumps([{"text": "a"}, {"text": ""}, {}, {"text": "d"}, {}]) + "\n")
        assert [each.line for each in found] == [1, 2, 3, 4, 5]
        assert [each.line for each in found if isinstance(each, Failure)] == [3, 5]

    def test_objects_over_several_lines_need_no_array(self, read):
        found = read(text='{\n "text": "a"\n}\n{\n "text": "b"\n}\n')
        assert [(record.line, record.text) for record in found] == [(1, "a"), (4, "b")]

    def test_a_broken_object_costs_itself_alone(self, read):
        found = read(text='[\n{"text": "a"},\n{"text": b},\n{"text": "c"}\n]\n')
        assert [getattr(record, "text", "") or record.code for record in found] == ["a", "bad_json", "c"]
        assert found[1].line == 3

    def test_an_array_cut_off_in_the_middle(self, read):
        found = read(text='[{"text": "a"}, {"text": "b')
        assert [getattr(record, "text", "") or record.code for record in found] == ["a", "bad_json"]

    def test_more_than_a_window(self, read):
        found = read(text=json.dumps([{"text": f"{number} " + "x" * 5000} for number in range(600)], indent=1))
        assert [int(record.text.split()[0]) for record in found] == list(range(600))
        assert found[-1].line == 599 * 3 + 2


class TestNumberedTags:
    def test_with_names(self, read):
        (record,) = read({"tokens": ["Ada", "met"], "ner_tags": [1, 0]}, tag_names=("O", "B-PER"))
        assert record.tags == ["B-PER", "O"]

    @pytest.mark.parametrize(("names", "code"), [((), "numbered_tags"), (("O",), "bad_field")])
    def test_without(self, read, names, code):
        (failure,) = read({"tokens": ["Ada", "met"], "ner_tags": [1, 0]}, tag_names=names)
        assert failure.code == code


class TestOverlaps:
    SPANS = [CharSpan(0, 3, "PER"), CharSpan(0, 7, "ORG"), CharSpan(4, 11, "LOC"), CharSpan(8, 11, "PER")]

    def fitted(self, rule: str):
        return fit(Record(1, ADA, spans=self.SPANS), tokenizer="words", overlaps=rule)

    def test_the_longest_stay(self):
        fitted = self.fitted("longest")  # of two of a length, the earlier
        assert fitted.tags == ["B-ORG", "I-ORG", "B-PER", "O"]
        assert [said.split(" is left out")[0] for said in fitted.dropped] == [
            "Span [4, 11) 'LOC' of 'met Bob'",
            "Span [0, 3) 'PER' of 'Ada'",
        ]

    def test_the_first_stay(self):
        fitted = self.fitted("first")
        assert fitted.tags == ["B-PER", "B-LOC", "I-LOC", "O"]
        assert len(fitted.dropped) == 2

    def test_the_same_twice_is_one(self):
        fitted = fit(Record(1, ADA, spans=[CharSpan(0, 3, "PER")] * 2), tokenizer="words", overlaps="first")
        assert (fitted.tags[0], fitted.dropped) == ("B-PER", [])

    def test_a_grid_that_is_kept_is_not_cut(self):
        from datasets_app.records import Refused

        with pytest.raises(Refused, match="within token 'Ada'") as caught:
            fit(Record(1, ADA, spans=[CharSpan(0, 2, "PER")]), tokenizer="words", cut=False)
        assert caught.value.code == "span_off_grid"
