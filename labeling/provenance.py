"""Where each span of an annotation comes from: drawn by hand, or a suggestion accepted or edited; and which suggestions
were rejected. Pure. What a client says about rejections counts only for what a model did suggest.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.bio import OUTSIDE, Span, spans


@dataclass(frozen=True)
class Offer:
    """A suggested span: who suggested it, and how sure of it (the least sure of its tokens), 0 to 1."""

    span: Span
    model: str
    confidence: float | None


def offers(tags: Sequence[str], confidences: Sequence[float], *, model: str) -> list[Offer]:
    """The spans of a prediction."""
    found = spans(tags)
    return [Offer(span, model, min(confidences[span.start : span.end], default=None)) for span in found]


def trace(tags: Sequence[str], offered: Sequence[Offer], *, rejected: Collection[Span] = ()) -> dict[str, Any]:
    """`{"spans": [{start, end, label, origin, …}], "rejected": [{start, end, label, model, confidence}]}`.

    `origin` is `accepted` (just as suggested), `edited` (touches a suggestion; `from` tells which) or `manual`.
    A suggestion that the person rejected is not the origin of what they drew in its place; one that no span
    touches was rejected too, whether or not the client says so.
    """
    open_offers = [offer for offer in offered if offer.span not in rejected]
    decided = spans(tags)
    traced = _Origins(open_offers).of_all(decided)
    refused = [offer for offer in offered if offer.span in rejected or not _touched(offer.span, tags)]
    return {"spans": traced, "rejected": [_json(offer.span) | _source(offer) for offer in refused]}


class _Origins:
    """Offers in the order of the text, walked along with the spans: twenty thousand tokens take one pass."""

    def __init__(self, offered: Sequence[Offer]) -> None:
        self.offered = sorted(offered, key=lambda offer: (offer.span.start, offer.span.end))
        self.at = 0

    def of_all(self, decided: Sequence[Span]) -> list[dict[str, Any]]:
        return [_json(span) | self._of(span) for span in decided]

    def _of(self, span: Span) -> dict[str, Any]:
        while self.at < len(self.offered) and self.offered[self.at].span.end <= span.start:
            self.at += 1
        touching = [
            offer for offer in self.offered[self.at : self.at + span.end - span.start + 1] if _meet(offer, span)
        ]
        for offer in touching:
            if offer.span == span:
                return {"origin": "accepted"} | _source(offer)
        if touching:
            return {"origin": "edited", "from": _json(touching[0].span)} | _source(touching[0])
        return {"origin": "manual"}


def _meet(offer: Offer, span: Span) -> bool:
    return offer.span.start < span.end and span.start < offer.span.end


def _touched(span: Span, tags: Sequence[str]) -> bool:
    return any(tag != OUTSIDE for tag in tags[span.start : span.end])


def _json(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "label": span.label}


def _source(offer: Offer) -> dict[str, Any]:
    return {"model": offer.model, "confidence": offer.confidence}


def judged(tags: Sequence[str], said: Mapping[str, Sequence[str]], offered: Sequence[Offer]) -> dict[str, Any]:
    """Where the spans of a reviewer's decision come from; `said` holds the tags of each annotator, by name.

    `origin` is `taken`, with the names of those who said just so in `by`; for other spans as in `trace`. What the
    annotators had and the decision has not stands in `rejected` with their names.
    """
    by: dict[Span, list[str]] = {}
    for name, theirs in said.items():
        for span in spans(theirs):
            by.setdefault(span, []).append(name)
    traced = trace(tags, offered)
    decided = set(spans(tags))
    taken = [
        _json(span) | {"origin": "taken", "by": by[span]} if span in by else found
        for span, found in zip(spans(tags), traced["spans"], strict=True)
    ]
    refused = [_json(span) | {"by": names} for span, names in sorted(by.items()) if span not in decided]
    return {"spans": taken, "rejected": [*traced["rejected"], *refused]}


def between(before: Sequence[str], after: Sequence[str]) -> dict[str, int]:
    """How one person's tags were used by another who decided: spans kept, edited, rejected and drawn."""
    return use(trace(after, [Offer(span, "", None) for span in spans(before)]))


def use(traced: dict[str, Any]) -> dict[str, int]:
    """How suggestions were used, as counts."""
    origins = [span["origin"] for span in traced["spans"]]
    return {
        "kept": origins.count("accepted"),
        "edited": origins.count("edited"),
        "rejected": len(traced["rejected"]),
        "drawn": origins.count("manual"),
    }
