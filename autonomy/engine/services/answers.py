"""Held tasks whose approval has been decided: a lower app does not call upward, so we look."""

from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from autonomy.domain.states import HeldFor, State
from autonomy.tasks.services import Ending, forget_begun_effects, settle

BATCH = 500

# The latest approval of each held task speaks for it; a question that is open is the latest.
_ANSWERED = """
SELECT t.id, t.epoch, t.tier, t.reason, a.decision, coalesce(u.username, ''), a.comment
FROM tasks_task t
JOIN LATERAL (
    SELECT decision, decided_by_id, comment FROM firewall_approval
    WHERE task_id = t.id ORDER BY created_at DESC, id DESC LIMIT 1
) a ON true
LEFT JOIN auth_user u ON u.id = a.decided_by_id
WHERE t.state = 'held' AND NOT EXISTS (
    SELECT FROM firewall_approval open WHERE open.task_id = t.id AND open.decision = 'pending'
)
ORDER BY t.id LIMIT %s FOR NO KEY UPDATE OF t SKIP LOCKED
"""


class _Answer(NamedTuple):
    task_id: UUID
    epoch: int
    tier: int
    held_for: str
    decision: str
    by: str
    comment: str


@transaction.atomic
def hear_answers() -> int:
    """Move held tasks on: approved go on, rejected and expired end, void are asked again."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [BATCH])
        answers = [_Answer(*row) for row in cursor.fetchall()]
    again = [a.task_id for a in answers if a.decision == "approved" and not _of_action(a)]
    if again:
        forget_begun_effects(again)
    return len(settle([_ending(answer) for answer in answers]))


def _of_action(answer: _Answer) -> bool:
    """Whether the person was asked about the action itself, and not about another attempt."""
    return answer.held_for == HeldFor.APPROVAL


def _ending(answer: _Answer) -> Ending:
    match answer.decision:
        case "approved" if _of_action(answer) or answer.tier == 1:
            state, reason = State.READY, f"approved by {answer.by}"
        case "approved":  # the world may have changed since: plan, and where due ask, anew
            state, reason = State.PREFLIGHT, f"{answer.by} lets it run again"
        case "rejected":
            state, reason = State.REJECTED, f"rejected by {answer.by}: {answer.comment}"
        case "expired":
            state, reason = State.EXPIRED, "nobody decided in time, and silence is no"
        case _:
            state, reason = State.PREFLIGHT, "what was to be approved changed"
    return Ending(answer.task_id, answer.epoch, None, state, reason=reason, reset_attempts=True)
