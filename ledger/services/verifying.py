"""Checking the whole chain and remembering the answer."""

from uuid import UUID

from django.db import transaction

from ledger.domain.facts import Fact
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.domain.verification import Verification
from ledger.selectors.verification import Progress, inspect
from ledger.services.events import record


def verify(
    progress: Progress | None = None,
    *,
    actor: str = "service:ledger",
    workspace_id: UUID = DEFAULT_WORKSPACE,
) -> Verification:
    """Check the whole chain, and record as an event whether it agrees and how far."""
    found = inspect(progress, workspace_id=workspace_id)
    with transaction.atomic():
        record(_fact(found, actor, workspace_id))
    return found


def _fact(found: Verification, actor: str, workspace_id: UUID) -> Fact:
    return Fact(
        type="ledger_verified" if found.ok else "ledger_disagreed",
        stream="ledger",
        stream_id=str(workspace_id),
        actor=actor,
        payload={
            "blocks": found.blocks,
            "events": found.events,
            "erased": found.erased,
            "anchors": found.anchors,
            "head": found.head,
            "problem": str(found.problem) if found.problem else "",
        },
        workspace_id=workspace_id,
    )
