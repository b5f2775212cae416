"""Many documents at once: archive, restore, set to review, assign to a person.

Which ones is said by their numbers, or by the filters of the list of documents. `preview` tells what an act would
touch and what it would leave out, and why; `act` does it in one transaction with one event, as a `Change` that is
undone in one step, or queues a job where it touches many. Each act is a row of `ACTS`.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from datasets_app import jobs, tallies
from datasets_app.models import Change, Job
from labeling import selection
from labeling.access import Person, documents_in, members_of
from labeling.errors import Conflict, Invalid, one_of
from labeling.events import record
from labeling.models import Project

AT_ONCE = 5_000  # documents touched; more are a job's
DAYS = 7  # how long an assigned document stays reserved
SAMPLE = 5

# Who else has a place at a document: as in labeling.queue.
_FULL = """(SELECT count(*) FROM (
    SELECT annotator_id FROM labeling_annotation
     WHERE document_id = document.id AND state = 'submitted' AND annotator_id <> %(person)s
    UNION
    SELECT annotator_id FROM labeling_assignment
     WHERE document_id = document.id AND skipped_at IS NULL AND expires_at > now() AND annotator_id <> %(person)s
  ) AS taken) >= %(overlap)s"""
_SUBMITTED = "SELECT FROM labeling_annotation WHERE document_id = document.id AND state = 'submitted'"
_GOLD = """(SELECT jsonb_build_object('id', id, 'at', accepted_at, 'by', accepted_by_id)
   FROM labeling_annotation WHERE document_id = document.id AND accepted)"""
_LEASE = """(SELECT jsonb_build_object('expires', expires_at, 'skipped', skipped_at, 'reason', skip_reason)
   FROM labeling_assignment WHERE document_id = document.id AND annotator_id = %(person)s)"""
_TOUCHED = "SELECT document_id FROM datasets_app_changeddocument WHERE change_id = %(change)s"
_CHANGED = "FROM datasets_app_changeddocument AS changed WHERE changed.change_id = %(change)s"
_LOCK = f"""SELECT count(*) FROM (
  SELECT FROM labeling_document WHERE id IN ({_TOUCHED}) ORDER BY id FOR NO KEY UPDATE) AS locked"""


@dataclass(frozen=True)
class Act:
    """What is done: `kind` is its event's verb.

    `left_out` holds, by reason, the condition under which a document is not touched; `before` what is kept of one;
    `statements` do it, `undoing` take it back, unless `lost` finds documents on which somebody has decided since.
    """

    kind: str
    left_out: Mapping[str, str]
    before: str
    statements: Sequence[str]
    undoing: Sequence[str]
    lost: str = ""


ACTS: Mapping[str, Act] = {
    "archive": Act(
        "documents.archived",
        {"archived": "document.archived_at IS NOT NULL"},
        "'{}'::jsonb",
        [f"UPDATE labeling_document SET archived_at = now() WHERE id IN ({_TOUCHED})"],
        [f"UPDATE labeling_document SET archived_at = NULL WHERE id IN ({_TOUCHED}) AND erased_at IS NULL"],
    ),
    "restore": Act(
        "documents.restored",
        {"erased": "document.erased_at IS NOT NULL", "not_archived": "document.archived_at IS NULL"},
        "jsonb_build_object('archived', document.archived_at)",
        [f"UPDATE labeling_document SET archived_at = NULL WHERE id IN ({_TOUCHED})"],
        [
            "UPDATE labeling_document AS document SET archived_at = (changed.before->>'archived')::timestamptz"
            f" {_CHANGED} AND document.id = changed.document_id AND document.archived_at IS NULL"
        ],
    ),
    "review": Act(
        "documents.set_to_review",
        {
            "archived": "document.archived_at IS NOT NULL",
            "to_review": "document.status = 'submitted'",
            "nobody_submitted": f"NOT EXISTS ({_SUBMITTED})",
        },
        f"jsonb_build_object('status', document.status, 'gold', {_GOLD})",
        [
            f"UPDATE labeling_annotation SET accepted = false WHERE accepted AND document_id IN ({_TOUCHED})",
            f"UPDATE labeling_document SET status = 'submitted' WHERE id IN ({_TOUCHED})",
        ],
        [
            "UPDATE labeling_annotation AS annotation SET accepted = true,"
            " accepted_at = (changed.before->'gold'->>'at')::timestamptz,"
            f" accepted_by_id = (changed.before->'gold'->>'by')::bigint {_CHANGED}"
            " AND annotation.id = (changed.before->'gold'->>'id')::bigint",
            "UPDATE labeling_document AS document SET status = changed.before->>'status'"
            f" {_CHANGED} AND document.id = changed.document_id",
        ],
        lost=f"SELECT document.id FROM labeling_document AS document, ({_TOUCHED}) AS touched"
        " WHERE document.id = touched.document_id AND document.status <> 'submitted' ORDER BY document.id LIMIT 20",
    ),
    "assign": Act(
        "documents.assigned",
        {
            "archived": "document.archived_at IS NOT NULL",
            "not_pending": "document.status <> 'pending'",
            "submitted_by_them": f"EXISTS ({_SUBMITTED} AND annotator_id = %(person)s)",
            "taken": _FULL,
        },
        f"jsonb_build_object('lease', {_LEASE})",
        [
            "INSERT INTO labeling_assignment AS lease"
            " (document_id, annotator_id, expires_at, skipped_at, skip_reason, created_at)"
            " SELECT document_id, %(person)s, now() + make_interval(days => %(days)s), NULL, '', now()"
            f" FROM ({_TOUCHED}) AS touched ORDER BY document_id"
            " ON CONFLICT (document_id, annotator_id) DO UPDATE SET skipped_at = NULL, skip_reason = '',"
            " expires_at = greatest(lease.expires_at, excluded.expires_at)"
        ],
        [  # what the person has begun stays theirs
            f"DELETE FROM labeling_assignment AS lease USING ({_TOUCHED} AND before->'lease' = 'null') AS touched"
            " WHERE lease.document_id = touched.document_id AND lease.annotator_id = %(person)s AND NOT EXISTS"
            " (SELECT FROM labeling_annotation AS own WHERE own.document_id = lease.document_id"
            " AND own.annotator_id = lease.annotator_id)",
            "UPDATE labeling_assignment AS lease SET expires_at = (changed.before->'lease'->>'expires')::timestamptz,"
            " skipped_at = (changed.before->'lease'->>'skipped')::timestamptz,"
            f" skip_reason = changed.before->'lease'->>'reason' {_CHANGED} AND changed.before->'lease' <> 'null'"
            " AND lease.document_id = changed.document_id AND lease.annotator_id = %(person)s",
        ],
    ),
}


@dataclass(frozen=True)
class Order:
    """What is asked for: an act on documents by number, or on all that filters match; for `assign`, to whom."""

    act: str
    documents: Sequence[int] | None = None
    filters: Mapping[str, Any] | None = None
    person: str = ""
    days: int = DAYS


def preview(project: Project, user: Person, order: Order) -> dict[str, Any]:
    """What it would do: `{act, documents, by_status, left_out: {reason: count}, matching, at_work, sample}`.

    `at_work` counts those that somebody else holds at this moment. Changes nothing.
    """
    what, values = _meant(project, order)
    with transaction.atomic(), connection.cursor() as cursor:
        _select(project, user, order)
        cursor.execute(
            f"SELECT ({_why(what)}) AS why, document.status, count(*) FROM labeling_document AS document"
            " JOIN selected ON selected.id = document.id GROUP BY 1, 2 ORDER BY 1, 2",
            values,
        )
        counted = cursor.fetchall()
        cursor.execute(
            "SELECT document.id, document.key, left(document.text, 160), document.status"
            " FROM labeling_document AS document JOIN selected ON selected.id = document.id"
            f" WHERE ({_why(what)}) IS NULL ORDER BY document.id LIMIT {SAMPLE}",
            values,
        )
        sample = [dict(zip(("id", "key", "text", "status"), row, strict=True)) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT count(DISTINCT lease.document_id) FROM labeling_assignment AS lease"
            " JOIN selected ON selected.id = lease.document_id WHERE lease.skipped_at IS NULL"
            " AND lease.expires_at > now() AND lease.annotator_id IS DISTINCT FROM %(person)s"
            " AND NOT EXISTS (SELECT FROM labeling_annotation AS own WHERE own.document_id = lease.document_id"
            " AND own.annotator_id = lease.annotator_id AND own.state = 'submitted')",
            values,
        )
        (at_work,) = cursor.fetchone()
        cursor.execute("DROP TABLE selected")
    left_out: dict[str, int] = {}
    for why, _, count in counted:
        if why is not None:
            left_out[why] = left_out.get(why, 0) + count
    by_status = {status: count for why, status, count in counted if why is None}
    return {
        "act": order.act,
        "documents": sum(by_status.values()),
        "by_status": by_status,
        "left_out": left_out,
        "matching": sum(count for *_, count in counted),
        "at_work": at_work,
        "sample": sample,
    }


def act(project: Project, user: Person, order: Order, *, expected: int | None = None) -> Change | Job:
    """Do it: at once where it touches at most `AT_ONCE`, else as a job.

    `expected` is the number that a preview told; raises `Conflict` if it is another one by now.
    """
    touched = preview(project, user, order)["documents"] if expected is None else expected
    if touched <= AT_ONCE:
        return _carry_out(project, user, order, expected=expected)
    params = {
        "act": order.act,
        "documents": list(order.documents) if order.documents is not None else None,
        "filters": dict(order.filters) if order.filters is not None else None,
        "person": order.person,
        "days": order.days,
        "expected": expected,
    }
    return jobs.enqueue("bulk", project=project, user=user, params=params)


def run(job: Job) -> Generator[jobs.Step, None, dict[str, Any]]:
    """The handler: one transaction, so all or nothing; its result is `{change, documents}`."""
    assert job.project is not None
    assert job.created_by is not None
    order = Order(**{name: value for name, value in job.params.items() if name != "expected"})
    yield jobs.Step(0, job.params["expected"])
    if job.cursor is None:
        with transaction.atomic():
            change = _carry_out(job.project, job.created_by, order, expected=job.params["expected"])
            counted = change.data["documents"]
            jobs.checkpoint(job, cursor={"change": change.pk, "documents": counted}, done=counted)
    yield jobs.Step(job.cursor["documents"], job.cursor["documents"])
    return dict(job.cursor)


@transaction.atomic
def _carry_out(project: Project, user: Person, order: Order, *, expected: int | None) -> Change:
    what, values = _meant(project, order)
    data: dict[str, Any] = {"person": order.person} if order.act == "assign" else {}
    if order.filters is not None:
        data["filters"] = dict(selection.read(order.filters).filters)
    change = Change.objects.create(project=project, kind=what.kind, data=data, created_by_id=user.pk)
    values["change"] = change.pk
    with connection.cursor() as cursor:
        _select(project, user, order)
        # Locked in the order of their numbers, as everywhere; what was decided meanwhile counts.
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM labeling_document AS document JOIN selected ON selected.id = document.id"
            " ORDER BY document.id FOR NO KEY UPDATE OF document) AS locked"
        )
        cursor.execute(
            "INSERT INTO datasets_app_changeddocument (change_id, document_id, before)"
            f" SELECT %(change)s, document.id, {what.before} FROM labeling_document AS document"
            f" JOIN selected ON selected.id = document.id WHERE ({_why(what)}) IS NULL ORDER BY document.id",
            values,
        )
        touched = cursor.rowcount
        cursor.execute("DROP TABLE selected")
        if expected is not None and touched != expected:
            raise Conflict(
                f"{touched} documents would be touched by now, not {expected}; look again before you do it.",
                code="changed_meanwhile",
                details={"expected": expected, "documents": touched},
            )
        for statement in what.statements:
            cursor.execute(statement, values)
    change.data["documents"] = touched
    change.save(update_fields=["data"])
    tallies.forget(project)
    record(project, user, what.kind, data={"change": change.pk, **change.data})
    return change


def undo(change: Change) -> None:
    """Take an act back; raises `Conflict` where somebody has decided about one of its documents since."""
    what = next(each for each in ACTS.values() if each.kind == change.kind)
    values = {"change": change.pk, "person": _person(change.project, change.data.get("person", ""), member=False)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        if what.lost:
            cursor.execute(what.lost, values)
            if decided := [document for (document,) in cursor.fetchall()]:
                raise Conflict(
                    f"Documents {', '.join(map(str, decided))} were decided on since; undoing would lose that.",
                    code="changed_since",
                    details={"documents": decided},
                )
        for statement in what.undoing:
            cursor.execute(statement, values)
    tallies.forget(change.project)


KINDS = frozenset(each.kind for each in ACTS.values())


def _meant(project: Project, order: Order) -> tuple[Act, dict[str, Any]]:
    """The act, and the values that its statements need; raises `Invalid` for what cannot be meant."""
    found = ACTS[one_of("act", order.act, ACTS)]
    if (order.documents is None) == (order.filters is None):
        raise Invalid("Give either documents, by their numbers, or the filters that match them.")
    if order.act == "assign" and not order.person:
        raise Invalid("Say to whom: give person, the name of a member.", details={"field": "person"})
    person = _person(project, order.person, member=True) if order.act == "assign" else None
    return found, {"person": person, "overlap": project.overlap, "days": order.days}


def _person(project: Project, name: str, *, member: bool) -> int | None:
    people = User.objects.filter(pk__in=members_of(project).values("user_id")) if member else User.objects.all()
    found = people.filter(username=name).values_list("pk", flat=True).first()
    if found is None and member:
        raise Invalid(f"{name!r} is not a member of this project.", details={"field": "person", "value": name})
    return found


def _select(project: Project, user: Person, order: Order) -> None:
    """The documents meant, as the temporary table `selected`; those of other projects are none of them."""
    if order.documents is not None:
        query = documents_in(project).filter(pk__in=list(order.documents))
    else:
        query = selection.documents_of(project, user, selection.read(order.filters or {}))
    sql, params = query.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE selected ON COMMIT DROP AS SELECT id FROM ({sql}) AS meant (id)", params
        )
        cursor.execute("ANALYZE selected")


def _why(act: Act) -> str:
    """An expression: the first reason for which a document is left out, or null."""
    return "CASE " + " ".join(f"WHEN {condition} THEN '{why}'" for why, condition in act.left_out.items()) + " END"
