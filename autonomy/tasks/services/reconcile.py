"""Finding what fell between: unclaimed tasks, leases that ran out, passed deadlines (C-5).

Any number of processes may sweep at once: each row is taken with SKIP LOCKED.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from autonomy.domain.retry import GiveUp, Hold, Retry, RetryPolicy, after
from autonomy.domain.states import ErrorClass, HeldFor, State
from autonomy.sdk.skill import Retries
from autonomy.tasks.services.asking import lost_request
from autonomy.tasks.services.effects import unknown_fate
from autonomy.tasks.services.sessions import SessionEnd
from autonomy.tasks.services.settle import Ending, hold, settle
from autonomy.tasks.services.verifying import left_behind
from firewall import services as firewall
from ledger.services import Fact, record

BATCH = 200

# A row waits for its node only while the node lives, has a free slot and has had time to look.
_UNCLAIMED = """
WITH stale AS (
    SELECT t.id, t.node FROM tasks_task t
    LEFT JOIN systemmap_node n ON n.name = t.node
    WHERE t.state IN ('dispatched', 'preflight') AND t.node <> '' AND t.lease_until IS NULL
      AND (n.incarnation IS NULL OR n.paused OR n.draining OR n.seen_at < now() - interval '15 s'
           OR (t.dispatched_at < now() - interval '30 s' AND n.slots > (
               SELECT count(*) FROM tasks_task b WHERE b.node = n.name AND b.lease_until > now()
                 AND b.state IN ('preflight', 'running', 'verifying')
                 AND NOT (b.state = 'verifying' AND b.run_at > now()))))
    ORDER BY t.id LIMIT %(limit)s FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE tasks_task t SET
    state = CASE t.state WHEN 'dispatched' THEN 'ready' ELSE t.state END,
    node = '', epoch = t.epoch + 1
FROM stale WHERE t.id = stale.id
RETURNING t.id, stale.node
"""

_LEASE_LOST = """
SELECT t.id, t.epoch, t.session_id, t.state, t.node, t.attempt, t.max_attempts,
       t.cancel_requested_at, coalesce(c.declaration->'retries', '{}'::jsonb)
FROM tasks_task t
LEFT JOIN systemmap_component c ON c.kind = 'skill' AND c.name = t.skill
WHERE t.lease_until < now()
ORDER BY t.id LIMIT %(limit)s FOR NO KEY UPDATE OF t SKIP LOCKED
"""

# The rows are locked.
_RELEASE = """
UPDATE tasks_task SET lease_until = NULL, epoch = epoch + 1 WHERE id = ANY(%(tasks)s)
"""

_LATE = """
SELECT t.id, t.epoch FROM tasks_task t
WHERE t.deadline < now() AND t.lease_until IS NULL
  AND t.state IN ('blocked', 'preflight', 'held', 'ready', 'dispatched')
ORDER BY t.id LIMIT %(limit)s FOR NO KEY UPDATE OF t SKIP LOCKED
"""


class _Lost(NamedTuple):
    task_id: UUID
    epoch: int
    session_id: UUID
    state: str
    node: str
    attempt: int
    max_attempts: int
    cancel_requested_at: datetime | None
    retries: str  # JSON


def reconcile() -> int:
    """One sweep, each part in a transaction of its own; answers how many rows it moved."""
    return (
        redispatch_unclaimed() + end_lost_sessions() + end_late_tasks() + firewall.expire_due(BATCH)
    )


@transaction.atomic
def redispatch_unclaimed() -> int:
    """Give tasks back to the engine that their node did not take."""
    rows = _rows(_UNCLAIMED)
    if rows:
        record(*(_unclaimed(task_id, node) for task_id, node in rows))
    return len(rows)


@transaction.atomic
def end_lost_sessions() -> int:
    """Retry or end tasks whose lease ran out: whoever held them is fenced off from here on.

    Where only the look for evidence was lost, it is looked for again; nothing is run again.
    """
    lost = [_Lost(*row) for row in _rows(_LEASE_LOST)]
    looked_for = [row for row in lost if _only_its_verifier(row)]
    _release(looked_for)
    endings = _endings([row for row in lost if row not in looked_for])
    for ending in [ending for ending in endings if ending.state is State.HELD]:
        hold(ending, lost_request(ending))
    rest = [ending for ending in endings if ending.state is not State.HELD]
    return len(lost) - len(rest) + len(settle(rest))


@transaction.atomic
def end_late_tasks() -> int:
    """End tasks that did not start before their deadline."""
    late = [
        Ending(
            task_id, epoch, None, State.EXPIRED, reason="its deadline passed before it could run"
        )
        for task_id, epoch in _rows(_LATE)
    ]
    return len(settle(late))


def after_failure(
    error: ErrorClass, *, state: str, attempt: int, policy: RetryPolicy, reason: str
) -> dict[str, Any]:
    """The next state after a failed attempt, as fields of an Ending (C-7)."""
    chance = random.random()  # noqa: S311 -- jitter, not a secret
    fields: dict[str, Any] = {"reason": reason, "error_class": error}
    match after(error, attempt, policy, chance=chance):
        case Retry(delay_seconds=delay):
            again = State.PREFLIGHT if state == State.PREFLIGHT else State.READY
            return {**fields, "state": again, "delay_seconds": delay}
        case Hold(reason=words) if state != State.PREFLIGHT:
            return {
                **fields,
                "state": State.HELD,
                "reason": f"{HeldFor.EXHAUSTED}: {reason} ({words})",
            }
        case Hold(reason=words) | GiveUp(reason=words):
            return {**fields, "state": State.FAILED, "reason": f"{reason} ({words})"}


def _only_its_verifier(row: _Lost) -> bool:
    return row.state == State.VERIFYING and row.cancel_requested_at is None


def _release(rows: Sequence[_Lost]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"tasks": [row.task_id for row in rows]})
    record(*(left_behind(row.task_id, row.node) for row in rows))


def _endings(rows: Sequence[_Lost]) -> list[Ending]:
    """What becomes of lost sessions: one that may have had an effect is left to a person (C-3)."""
    endings = [_lost(row) for row in rows]
    fates = unknown_fate([e.task_id for e in endings if e.state is State.FAILED])
    return [_left_to_a_person(e, fates[e.task_id]) if e.task_id in fates else e for e in endings]


def _left_to_a_person(ending: Ending, fate: str) -> Ending:
    words = f"{HeldFor.AMBIGUOUS}: {fate}; {ending.reason}"
    return replace(ending, state=State.HELD, reason=words)


def _lost(row: _Lost) -> Ending:
    words = f"lost on {row.node}: its lease ran out"
    if row.cancel_requested_at is not None:
        fields: dict[str, Any] = {"state": State.CANCELLED, "reason": words}
    else:
        policy = Retries(**{**json.loads(row.retries), "max_attempts": row.max_attempts})
        fields = after_failure(
            ErrorClass.LOST, state=row.state, attempt=row.attempt, policy=policy, reason=words
        )
    end = SessionEnd(ended="lost", error_class=ErrorClass.LOST, error=words)
    return Ending(row.task_id, row.epoch, row.session_id, session=end, **fields)


def _rows(statement: str) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"limit": BATCH})
        return list(cursor.fetchall())


def _unclaimed(task_id: UUID, node: str) -> Fact:
    return Fact(
        type="dispatch_withdrawn",
        stream="task",
        stream_id=str(task_id),
        actor="reconciler",
        payload={"node": node, "reason": "the node did not take it"},
    )
