"""What labeling a text costs at the keyboard, with and without suggestions; pure.

The model, with the keys of the annotate page. Without suggestions: an arrow key per token from where the cursor is
to where an entity begins, one per further token of it, one for its label; the cursor stays at its end. With
suggestions: one key accepts all of them; then each that is wrong costs a jump to it and what mends it: a label
key, a key per token by which a border moves, or a rejection; an entity that nobody suggested costs a jump to the
suggestion nearest to it (or to the beginning) and then what it costs without. Submitting costs a key either way.
Reading and thinking cost nothing, so this is how much less typing there is, not how much less time it takes.
"""

from collections.abc import Sequence

from labeling import bio
from labeling.bio import Span
from modelassist import matching
from modelassist.matching import Match

SUBMIT = ACCEPT_ALL = JUMP = LABEL = REJECT = 1


def alone(gold: Sequence[str]) -> int:
    """Keys to label a text with these tags from nothing."""
    keys, cursor = SUBMIT, 0
    for span in bio.spans(gold):
        keys += abs(span.start - cursor) + _mark(span)
        cursor = span.end - 1
    return keys


def helped(gold: Sequence[str], suggested: Sequence[str]) -> int:
    """Keys to make these tags of suggested ones."""
    suggestions = bio.spans(suggested)
    matches = matching.match(bio.spans(gold), suggestions)
    return SUBMIT + (ACCEPT_ALL if suggestions else 0) + sum(_mend(one, suggestions) for one in matches)


def _mark(span: Span) -> int:
    return span.end - span.start - 1 + LABEL


def _mend(one: Match, suggestions: Sequence[Span]) -> int:
    if one.gold is None:
        return JUMP + REJECT
    if one.predicted is None:
        jumps = [abs(one.gold.start - place) + JUMP for span in suggestions for place in (span.start, span.end - 1)]
        return min([one.gold.start, *jumps]) + _mark(one.gold)
    if one.kind == matching.RIGHT:
        return 0
    moved = abs(one.gold.start - one.predicted.start) + abs(one.gold.end - one.predicted.end)
    return JUMP + moved + (LABEL if one.gold.label != one.predicted.label else 0)
