"""A scripted annotator: which keys turn what the annotate page shows into the gold spans of a text; pure.

It knows the answer, so it never reads nor thinks; of the ways to mend a suggestion it takes the shortest. Each plan
goes along with what the page would do at each key, since the next keys depend on where the cursor is then.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from labeling.bio import Span


@dataclass(frozen=True)
class Shown:
    """What the page shows of a text of `length` tokens, and the keys that led there."""

    length: int
    spans: frozenset[Span] = frozenset()
    offers: frozenset[Span] = frozenset()  # open suggestions
    caret: int = 0
    keys: tuple[str, ...] = field(default=())

    def press(self, *keys: str, **changes: object) -> "Shown":
        """After these keys, with what they changed."""
        return replace(self, keys=self.keys + keys, **changes)


def plan(gold: Sequence[Span], offers: Sequence[Span], length: int, hotkeys: Mapping[str, str]) -> tuple[str, ...]:
    """The keys, with the last that hands the text in."""
    first = min((each.start for each in offers), default=0)
    shown = Shown(length, offers=frozenset(offers), caret=first)
    missing = [span for span in gold if span not in shown.offers]
    wrong = [offer for offer in offers if offer not in gold and not any(_touch(offer, each) for each in missing)]
    for span in sorted([*missing, *wrong]):
        if span in missing:
            shown = min(_ways_to_draw(shown, span, hotkeys[span.label]), key=lambda way: len(way.keys))
        else:
            shown = _rejected(shown, span)
    if shown.offers:
        shown = shown.press("Shift+A")
    return (*shown.keys, "Enter")


def _ways_to_draw(shown: Shown, span: Span, key: str) -> Iterable[Shown]:
    inside = [offer for offer in shown.offers if _touch(offer, span)]
    if span.end - span.start > 1 or not inside:
        yield _drawn(shown, span, key)
    for offer in inside:
        yield _reshaped(shown, offer, span, key)
    if len(inside) == 1:
        yield _drawn(_rejected(shown, inside[0]), span, key)


def _drawn(shown: Shown, span: Span, key: str) -> Shown:
    """Selected and labeled, which takes the place of whatever stands there."""
    at = _moved(shown, range(span.start, span.start + 1))
    keys = ["Shift+ArrowRight"] * (span.end - span.start - 1) + [key]
    return _placed(at.press(*keys), span)


def _reshaped(shown: Shown, offer: Span, span: Span, key: str) -> Shown:
    """The suggestion relabeled, which decides it, and then its edges moved."""
    at = _moved(shown, range(offer.start, offer.end)).press(key)
    keys = ["["] * (offer.start - span.start) + ["Shift+BracketLeft"] * (span.start - offer.start)
    keys += ["]"] * (span.end - offer.end) + ["Shift+BracketRight"] * (offer.end - span.end)
    placed = _placed(at.press(*keys), span)
    return replace(placed, caret=max(span.start, min(offer.end, span.end) - 1))


def _placed(shown: Shown, span: Span) -> Shown:
    apart = frozenset(each for each in shown.offers if not _touch(each, span))
    return replace(shown, spans=shown.spans | {span}, offers=apart, caret=span.end - 1)


def _rejected(shown: Shown, offer: Span) -> Shown:
    """Turned down; the page goes to the next suggestion, or to the first."""
    at = _moved(shown, range(offer.start, offer.end))
    left = sorted(at.offers - {offer})
    after = [each.start for each in left if each.start >= at.caret]
    caret = (after or [each.start for each in left] or [at.caret])[0]
    return at.press("x", offers=frozenset(left), caret=caret)


def _moved(shown: Shown, places: range) -> Shown:
    """To one of the places, by the fewest keys."""
    starts = sorted(each.start for each in shown.spans | shown.offers)
    ways: dict[int, tuple[str, ...]] = {shown.caret: ()}
    queue = deque([shown.caret])
    while queue:
        here = queue.popleft()
        if here in places:
            return shown.press(*ways[here], caret=here)
        for key, there in _steps(here, starts, shown.length):
            if there not in ways:
                ways[there] = (*ways[here], key)
                queue.append(there)
    raise AssertionError(places)


def _steps(here: int, starts: Sequence[int], length: int) -> Iterable[tuple[str, int]]:
    if here:
        yield "ArrowLeft", here - 1
        yield "Home", 0
    if here < length - 1:
        yield "ArrowRight", here + 1
        yield "End", length - 1
    if after := [start for start in starts if start > here]:
        yield "Control+ArrowRight", after[0]
    if before := [start for start in starts if start < here]:
        yield "Control+ArrowLeft", before[-1]


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
