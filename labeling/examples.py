"""Examples of a label: spans that people have accepted, in their context, for who wonders what the label is for.

The newest texts first, and of each name one before any name comes again, so that the same question has the same
answer. Texts of the exam give none: what is accepted there leads nobody.
"""

from typing import Any

from labeling.bio import Span, spans
from labeling.models import Annotation, Document, Label, Project, Split

MOST = 8
TEXTS = 24  # that are looked at
AROUND = 40  # characters before and after


def of_label(project: Project, label: Label) -> list[dict[str, Any]]:
    """At most `MOST` of `{document, before, text, after}`."""
    # By document and not by the time of acceptance: so the index of this project's documents leads to frequent labels,
    # and that of the tags to rare ones.
    rows = Annotation.objects.filter(
        accepted=True,
        tags__contains=[f"B-{label.name}"],
        document__project=project,
        document__status=Document.Status.ACCEPTED,
        document__split=Split.TRAIN,
        document__archived_at=None,
    ).order_by("-document_id")
    found: list[tuple[bool, dict[str, Any]]] = []
    seen: set[str] = set()
    for row in rows.select_related("document").only("tags", *(f"document__{name}" for name in _SHOWN))[:TEXTS]:
        for span in spans(row.tags):
            if span.label == label.name:
                example = in_context(row.document, span)
                name = example["text"].casefold()
                found.append((name in seen, example))
                seen.add(name)
    return [example for _, example in sorted(found, key=lambda each: each[0])[:MOST]]


_SHOWN = ("text", "token_starts", "token_ends")


def in_context(document: Document, span: Span) -> dict[str, Any]:
    """The text of a span with what stands around it."""
    start, end = document.token_starts[span.start], document.token_ends[span.end - 1]
    return {
        "document": document.pk,
        "before": document.text[max(0, start - AROUND) : start],
        "text": document.text[start:end],
        "after": document.text[end : end + AROUND],
    }
