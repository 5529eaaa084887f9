"""Sessions that ended without error: what they left is kept, and evidence is looked for (C-19)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from autonomy.domain.states import State
from autonomy.tasks.models import Task
from autonomy.tasks.services.effects import record_stale
from autonomy.tasks.services.sessions import SessionEnd, close_sessions
from autonomy.tasks.services.verifying import DEFAULT_SECONDS
from ledger.domain.storable import json_text
from ledger.services import Fact, record


@dataclass(frozen=True)
class Left:
    """What a session left, and the lease under which it did."""

    task_id: UUID
    epoch: int
    session_id: UUID
    result: Any
    session: SessionEnd
    within_seconds: float = DEFAULT_SECONDS
    """How long its verifier may look, from now on."""


_AWAIT = """
WITH given AS (
    SELECT * FROM unnest(%(tasks)s::uuid[], %(epochs)s::int[], %(sessions)s::uuid[],
        %(results)s::text[], %(within)s::float8[])
        AS g(task_id, epoch, session_id, result, within)
), locked AS (
    SELECT t.id, given.result, given.within FROM tasks_task t JOIN given ON given.task_id = t.id
      AND given.epoch = t.epoch AND given.session_id = t.session_id
    WHERE t.state = 'running' ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET
    state = 'verifying', result = locked.result::jsonb, evidence = NULL, verifying_since = now(),
    verify_until = now() + make_interval(secs => locked.within)
FROM locked WHERE t.id = locked.id
RETURNING t.session_id
"""


def await_evidence(
    task_id: UUID, epoch: int, session_id: UUID, *, result: Any, session: SessionEnd
) -> bool:
    """The same for one session; whether its evidence is looked for."""
    left = Left(task_id, epoch, session_id, result, session)
    return session_id in await_evidence_of([left])


@transaction.atomic
def await_evidence_of(left: Sequence[Left]) -> frozenset[UUID]:
    """Keep what the sessions left; answers those whose evidence is looked for now.

    The others came too late, which is recorded.
    """
    moved = _moved(left)
    fresh = [item for item in left if item.session_id in moved]
    if fresh:
        close_sessions([(item.session_id, item.task_id, item.session) for item in fresh])
        record(*map(_fact, fresh))
    again = {item.session_id for item in left if item.session_id not in moved and _awaits(item)}
    return frozenset(moved | again)


def _moved(left: Sequence[Left]) -> set[UUID]:
    given: dict[str, Any] = {
        "tasks": [item.task_id for item in left],
        "epochs": [item.epoch for item in left],
        "sessions": [item.session_id for item in left],
        "results": [json_text(item.result) for item in left],
        "within": [item.within_seconds for item in left],
    }
    with connection.cursor() as cursor:
        cursor.execute(_AWAIT, given)
        return {session_id for (session_id,) in cursor.fetchall()}


def _awaits(left: Left) -> bool:
    """Whether it was written before, by a commit whose answer was lost; else it is too late."""
    written = Task.objects.filter(
        id=left.task_id, epoch=left.epoch, session_id=left.session_id, state=State.VERIFYING
    ).exists()
    if not written:
        record_stale(left.task_id, left.epoch, left.session_id, what="result")
    return written


def _fact(left: Left) -> Fact:
    kept = {"ended": left.session.ended, "artifacts": len(left.session.artifacts)}
    return Fact(
        type="session_ended",
        stream="task",
        stream_id=str(left.task_id),
        actor=f"session:{left.session_id}",
        payload={"epoch": left.epoch, **kept},
        quiet=True,
    )
