"""What sessions spend: counted so that no sum ever passes its limit (C-15).

Whoever pays for a session (the gateway) counts first and pays then. What does not fit is not
counted: the session is marked with the limit, and its supervisor ends it.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Sum

from autonomy.domain.amounts import BadAmount
from autonomy.domain.amounts import dollars as sum_of
from autonomy.tasks.models import Session, Task
from autonomy.tasks.services.effects import StaleWrite, record_stale

MOST_TOKENS = 10**12
"""More than this at once is a mistake of whoever counts."""


class BadSpending(ValueError):
    """An amount that cannot be counted: negative, no number, or finer than a microdollar."""


class LimitReached(Exception):
    """The session may not spend that much; nothing was counted."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"the session may not spend more {limit}")
        self.limit = limit


@dataclass(frozen=True)
class Spent:
    """All that a session has spent so far."""

    tokens: int
    dollars: Decimal


_TOKENS_FIT = "s.tokens + %(tokens)s::bigint <= coalesce((s.limits->>'tokens')::bigint, 0)"
_DOLLARS_FIT = "s.dollars + %(dollars)s::numeric <= coalesce((s.limits->>'dollars')::numeric, 0)"
_FITS = f"s.crossed = '' AND {_TOKENS_FIT} AND {_DOLLARS_FIT}"

# One row and nothing but its own columns, so that callers take turns at its lock and each counts on
# what is there by then. A session is open as long as its epoch is the task's: what ends the one
# ends the other. That its lease has not run out is asked too: nobody may have noticed it yet.
_SPEND = f"""
UPDATE tasks_session s SET
    tokens = s.tokens + CASE WHEN {_FITS} THEN %(tokens)s::bigint ELSE 0 END,
    dollars = s.dollars + CASE WHEN {_FITS} THEN %(dollars)s::numeric ELSE 0 END,
    crossed = CASE WHEN s.crossed <> '' THEN s.crossed WHEN NOT {_TOKENS_FIT} THEN 'tokens'
                   WHEN NOT {_DOLLARS_FIT} THEN 'dollars' ELSE '' END
WHERE s.id = %(session)s AND s.epoch = %(epoch)s AND s.ended = ''
  AND EXISTS (SELECT 1 FROM tasks_task t WHERE t.id = s.task_id AND t.session_id = s.id
              AND t.epoch = s.epoch AND t.lease_until > now())
RETURNING s.crossed, s.tokens, s.dollars
"""  # noqa: S608 -- ours


def spend(session_id: UUID, epoch: int, *, tokens: int, dollars: Decimal) -> Spent:
    """Count what a session is about to spend; answers the sums with it.

    Raises LimitReached, StaleWrite where the session is over or fenced off, and BadSpending.
    """
    given = {"session": session_id, "epoch": epoch, **_checked(tokens, dollars)}
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, given)
        row = cursor.fetchone()
    if row is None:
        raise _stale(session_id, epoch)
    crossed, *sums = row
    if crossed:
        raise LimitReached(crossed)
    return Spent(*sums)


def with_spending(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """The tasks with what all their attempts have spent, for `spent_by`."""
    of_task = Session.objects.filter(task=OuterRef("pk")).order_by().values("task")
    return tasks.annotate(
        spent_tokens=Subquery(of_task.annotate(n=Sum("tokens")).values("n")),
        spent_dollars=Subquery(of_task.annotate(n=Sum("dollars")).values("n")),
    )


def spent_by(task: Task) -> Spent:
    """What all attempts of a task have spent; it comes from `with_spending`."""
    found = vars(task)
    return Spent(int(found["spent_tokens"] or 0), found["spent_dollars"] or Decimal(0))


def _checked(tokens: int, dollars: Decimal) -> dict[str, int | Decimal]:
    if type(tokens) is not int or not 0 <= tokens <= MOST_TOKENS:
        raise BadSpending(f"{tokens!r} is not a number of tokens")
    try:
        return {"tokens": tokens, "dollars": sum_of(dollars)}
    except BadAmount as error:
        raise BadSpending(str(error)) from None


def _stale(session_id: UUID, epoch: int) -> StaleWrite:
    task_id = Session.objects.filter(id=session_id).values_list("task_id", flat=True).first()
    if task_id is not None:
        record_stale(task_id, epoch, session_id, what="spending")
    return StaleWrite(f"session {session_id} is not open at epoch {epoch}")
