"""The page of labels that are probably wrong. What starts the search or dismisses posts to the REST door."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling import access
from labeling.bio import Span
from labeling.highlight import Piece
from labeling.models import Role
from labeling.pages import colors_of, show
from labeling.paging import page
from modelassist import auditing, matching
from modelassist.models import LabelIssue

PAGE = 30
AROUND = 60  # code points shown on either side of a span


@require_GET
@login_required
def label_issues(request: HttpRequest, slug: str) -> HttpResponse:
    """What the last audit found and nobody has dealt with, surest first."""
    project = access.project_for(request.user, slug, Role.REVIEWER)
    query = auditing.open_issues(project)
    found = page(query, order=("-score", "id"), cursor=request.GET.get("cursor"), limit=PAGE)
    return show(
        request, "modelassist/label_issues.html", project, tab="models", next=found.next, colors=colors_of(project),
        rows=[_row(issue) for issue in found.rows], audit=auditing.last_audit(project), counts=auditing.counts(project),
    )  # fmt: skip


def _row(issue: LabelIssue) -> dict[str, Any]:
    gold, predicted = (issue.spans[name] and Span(**issue.spans[name]) for name in ("gold", "predicted"))
    return {
        "issue": issue,
        "kind": matching.ERRORS[issue.kind],
        "gold": gold and _shown(issue, gold),
        "predicted": predicted and _shown(issue, predicted),
    }


def _shown(issue: LabelIssue, span: Span) -> list[Piece]:
    """A span with some of the text around it."""
    document = issue.document
    start, end = document.token_starts[span.start], document.token_ends[span.end - 1]
    before, after = document.text[max(0, start - AROUND) : start], document.text[end : end + AROUND]
    return [Piece(before), Piece(document.text[start:end], span.label), Piece(after)]
