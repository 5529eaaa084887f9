"""Held tasks whose approval has been decided: a lower app does not call upward, so we look."""

from uuid import UUID

from django.db import connection, transaction

from autonomy.domain.states import State
from autonomy.tasks.services import Ending, settle

BATCH = 500

# The latest approval of each held task speaks for it.
_ANSWERED = """
SELECT t.id, t.epoch, a.decision, coalesce(u.username, ''), a.comment
FROM tasks_task t
JOIN LATERAL (
    SELECT decision, decided_by_id, comment FROM firewall_approval
    WHERE task_id = t.id ORDER BY created_at DESC, id DESC LIMIT 1
) a ON a.decision <> 'pending'
LEFT JOIN auth_user u ON u.id = a.decided_by_id
WHERE t.state = 'held'
ORDER BY t.id LIMIT %s FOR NO KEY UPDATE OF t SKIP LOCKED
"""


@transaction.atomic
def hear_answers() -> int:
    """Move held tasks on: approved → ready, rejected and expired end, void → asked again."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [BATCH])
        rows = cursor.fetchall()
    return len(settle([_ending(*row) for row in rows]))


def _ending(task_id: UUID, epoch: int, decision: str, by: str, comment: str) -> Ending:
    match decision:
        case "approved":
            state, reason = State.READY, f"approved by {by}"
        case "rejected":
            state, reason = State.REJECTED, f"rejected by {by}: {comment}"
        case "expired":
            state, reason = State.EXPIRED, "nobody decided in time, and silence is no"
        case _:
            state, reason = State.PREFLIGHT, "what was to be approved changed"
    return Ending(task_id, epoch, None, state, reason=reason)
