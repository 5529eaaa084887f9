"""Ending tasks on a person's word (C-11)."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from autonomy.domain.states import LIVE, State
from autonomy.tasks.models import Task
from autonomy.tasks.services import graph
from autonomy.tasks.services.settle import Ending, settle
from ledger.services import Fact, record


@transaction.atomic
def cancel(task_ids: Collection[UUID], *, actor: str, reason: str) -> dict[UUID, bool]:
    """End tasks; answers task → whether it has ended already.

    One that a node holds is told to end within seconds; its supervisor settles it.
    """
    graph.lock(task_ids)
    tasks = list(Task.objects.filter(id__in=task_ids, state__in=LIVE).order_by("id"))
    held = [task.id for task in tasks if task.lease_until is not None]
    free = [task for task in tasks if task.lease_until is None]
    if held:
        Task.objects.filter(id__in=held, cancel_requested_at=None).update(
            cancel_requested_at=Now(), reason=reason
        )
        record(*(_requested(task_id, actor, reason) for task_id in held))
    words = f"cancelled by {actor}: {reason}"
    ended = settle([Ending(t.id, t.epoch, None, State.CANCELLED, reason=words) for t in free])
    return {task.id: task.id in ended for task in tasks}


def _requested(task_id: UUID, actor: str, reason: str) -> Fact:
    return Fact(
        type="cancel_requested",
        stream="task",
        stream_id=str(task_id),
        actor=actor,
        payload={"reason": reason},
    )
