"""Approvals as a person is shown them before deciding."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from autonomy.tasks.models import Task
from console.selectors.lookup import UnknownId, matching, only
from firewall.models import Approval, Decision
from firewall.selectors import waiting


@dataclass(frozen=True)
class ApprovalLine:
    """One question to a person: exactly what would run, and what became of it."""

    id: UUID
    task_id: UUID
    skill: str
    tier: int
    summary: str
    diff: str
    action: dict[str, Any]
    action_digest: str
    requested_by: str
    decision: str
    decided_by: str
    decided_at: datetime | None
    comment: str
    created_at: datetime
    expires_at: datetime


def open_approvals() -> list[ApprovalLine]:
    """What waits for a person, the most dangerous first."""
    return [line(row) for row in waiting()]


def approval(approval_id: UUID) -> ApprovalLine:
    """One approval."""
    return line(Approval.objects.select_related("decided_by").get(pk=approval_id))


def of_task(task_id: UUID) -> ApprovalLine | None:
    """What a task waits for, or else what was decided about it last."""
    asked = Approval.objects.filter(task_id=task_id).select_related("decided_by")
    row = asked.filter(decision=Decision.PENDING).first() or asked.order_by("-id").first()
    return line(row) if row else None


def named(given: str) -> ApprovalLine:
    """The approval of that id, or of the task of that id; ends and beginnings of ids will do."""
    approvals = matching(Approval.objects.all(), given)
    tasks = matching(Task.objects.all(), given)
    found = {pk: approval(pk) for pk in approvals}
    for task_id in tasks:
        if asked := of_task(task_id):
            found[asked.id] = asked
    if tasks and not found:
        state = Task.objects.values_list("state", flat=True).get(pk=tasks.pop())
        raise UnknownId(f"task {given} never asked for an approval: it is {state}")
    return found[only(found, given, what="approval or task", listing="autonomy approve")]


def line(row: Approval) -> ApprovalLine:
    """The shape of a row."""
    return ApprovalLine(
        id=row.id,
        task_id=row.task_id,
        skill=row.skill,
        tier=row.tier,
        summary=row.summary,
        diff=row.diff,
        action=json.loads(row.action),
        action_digest=row.action_digest,
        requested_by=row.requested_by,
        decision=row.decision,
        decided_by=row.decided_by.get_username() if row.decided_by else "",
        decided_at=row.decided_at,
        comment=row.comment,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
