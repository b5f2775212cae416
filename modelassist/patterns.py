"""Suggestions without a network: phrases and regular expressions that mark what they find; pure.

A match counts only where it begins and ends with tokens. Of matches that overlap the first one wins, then the
longest, then the earlier rule. A rule is typed as a line, `PER Ada Lovelace` or `DATE /\\d{4}/`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import regex

from labeling import bio
from labeling.bio import Span
from labeling.errors import Invalid
from labeling.expressions import PATTERN_MAX, BadExpression, compiled

__all__ = ["PATTERN_MAX", "RULES_MAX", "Patterns", "Rule", "as_json", "of_json", "read_lines", "require_labels"]

RULES_MAX = 20_000
_SECONDS = 0.5  # for one expression in one text: some need for ever
_TEXT_SECONDS = 5.0  # for all expressions in one text


@dataclass(frozen=True, slots=True)
class Rule:
    """What to mark, and as what. A phrase is taken word for word, with any blanks between its words."""

    label: str
    pattern: str
    is_regex: bool = False
    ignore_case: bool = False

    @property
    def line(self) -> str:
        """As a person types it."""
        if self.is_regex:
            return f"{self.label} /{self.pattern}/{'i' if self.ignore_case else ''}"
        return f"{self.label} {self.pattern}"


def read_lines(text: str) -> list[Rule]:
    """The rules of some lines; raises `Invalid` naming the line. Empty lines and those with # at first are no rules."""
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        label, _, pattern = line.strip().partition(" ")
        if label and not label.startswith("#"):
            rules.append(_of_line(label, pattern.strip(), number))
    return rules


def _of_line(label: str, pattern: str, number: int) -> Rule:
    if not pattern:
        raise _invalid(number, f"{label!r} stands alone; write the label, a blank, and what to mark")
    found = regex.fullmatch(r"/(.+)/(i?)", pattern)
    rule = Rule(label, found[1], True, bool(found[2])) if found else Rule(label, pattern)
    return _checked(rule, number)


def of_json(given: object, labels: Sequence[str] | None = None) -> list[Rule]:
    """Rules from JSON objects `{label, pattern, is_regex?, ignore_case?}`; raises `Invalid` naming the rule, from 1."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Invalid("Rules must be a list of objects with a label and a pattern.", details={"field": "rules"})
    if len(given) > RULES_MAX:
        raise Invalid(f"At most {RULES_MAX:,} rules.", details={"field": "rules"})
    rules = [_checked(_of_object(each, number), number) for number, each in enumerate(given, 1)]
    require_labels(rules, labels)
    return rules


def require_labels(rules: Sequence[Rule], labels: Sequence[str] | None) -> None:
    """Raise `Invalid` for the first rule whose label is not among `labels`."""
    for number, rule in enumerate(rules, 1):
        if labels is not None and rule.label not in labels:
            raise _invalid(number, f"the project has no label {rule.label!r}")


def _of_object(given: object, number: int) -> Rule:
    shape = {"label": str, "pattern": str, "is_regex": bool, "ignore_case": bool}
    if not isinstance(given, Mapping) or not {"label", "pattern"} <= given.keys() <= shape.keys():
        raise _invalid(number, "it needs a label and a pattern, and may have is_regex and ignore_case")
    for name, value in given.items():
        if not isinstance(value, shape[name]):
            raise _invalid(number, f"{name} is {value!r:.40}")
    return Rule(**given)


def _checked(rule: Rule, number: int) -> Rule:
    if not rule.pattern.strip() or len(rule.pattern) > PATTERN_MAX:
        raise _invalid(number, f"a pattern has 1 to {PATTERN_MAX:,} characters")
    if rule.is_regex:
        try:
            compiled(rule.pattern)
        except BadExpression as error:
            raise _invalid(number, str(error)) from error
    return rule


def _invalid(number: int, complaint: str) -> Invalid:
    return Invalid(f"Rule {number}: {complaint}.", code="bad_pattern", details={"field": "rules", "rule": number})


def as_json(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """What `of_json` reads."""
    return [asdict(rule) for rule in rules]


class Patterns:
    """Rules made ready: phrases of one label and case are one set, so that thousands cost what one costs."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        phrases: dict[tuple[str, bool], list[str]] = {}
        self._expressions: list[tuple[str, Any]] = []
        for rule in rules:
            if rule.is_regex:
                self._expressions.append(
                    (rule.label, regex.compile(rule.pattern, regex.IGNORECASE if rule.ignore_case else 0))
                )
            else:
                phrases.setdefault((rule.label, rule.ignore_case), []).append(" ".join(rule.pattern.split()))
        self._phrases = [
            (label, ignore_case, _index(terms, ignore_case=ignore_case))
            for (label, ignore_case), terms in phrases.items()
        ]

    def tags(self, text: str, starts: Sequence[int], ends: Sequence[int]) -> list[str]:
        """IOB2 tags of a text with its token grid."""
        found = sorted(self._matches(text, starts, ends), key=lambda match: (match[0].start, -match[0].end, match[1]))
        spans: list[Span] = []
        for span, _ in found:
            if not spans or span.start >= spans[-1].end:
                spans.append(span)
        return bio.tags_of(spans, len(starts))

    def _matches(self, text: str, starts: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[Span, int]]:
        words = [text[start:end] for start, end in zip(starts, ends, strict=True)]
        for order, (label, ignore_case, index) in enumerate(self._phrases):
            for start, end in _found(words, index, ignore_case=ignore_case):
                yield Span(start, end, label), order
        at_start = {start: index for index, start in enumerate(starts)}
        at_end = {end: index + 1 for index, end in enumerate(ends)}
        until = time.monotonic() + _TEXT_SECONDS
        for order, (label, expression) in enumerate(self._expressions, len(self._phrases)):
            seconds = min(_SECONDS, until - time.monotonic())
            if seconds <= 0:
                return
            try:
                for match in expression.finditer(text, timeout=seconds):
                    if match.start() in at_start and match.end() in at_end and match.end() > match.start():
                        yield Span(at_start[match.start()], at_end[match.end()], label), order
            except TimeoutError:
                continue  # this text is too much for this expression; what it has found so far stands


def _index(terms: Sequence[str], *, ignore_case: bool) -> tuple[frozenset[str], int]:
    """The phrases without their blanks, and the longest one's length: tokens joined are looked up in them."""
    joined = frozenset("".join((term.casefold() if ignore_case else term).split()) for term in terms)
    return joined, max(map(len, joined))


def _found(
    words: Sequence[str],
    index: tuple[frozenset[str], int],
    *,
    ignore_case: bool,
) -> Iterator[tuple[int, int]]:
    terms, longest = index
    for start in range(len(words)):
        joined = ""
        for end in range(start, len(words)):
            joined += words[end].casefold() if ignore_case else words[end]
            if len(joined) > longest:
                break
            if joined in terms:
                yield start, end + 1
