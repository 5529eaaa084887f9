"""Claiming by compare-and-set, and keeping the lease (C-4).

Time is the database's. A node proves who it is by its incarnation: after a restart, or after
another process took its name, what the old one still sends changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from autonomy.domain.states import State
from autonomy.tasks.services.settle import Ending, settle
from firewall import selectors
from firewall import services as firewall
from ledger.services import Fact, record

LEASE_SECONDS = 30
MOST_REFUSALS = 5
"""So often is a person asked again about a task that changes after each approval."""


@dataclass(frozen=True)
class Claim:
    """What a node is about to run: the exact task, fence, code and action."""

    task_id: UUID
    epoch: int
    session_id: UUID
    version: str
    action_digest: str
    needs_approval: bool
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claimed:
    """A task this node now holds the lease of."""

    task_id: UUID
    session_id: UUID
    epoch: int
    attempt: int
    purpose: str  # run or preflight
    started_at: datetime


# The autonomy level is read in the same statement (D-19, F-11): 4 is full, 3 careful, 2 ask,
# 1 observe; off, or no row, lets nothing start. It is standing_in_the_way() of the engine in SQL.
# The row is taken only as it was offered, an approval is consumed by the statement that takes the
# row it allows, and the slots of the node are counted under its own row lock.
_CLAIM = """
WITH me AS (
    SELECT n.slots FROM systemmap_node n
    WHERE n.name = %(node)s AND n.incarnation = %(incarnation)s AND NOT n.paused
    FOR NO KEY UPDATE
), busy AS (
    SELECT count(*) AS n FROM tasks_task t
    WHERE t.node = %(node)s AND t.lease_until > now()
      AND t.state IN ('preflight', 'running', 'verifying')
      AND NOT (t.state = 'verifying' AND t.run_at > now())  -- waits for its next look
), want AS (
    SELECT * FROM unnest(
        %(tasks)s::uuid[], %(epochs)s::int[], %(sessions)s::uuid[], %(versions)s::text[],
        %(digests)s::text[], %(approvals)s::bool[], %(limits)s::jsonb[]
    ) AS w(task_id, epoch, session_id, version, digest, needs_approval, limits)
), fit AS (
    SELECT w.* FROM want w JOIN tasks_task t ON t.id = w.task_id
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(c.paused), false) AS paused,
               coalesce(bool_or(c.declaration->>'has_preflight' = 'true'), false) AS has_preflight
        FROM systemmap_component c WHERE c.kind = 'skill' AND c.name = t.skill
    ) skill
    WHERE t.epoch = w.epoch AND t.node = %(node)s AND t.lease_until IS NULL
      AND t.state IN ('dispatched', 'preflight') AND t.cancel_requested_at IS NULL
      AND (NOT w.needs_approval OR EXISTS (
          SELECT 1 FROM firewall_approval a
          WHERE a.task_id = w.task_id AND a.action_digest = w.digest
            AND a.decision = 'approved' AND a.expires_at > now()))
      AND NOT skill.paused
      AND CASE (SELECT d.in_force FROM firewall_dial d)
          WHEN 4 THEN true
          WHEN 3 THEN t.state = 'preflight' OR w.needs_approval OR t.tier > 1
                      OR t.plan IS NOT NULL OR NOT skill.has_preflight
          WHEN 2 THEN t.state = 'preflight' OR w.needs_approval
                      OR t.tier = 1 AND (t.plan IS NOT NULL OR NOT skill.has_preflight)
          WHEN 1 THEN t.state = 'preflight'
          ELSE false END
    ORDER BY t.id
    LIMIT coalesce((SELECT greatest(0, me.slots - busy.n) FROM me, busy), 0)  -- NULL is no limit
    FOR NO KEY UPDATE OF t SKIP LOCKED
), taken AS (
    UPDATE tasks_task t SET
        state = CASE t.state WHEN 'dispatched' THEN 'running' ELSE t.state END,
        attempt = t.attempt + 1,
        session_id = fit.session_id,
        action_digest = fit.digest,
        lease_until = now() + make_interval(secs => %(lease)s),
        started_at = now()
    FROM fit WHERE t.id = fit.task_id
    RETURNING t.id, t.session_id, t.epoch, t.attempt, t.state, t.started_at, t.workspace_id,
              t.action_digest, fit.version, fit.needs_approval, fit.limits
), consumed AS (
    UPDATE firewall_approval a SET consumed_at = coalesce(a.consumed_at, now())
    FROM taken WHERE taken.needs_approval AND a.task_id = taken.id
      AND a.action_digest = taken.action_digest AND a.decision = 'approved'
), opened AS (
    INSERT INTO tasks_session (id, workspace_id, task_id, node, purpose, attempt, epoch, version,
        grants, limits, ended, error_class, error, output, started_at)
    SELECT session_id, workspace_id, id, %(node)s,
           CASE state WHEN 'running' THEN 'run' ELSE 'preflight' END,
           attempt, epoch, version, '{}', limits, '', '', '', '', now()
    FROM taken
)
SELECT id, session_id, epoch, attempt,
       CASE state WHEN 'running' THEN 'run' ELSE 'preflight' END, started_at
FROM taken
"""

_RENEW = """
WITH held AS (
    SELECT * FROM unnest(%(tasks)s::uuid[], %(epochs)s::int[], %(sessions)s::uuid[])
        AS h(task_id, epoch, session_id)
), locked AS (
    SELECT t.id FROM tasks_task t JOIN held ON held.task_id = t.id
      AND held.epoch = t.epoch AND held.session_id = t.session_id
    WHERE t.lease_until IS NOT NULL
    ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET lease_until = now() + make_interval(secs => %(lease)s)
FROM locked WHERE t.id = locked.id
RETURNING t.id, t.cancel_requested_at IS NOT NULL
"""

_REFUSE = """
UPDATE tasks_task SET state = 'preflight', epoch = epoch + 1, node = '', plan = NULL
WHERE id = %(task)s AND epoch = %(epoch)s AND state = 'dispatched' AND lease_until IS NULL
"""


_RAISE = """
UPDATE tasks_task SET
    tier = %(tier)s, state = 'preflight', epoch = epoch + 1, node = '', plan = NULL
WHERE id = %(task)s AND epoch = %(epoch)s AND tier < %(tier)s
  AND state IN ('dispatched', 'preflight') AND lease_until IS NULL
"""


@transaction.atomic
def claim(node: str, incarnation: UUID, claims: Sequence[Claim]) -> list[Claimed]:
    """Take what is still as it was offered, up to the free slots, in one statement."""
    parameters: dict[str, Any] = {
        "node": node,
        "incarnation": incarnation,
        "lease": LEASE_SECONDS,
        "tasks": [c.task_id for c in claims],
        "epochs": [c.epoch for c in claims],
        "sessions": [c.session_id for c in claims],
        "versions": [c.version for c in claims],
        "digests": [c.action_digest for c in claims],
        "approvals": [c.needs_approval for c in claims],
        "limits": [Jsonb(dict(c.limits)) for c in claims],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        taken = [Claimed(*row) for row in cursor.fetchall()]
    if taken:
        record(*(_claimed(node, claimed) for claimed in taken))
    return taken


def renew(held: Sequence[tuple[UUID, int, UUID]]) -> dict[UUID, bool]:
    """Renew the leases of (task, epoch, session); answers task → whether its end is asked for.

    A task that is missing in the answer is no longer ours: its session has to end at once.
    """
    if not held:
        return {}
    tasks, epochs, sessions = zip(*held, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _RENEW,
            {
                "tasks": list(tasks),
                "epochs": list(epochs),
                "sessions": list(sessions),
                "lease": LEASE_SECONDS,
            },
        )
        return dict(cursor.fetchall())


@transaction.atomic
def refuse(task_id: UUID, epoch: int, *, node: str, reason: str, digest: str) -> bool:
    """Send a task whose action is not the approved one back to pre-flight (F-3).

    One that has changed after each of many approvals fails: asking once more would not help.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REFUSE, {"task": task_id, "epoch": epoch})
        if not cursor.rowcount:
            return False
    firewall.void([task_id], reason)
    record(
        Fact(
            type="claim_refused",
            stream="task",
            stream_id=str(task_id),
            actor=f"node:{node}",
            payload={"reason": reason, "action_digest": digest},
        )
    )
    if selectors.taken_back(task_id) >= MOST_REFUSALS:
        words = f"refused after each of {MOST_REFUSALS} approvals, the last time because {reason}"
        settle([Ending(task_id, epoch + 1, None, State.FAILED, reason=words)])
    return True


@transaction.atomic
def raise_tier(task_id: UUID, epoch: int, tier: int, *, node: str) -> bool:
    """The skill is riskier now than when it was asked for: do first what the new tier asks."""
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, {"task": task_id, "epoch": epoch, "tier": tier})
        if not cursor.rowcount:
            return False
    record(
        Fact(
            type="task_tier_raised",
            stream="task",
            stream_id=str(task_id),
            actor=f"node:{node}",
            payload={"tier": tier},
        )
    )
    return True


def _claimed(node: str, claimed: Claimed) -> Fact:
    payload = {k: v for k, v in asdict(claimed).items() if k in ("epoch", "attempt", "purpose")}
    return Fact(
        type="session_started",
        stream="task",
        stream_id=str(claimed.task_id),
        actor=f"node:{node}",
        payload={**payload, "session": str(claimed.session_id)},
        quiet=True,
    )
