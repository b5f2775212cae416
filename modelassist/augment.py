"""More training examples from the ones there are, for named entities; pure, and only ever for the train split.

The three ways of Dai & Adel 2020 (An analysis of simple data augmentation for named entity recognition):
mentions are replaced by others of the same label, words by others that stood under the same tag, and the
words within a stretch of one label (or of none) change places.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from labeling import bio
from labeling.bio import Span

Example = tuple[Sequence[str], Sequence[str]]  # tokens, tags


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How likely each mention, word and stretch is changed, and how many changed copies each example gets."""

    mention_replacement: float = 0.0
    token_replacement: float = 0.0
    segment_shuffle: float = 0.0
    copies: int = 1

    @property
    def active(self) -> bool:
        """Whether anything would be changed."""
        return self.copies > 0 and any((self.mention_replacement, self.token_replacement, self.segment_shuffle))


@dataclass(slots=True)
class Vocabulary:
    """The mentions of each label and the words under each tag, as often as they stand in the examples."""

    mentions: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, examples: Iterable[Example]) -> "Vocabulary":
        """Of labeled examples."""
        found = cls()
        for tokens, tags in examples:
            for token, tag in zip(tokens, tags, strict=True):
                found.words.setdefault(tag, []).append(token)
            for span in bio.spans(tags):
                found.mentions.setdefault(span.label, []).append(tuple(tokens[span.start : span.end]))
        return found


def augmented(
    examples: Iterable[Example], vocabulary: Vocabulary, chosen: Augmentation, seed: int
) -> Iterator[Example]:
    """The changed copies; an example without an entity is not copied, for it would teach only more of `O`."""
    random = Random(seed)
    for tokens, tags in examples:
        if any(tag != bio.OUTSIDE for tag in tags):
            for _ in range(chosen.copies):
                yield _changed(tokens, tags, vocabulary, chosen, random)


def _changed(
    tokens: Sequence[str], tags: Sequence[str], vocabulary: Vocabulary, chosen: Augmentation, random: Random
) -> Example:
    new_tokens: list[str] = []
    new_tags: list[str] = []
    for span in segments(tags):
        words = list(tokens[span.start : span.end])
        if span.label and random.random() < chosen.mention_replacement:
            words = list(random.choice(vocabulary.mentions[span.label]))
        names = [f"{'I' if at else 'B'}-{span.label}" if span.label else bio.OUTSIDE for at in range(len(words))]
        for at, tag in enumerate(names):
            if tag in vocabulary.words and random.random() < chosen.token_replacement:
                words[at] = random.choice(vocabulary.words[tag])
        if random.random() < chosen.segment_shuffle:
            random.shuffle(words)
        new_tokens += words
        new_tags += names
    return new_tokens, new_tags


def segments(tags: Sequence[str]) -> list[Span]:
    """The whole text as stretches of one entity each, and of none between them (with an empty label)."""
    found: list[Span] = []
    at = 0
    for span in [*bio.spans(tags), Span(len(tags), len(tags), "")]:
        if span.start > at:
            found.append(Span(at, span.start, ""))
        if span.end > span.start:
            found.append(span)
        at = span.end
    return found
