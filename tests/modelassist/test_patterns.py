"""Phrases and expressions: what they mark, what they leave, and how they are typed."""

import pytest

from labeling import bio, tokens
from labeling.errors import Invalid
from modelassist import patterns
from modelassist.patterns import Patterns, Rule, as_json, of_json, read_lines


def marked(text: str, *rules: Rule) -> list[tuple[str, str]]:
    starts, ends = tokens.tokenize(text, "words")
    tags = Patterns(rules).tags(text, starts, ends)
    bio.require_legal(tags, length=len(starts))
    return [(text[starts[s.start] : ends[s.end - 1]], s.label) for s in bio.spans(tags)]


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("Ada Lovelace met Ada .", [Rule("PER", "Ada Lovelace"), Rule("PER", "Ada")],
         [("Ada Lovelace", "PER"), ("Ada", "PER")]),
        ("Ada\u00a0  Lovelace left", [Rule("PER", "Ada Lovelace")], [("Ada\u00a0  Lovelace", "PER")]),
        ("Adam Paris", [Rule("PER", "Ada"), Rule("LOC", "aris")], []),
        ("paris PARIS", [Rule("LOC", "Paris", ignore_case=True)], [("paris", "LOC"), ("PARIS", "LOC")]),
        ("New York Times", [Rule("LOC", "New York"), Rule("ORG", "New York Times")], [("New York Times", "ORG")]),
        ("in 1999 .", [Rule("DATE", r"\d{4}", is_regex=True)], [("1999", "DATE")]),
        ("in 19990 .", [Rule("DATE", r"\d{4}", is_regex=True)], []),
        ("U.S. x", [Rule("LOC", "U.S.")], [("U.S.", "LOC")]),
        ("😀 Bob left", [Rule("PER", "Bob")], [("Bob", "PER")]),
        ("北京很大", [Rule("LOC", "北京")], [("北京", "LOC")]),
        ("a b", [Rule("X", "a"), Rule("Y", "a")], [("a", "X")]),
        ("", [Rule("X", "a"), Rule("X", "", is_regex=True)], []),
    ],
)  # fmt: skip
def test_what_is_marked(text: str, rules: list[Rule], expected: list[tuple[str, str]]) -> None:
    assert marked(text, *rules) == expected


def test_an_expression_that_needs_for_ever_is_given_up() -> None:
    assert marked("a" * 40 + "b Ada", Rule("X", r"(a|aa)+$", is_regex=True), Rule("PER", "Ada")) == [("Ada", "PER")]


@pytest.mark.parametrize(
    "pattern",
    [
        "a{999999999}",
        "((a{1000}){1000}){1000}",
        "(?:ab){20000}",
        "(?R)?a",
        "(a(?1)?)",
        "(?P<q>a(?&q)?)",
        "(" * 400 + "a" + ")" * 400,
    ],
)
def test_an_expression_that_fills_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid, match="Rule 1"):
        of_json([{"label": "X", "pattern": pattern, "is_regex": True}])


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d{2}-\d{2}", r"(?:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7})", r"a{2,}", r"[{(]\{9}", r"(\w+) \1"]
)
def test_usual_expressions_are_not(pattern: str) -> None:
    of_json([{"label": "X", "pattern": pattern, "is_regex": True}])


def test_many_expressions_that_need_for_ever_are_given_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_TEXT_SECONDS", 0.7)
    rules = [Rule("X", rf"(a|aa)+{number}$", is_regex=True) for number in range(10_000)]
    assert marked("a" * 40 + "b", *rules) == []


def test_thousands_of_phrases_cost_little() -> None:
    rules = [Rule("PER", f"name{i} surname{i}") for i in range(10_000)]
    assert marked("then name77 surname77 left", *rules) == [("name77 surname77", "PER")]


def test_lines() -> None:
    text = "# people\nPER Ada Lovelace\n\nDATE /\\d{4}/\nORG /acme (inc|ltd)/i\n"
    rules = read_lines(text)
    assert rules == [
        Rule("PER", "Ada Lovelace"), Rule("DATE", r"\d{4}", True), Rule("ORG", "acme (inc|ltd)", True, True),
    ]  # fmt: skip
    assert read_lines("\n".join(rule.line for rule in rules)) == rules
    assert of_json(as_json(rules)) == rules


@pytest.mark.parametrize(
    ("text", "says"), [("PER", "Rule 1"), ("\nX /(/", "Rule 2.*no regular"), ("X " + "a" * 1001, "Rule 1")]
)
def test_a_bad_line_is_named(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_lines(text)


@pytest.mark.parametrize(
    "given",
    ["x", [1], [{}], [{"label": "PER"}], [{"label": "PER", "pattern": 1}], [{"label": "PER", "pattern": " "}],
     [{"label": "NO", "pattern": "a"}], [{"label": "PER", "pattern": "a", "more": 1}],
     [{"label": "PER", "pattern": "(", "is_regex": True}], [{"label": "PER", "pattern": "a"}] * 20_001],
)  # fmt: skip
def test_bad_json_is_told(given: object) -> None:
    with pytest.raises(Invalid):
        of_json(given, ["PER"])
