"""BIO tags and spans: the two faces of a labelled token sequence, and the other tag schemes.

The stored truth is IOB2: `B-X` begins an entity, `I-X` goes on, `O` is outside. A `Span` is a half-open
range of tokens. Every conversion between them, in and out of other schemes, stands here and nowhere else.

>>> spans(["B-PER", "I-PER", "O"])
[Span(start=0, end=2, label='PER')]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap

from labeling.errors import Invalid

OUTSIDE = "O"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range `[start, end)` of tokens with a label."""

    start: int
    end: int
    label: str


class IllegalTags(Invalid):
    """Tags that break their scheme; `index` is the offending token's position."""

    code = "illegal_tags"

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message, details={"index": index})
        self.index = index


@lru_cache(maxsize=4096)  # the same few tags, millions of times
def split_tag(tag: str) -> tuple[str, str]:
    """`B-creative-work` gives `("B", "creative-work")`: a label may hold hyphens, a prefix may not."""
    prefix, _, label = tag.partition("-")
    return prefix, label


def label_of(tag: str) -> str:
    """The label of a tag, or an empty string for `O`."""
    return split_tag(tag)[1]


def tag_names(labels: Iterable[str]) -> list[str]:
    """`["O", "B-X", "I-X", …]` in the labels' order: the classes of a model and of an exported data set."""
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


def illegal_index(tags: Sequence[str]) -> int | None:
    """The first position at which `tags` are not IOB2, or None."""
    if all(starmap(_may_follow, {*zip((OUTSIDE, *tags), tags, strict=False)})):
        return None
    previous = OUTSIDE
    for index, tag in enumerate(tags):
        if not _may_follow(previous, tag):
            return index
        previous = tag
    return None


@lru_cache(maxsize=4096)
def _may_follow(previous: str, tag: str) -> bool:
    prefix, label = split_tag(tag)
    goes_on = prefix == "I" and bool(label) and label_of(previous) == label
    return tag == OUTSIDE or (prefix == "B" and bool(label)) or goes_on


def require_legal(tags: Sequence[str], *, length: int | None = None, labels: Iterable[str] | None = None) -> None:
    """Raise `Invalid`, naming the position, unless `tags` are IOB2, `length` long and use only `labels`."""
    if length is not None and len(tags) != length:
        raise Invalid(
            f"There are {len(tags)} tags for {length} tokens; give exactly one tag per token.",
            code="wrong_length",
            details={"tags": len(tags), "tokens": length},
        )
    if (index := illegal_index(tags)) is not None:
        raise IllegalTags(_complaint(tags, index), index)
    if labels is not None and (unknown := sorted({label_of(tag) for tag in tags} - {"", *labels})):
        raise Invalid(
            f"Unknown label {unknown[0]!r}: the project does not have it. Add it to the project's labels first.",
            code="unknown_label",
            details={"labels": unknown},
        )


def _complaint(tags: Sequence[str], index: int) -> str:
    tag = tags[index]
    if split_tag(tag)[0] == "I" and label_of(tag):
        return f"Tag {tag!r} at token {index} does not follow B-{label_of(tag)} or I-{label_of(tag)}."
    return f"Tag {tag!r} at token {index} is not O, B-<label> or I-<label>."


def renamed(tags: Sequence[str], names: Mapping[str, str | None]) -> list[str]:
    """Legal tags with other names for some labels; spans of a label whose name is None are no spans any more."""
    if not names:
        return list(tags)
    forms = {tag: _renamed(tag, names) for tag in set(tags)}
    return [forms[tag] for tag in tags]


def _renamed(tag: str, names: Mapping[str, str | None]) -> str:
    prefix, label = split_tag(tag)
    if not label or label not in names:
        return tag
    name = names[label]
    return OUTSIDE if name is None else f"{prefix}-{name}"


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of legal IOB2 tags, in order."""
    found: list[Span] = []
    start, label = 0, ""
    for index, tag in enumerate((*tags, OUTSIDE)):
        if tag[0] != "I":
            if label:
                found.append(Span(start, index, label))
            start, label = index, tag[2:]
    return found


def tags_of(spans: Iterable[Span], length: int) -> list[str]:
    """IOB2 tags for `length` tokens; raises `Invalid` for a span outside the text, empty, or over another."""
    tags = [OUTSIDE] * length
    for span in sorted(spans):
        if not 0 <= span.start < span.end <= length:
            raise Invalid(
                f"Span [{span.start}, {span.end}) does not lie within the {length} tokens.",
                code="span_out_of_range",
                details={"start": span.start, "end": span.end, "tokens": length},
            )
        if any(tag != OUTSIDE for tag in tags[span.start : span.end]):
            raise Invalid(
                f"Span [{span.start}, {span.end}) {span.label} overlaps another span; spans must not overlap.",
                code="overlapping_spans",
                details={"start": span.start, "end": span.end, "label": span.label},
            )
        tags[span.start : span.end] = [f"B-{span.label}"] + [f"I-{span.label}"] * (span.end - span.start - 1)
    return tags


# Other schemes -------------------------------------------------------------------------------------------

SCHEMES = ("iob2", "iob1", "bioes", "bilou", "ioe1", "ioe2")
_LETTERS = {
    "bioes": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "bilou": {"B": "B", "I": "I", "L": "E", "U": "S"},
}


def decode(tags: Sequence[str], scheme: str) -> list[str]:
    """Tags of any of `SCHEMES` as IOB2; raises `IllegalTags` where they break their scheme."""
    if scheme == "iob2":
        require_legal(tags)
        return list(tags)
    if scheme in ("ioe1", "ioe2"):
        return _from_ioe(tags, scheme)
    return _from_iob1(tags) if scheme == "iob1" else _from_bioes(tags, scheme)


def _from_iob1(tags: Sequence[str]) -> list[str]:
    """In IOB1 `B-X` stands only where an entity directly follows another of its label X (Ramshaw & Marcus 1995)."""
    result: list[str] = []
    before = ""
    for index, tag in enumerate(tags):
        prefix, label = split_tag(tag)
        if tag == OUTSIDE:
            result.append(OUTSIDE)
        elif label and (prefix == "I" or (prefix == "B" and label == before)):
            result.append(f"{'I' if prefix == 'I' and label == before else 'B'}-{label}")
        else:
            raise IllegalTags(f"Tag {tag!r} at token {index} is not legal IOB1.", index)
        before = label
    return result


def _from_ioe(tags: Sequence[str], scheme: str) -> list[str]:
    """`E-X` ends an entity: each of them in IOE2, in IOE1 only where another of its label follows directly."""
    result: list[str] = []
    open_label = ""  # the label of an entity that the next token may go on with
    for index, (tag, after) in enumerate(zip(tags, (*tags[1:], OUTSIDE), strict=False)):
        prefix, label = split_tag(tag)
        goes_on = bool(label) and label_of(after) == label
        fits = goes_on if scheme == {"I": "ioe2", "E": "ioe1"}.get(prefix) else prefix in ("I", "E")
        if tag != OUTSIDE and not (label and fits):
            raise IllegalTags(f"Tag {tag!r} at token {index} is not legal {scheme.upper()}.", index)
        result.append(tag if tag == OUTSIDE else f"{'I' if label == open_label else 'B'}-{label}")
        open_label = label if prefix == "I" else ""
    return result


def _from_bioes(tags: Sequence[str], scheme: str) -> list[str]:
    letters = _LETTERS[scheme]
    result: list[str] = []
    open_label = ""  # the label of an entity that has begun and not ended
    for index, tag in enumerate((*tags, OUTSIDE)):
        prefix, label = split_tag(tag)
        kind = OUTSIDE if tag == OUTSIDE else letters.get(prefix, "")
        fits = label == open_label if kind in ("I", "E") else not open_label
        if not fits or (kind != OUTSIDE and not label) or not kind:
            at = min(index, len(tags) - 1)
            raise IllegalTags(f"Tag {tags[at]!r} at token {at} is not legal {scheme.upper()}.", at)
        result.append(tag if kind == OUTSIDE else f"{'B' if kind in ('B', 'S') else 'I'}-{label}")
        open_label = label if kind in ("B", "I") else ""
    return result[:-1]


def encode(tags: Sequence[str], scheme: str) -> list[str]:
    """Legal IOB2 tags in another scheme."""
    if scheme == "iob2":
        return list(tags)
    if scheme in ("ioe1", "ioe2"):
        return _to_ioe(tags, scheme)
    return _to_iob1(tags) if scheme == "iob1" else _to_bioes(tags, scheme)


def _to_iob1(tags: Sequence[str]) -> list[str]:
    result: list[str] = []
    before = ""
    for tag in tags:
        prefix, label = split_tag(tag)
        result.append(f"I-{label}" if prefix == "B" and label != before else tag)
        before = label
    return result


def _to_ioe(tags: Sequence[str], scheme: str) -> list[str]:
    result: list[str] = []
    for tag, after in zip(tags, (*tags[1:], OUTSIDE), strict=False):
        label = label_of(tag)
        ends = after != f"I-{label}" and (scheme == "ioe2" or after == f"B-{label}")
        result.append(tag if tag == OUTSIDE else f"{'E' if ends else 'I'}-{label}")
    return result


def _to_bioes(tags: Sequence[str], scheme: str) -> list[str]:
    last, single = {letter: own for own, letter in _LETTERS[scheme].items()}["E"], _single(scheme)
    result: list[str] = []
    for index, tag in enumerate(tags):
        prefix, label = split_tag(tag)
        ends = tag != OUTSIDE and (index + 1 == len(tags) or tags[index + 1] != f"I-{label}")
        letter = (single if prefix == "B" else last) if ends else prefix
        result.append(OUTSIDE if tag == OUTSIDE else f"{letter}-{label}")
    return result


def _single(scheme: str) -> str:
    return next(own for own, letter in _LETTERS[scheme].items() if letter == "S")


@dataclass(slots=True)
class SchemeEvidence:
    """Counts, over a whole file, of what tells the schemes apart; `add` each sentence, then ask `scheme`."""

    iob1: int = 0  # an entity that begins with I-
    iob2: int = 0  # an entity that begins with B- where IOB1 would write I-
    bioes: int = 0
    bilou: int = 0
    begins: int = 0  # tags B- or S-, which no IOE has
    ends: int = 0  # entities that end with E- where IOE1 would write I-

    def add(self, tags: Iterable[str]) -> None:
        """Count the signs in one sentence's tags."""
        before, ended = "", False
        for tag in tags:
            prefix, label = split_tag(tag)
            self.bioes += prefix in ("E", "S") and bool(label)
            self.begins += prefix in ("B", "S")
            self.bilou += prefix in ("L", "U") and bool(label)
            self.iob1 += prefix == "I" and label != before
            self.iob2 += prefix == "B" and label != before
            self.ends += ended and label != before
            before, ended = label, prefix == "E"
        self.ends += ended

    @property
    def scheme(self) -> str:
        """The scheme that the counts speak for; IOB2 where they say nothing."""
        if self.bioes and not self.begins and not self.bilou:
            return "ioe2" if self.ends else "ioe1"
        if self.bioes or self.bilou:
            return "bioes" if self.bioes >= self.bilou else "bilou"
        return "iob1" if self.iob1 > self.iob2 else "iob2"
