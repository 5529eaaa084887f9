"""What waits to run alone and no longer may: it goes back, to be planned or asked about (D-19)."""

from uuid import UUID

from django.db import connection, transaction

from firewall.domain.levels import Level
from firewall.selectors import level
from ledger.services import Fact, record

BATCH = 500

# Below full, tier 1 is planned before it runs, where its skill can. At ask and below, tier 2 goes
# through its pre-flight again, after which the node asks a person. What a person approved stays.
_BACK = """
WITH back AS (
    SELECT t.id FROM tasks_task t
    WHERE t.state = 'ready' AND t.node = '' AND t.run_at <= statement_timestamp() AND CASE t.tier
        WHEN 1 THEN t.plan IS NULL AND EXISTS (
            SELECT FROM systemmap_component c WHERE c.kind = 'skill' AND c.name = t.skill
              AND c.declaration->>'has_preflight' = 'true')
        WHEN 2 THEN %(ask)s AND NOT EXISTS (
            SELECT FROM firewall_approval a WHERE a.task_id = t.id
              AND a.decision = 'approved' AND a.expires_at > now())
        ELSE false END
    ORDER BY t.id LIMIT %(limit)s FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE tasks_task t SET state = 'preflight', epoch = t.epoch + 1, plan = NULL
FROM back WHERE back.id = t.id
RETURNING t.id
"""


def keep_within_level() -> int:
    """Send back what the level in force does not let run as it stands; how many that were.

    One statement while everything may run, and while next to nothing may.
    """
    in_force = level()
    if in_force in (Level.FULL, Level.OBSERVE, Level.OFF):
        return 0
    return _send_back(in_force)


@transaction.atomic
def _send_back(in_force: Level) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_BACK, {"ask": in_force is Level.ASK, "limit": BATCH})
        moved = [task_id for (task_id,) in cursor.fetchall()]
    if moved:
        record(*(_fact(task_id, in_force) for task_id in moved))
    return len(moved)


def _fact(task_id: UUID, in_force: Level) -> Fact:
    return Fact(
        type="task_sent_back",
        stream="task",
        stream_id=str(task_id),
        actor="engine",
        payload={"state": "preflight", "level": in_force},
    )
