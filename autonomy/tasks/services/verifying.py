"""Looking for evidence again, here or on another node, until the verifier's deadline (C-20).

The deadline and the moment of the next look are the database's. A verification whose node is lost
is released, with a higher epoch, and taken on: what the session did is not done again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from autonomy.tasks.services.effects import StaleWrite, record_stale
from ledger.domain.storable import json_text
from ledger.services import Fact, record

DEFAULT_SECONDS = 120.0
"""The deadline of a task whose session ended before deadlines were kept."""

LEASE_SECONDS = 30


@dataclass(frozen=True)
class Again:
    """When to look again, and how long it has been looked for. Seconds."""

    pause_seconds: float
    waited_seconds: float


@dataclass(frozen=True)
class Adopted:
    """A verification that this node now holds the lease of."""

    task_id: UUID
    epoch: int
    session_id: UUID
    started_at: datetime
    ran_seconds: float
    waited_seconds: float
    left_by: str


_LOOK_AGAIN = """
WITH mine AS (
    SELECT t.id, t.verify_until > now() AS open FROM tasks_task t
    WHERE t.id = %(task)s AND t.epoch = %(epoch)s AND t.session_id = %(session)s
      AND t.state = 'verifying'
    FOR NO KEY UPDATE
), again AS (
    UPDATE tasks_task t SET
        evidence = %(evidence)s::jsonb,
        run_at = least(now() + make_interval(secs => %(pause)s), t.verify_until)
    FROM mine WHERE t.id = mine.id AND mine.open
    RETURNING extract(epoch FROM t.run_at - now())::float8,
              extract(epoch FROM now() - t.verifying_since)::float8
)
SELECT again.* FROM mine LEFT JOIN again ON true
"""

_RELEASE = """
UPDATE tasks_task SET lease_until = NULL, epoch = epoch + 1
WHERE node = %(node)s AND state = 'verifying' AND lease_until IS NOT NULL
  AND cancel_requested_at IS NULL
RETURNING id
"""

# A verification is light and read-only: it needs no free slot, only a node that is still the one
# it says it is.
_ADOPT = """
WITH me AS (
    SELECT FROM systemmap_node WHERE name = %(node)s AND incarnation = %(incarnation)s
), free AS (
    SELECT t.id, t.node FROM tasks_task t
    WHERE t.id = ANY(%(tasks)s::uuid[]) AND t.state = 'verifying' AND t.lease_until IS NULL
      AND t.cancel_requested_at IS NULL AND EXISTS (SELECT FROM me)
    ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE tasks_task t SET
    node = %(node)s,
    lease_until = now() + make_interval(secs => %(lease)s),
    verifying_since = coalesce(t.verifying_since, now()),
    verify_until = coalesce(t.verify_until, now() + make_interval(secs => %(within)s))
FROM free WHERE t.id = free.id
RETURNING t.id, t.epoch, t.session_id, t.started_at,
    extract(epoch FROM t.verifying_since - t.started_at)::float8,
    extract(epoch FROM now() - t.verifying_since)::float8, free.node
"""


def look_again(
    task_id: UUID, epoch: int, session_id: UUID, *, evidence: Any, pause_seconds: float
) -> Again | None:
    """Keep the evidence so far and look again later; None when the deadline is over.

    Raises StaleWrite when the task is no longer this node's.
    """
    given = {"task": task_id, "epoch": epoch, "session": session_id, "pause": pause_seconds}
    rows = _rows(_LOOK_AGAIN, {**given, "evidence": json_text(evidence)})
    if not rows:
        record_stale(task_id, epoch, session_id, what="look")
        raise StaleWrite(f"task {task_id} is no longer held at epoch {epoch}")
    pause, waited = rows[0]
    return None if pause is None else Again(pause, waited)


@transaction.atomic
def release(node: str) -> int:
    """Give up every verification that an earlier life of this node held."""
    released = [task_id for (task_id,) in _rows(_RELEASE, {"node": node})]
    if released:
        record(*(left_behind(task_id, node) for task_id in released))
    return len(released)


@transaction.atomic
def adopt(node: str, incarnation: UUID, task_ids: Sequence[UUID]) -> list[Adopted]:
    """Take on verifications that nobody holds."""
    given = {"node": node, "incarnation": incarnation, "tasks": list(task_ids)}
    bounds = {"lease": LEASE_SECONDS, "within": DEFAULT_SECONDS}
    taken = [Adopted(*row) for row in _rows(_ADOPT, {**given, **bounds})]
    if taken:
        record(*(_adopted(node, one) for one in taken))
    return taken


def left_behind(task_id: UUID, node: str) -> Fact:
    """Nobody looks for this task's evidence any more, and somebody has to."""
    return Fact(
        type="verification_left",
        stream="task",
        stream_id=str(task_id),
        actor="reconciler",
        payload={"node": node},
    )


def _adopted(node: str, taken: Adopted) -> Fact:
    return Fact(
        type="verification_resumed",
        stream="task",
        stream_id=str(taken.task_id),
        actor=f"node:{node}",
        payload={"epoch": taken.epoch, "left_by": taken.left_by, "session": str(taken.session_id)},
    )


def _rows(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
