"""Taking a change back, in one step, whatever kind it is of."""

from django.db import transaction

from datasets_app import bulk, changes, consistency, label_operations, label_splits
from datasets_app.models import Change
from labeling.access import Person


@transaction.atomic
def undo(change: Change, user: Person) -> Change:
    """Put back what was before; raises `Conflict` where work was done since. Repeating is harmless."""
    change = Change.objects.select_for_update(of=("self",)).select_related("project").get(pk=change.pk)
    if change.undone_at is None:
        if change.kind == label_splits.KIND:
            label_splits.undo(change)
        elif change.kind.startswith("label."):
            label_operations.undo(change)
        elif change.kind in bulk.KINDS:
            bulk.undo(change)
        elif change.kind == "consistency.suggested":
            consistency.undo(change)
        else:
            changes.put_back(change)
        changes.mark_undone(change, user)
    return change
