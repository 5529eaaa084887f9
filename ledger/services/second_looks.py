"""Recording that something looked again at what a task had proved: what false-done rests on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from ledger.domain import second_looks
from ledger.domain.facts import Fact
from ledger.models import Outcome
from ledger.services.events import record


class NothingProved(Exception):
    """The task did not end as verified, so there is nothing to look at again."""


@transaction.atomic
def record_second_look(
    task_id: UUID, *, holds: bool, actor: str, reason: str, evidence: Mapping[str, Any]
) -> None:
    """What a verified task did was found to hold, or not; raises NothingProved."""
    outcome = Outcome.objects.filter(task_id=task_id, state="done", verdict="verified").first()
    if outcome is None:
        raise NothingProved(f"task {task_id} did not end as verified")
    record(
        Fact(
            type=second_looks.TYPES[holds],
            stream="task",
            stream_id=str(task_id),
            actor=actor,
            payload={"skill": outcome.skill, "reason": reason, "evidence": dict(evidence)},
            workspace_id=outcome.workspace_id,
        )
    )
