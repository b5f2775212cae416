"""Labels made wrong on purpose, with a list of what was done; pure."""

from collections.abc import Sequence
from random import Random

from labeling import bio
from labeling.bio import Span

KINDS = ("missing", "label", "boundary")
Place = tuple[int, int, int]  # sentence, start, end: all tokens whose tags were changed


def corrupted(tags: Sequence[Sequence[str]], share: float, seed: int) -> tuple[list[list[str]], list[Place]]:
    """The tags with a share of their entities removed, relabeled or moved by a token at one end, a third each."""
    random = Random(seed)
    spans = [bio.spans(row) for row in tags]
    labels = sorted({span.label for row in spans for span in row})
    entities = [(at, number) for at, row in enumerate(spans) for number in range(len(row))]
    random.shuffle(entities)
    places: list[Place] = []
    for at, number in entities:
        if len(places) >= share * len(entities):
            break
        old = spans[at][number]
        new = _wrong(KINDS[len(places) % len(KINDS)], old, _free(tags[at], spans[at], old), labels, random)
        if new is not None:
            spans[at][number] = new
            bounds = (old.start, old.end) if new == Span(old.start, old.start, old.label) else _changed(old, new)
            places.append((at, *bounds))
    return [
        bio.tags_of([span for span in row if span.end > span.start], len(old))
        for row, old in zip(spans, tags, strict=True)
    ], places


def _wrong(kind: str, old: Span, free: tuple[bool, bool], labels: Sequence[str], random: Random) -> Span | None:
    if kind == "missing":
        return Span(old.start, old.start, old.label)
    if kind == "label":
        return Span(old.start, old.end, random.choice([label for label in labels if label != old.label]))
    moves = [(-1, 0)] * free[0] + [(0, 1)] * free[1] + [(1, 0), (0, -1)] * (old.end - old.start > 1)
    if not moves:
        return None
    before, after = random.choice(moves)
    return Span(old.start + before, old.end + after, old.label)


def _free(tags: Sequence[str], spans: Sequence[Span], one: Span) -> tuple[bool, bool]:
    """Whether the token before and the token after belong to no entity."""
    taken = {token for span in spans for token in range(span.start, span.end)}
    return one.start - 1 >= 0 and one.start - 1 not in taken, one.end < len(tags) and one.end not in taken


def _changed(old: Span, new: Span) -> tuple[int, int]:
    return min(old.start, new.start), max(old.end, new.end)
