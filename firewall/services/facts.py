"""What the ledger is told about approvals."""

from collections.abc import Sequence

from firewall.models import Approval
from ledger.services import Fact


def fact(
    event: str, approval: Approval, actor: str, *, cause: Sequence[str] = (), **more: str | bool
) -> Fact:
    """An event about an approval: the question by its digest, never its text."""
    return Fact(
        type=event,
        stream="approval",
        stream_id=str(approval.id),
        actor=actor,
        cause=cause,
        payload={
            "task": str(approval.task_id),
            "skill": approval.skill,
            "tier": approval.tier,
            "action_digest": approval.action_digest,
            "requested_by": approval.requested_by,
            **more,
        },
        workspace_id=approval.workspace_id,
    )
