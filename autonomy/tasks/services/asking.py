"""Asking a person how a task goes on whose node is gone, and cannot ask any more."""

from autonomy.systemmap.models import Component, Kind
from autonomy.tasks.models import Session, Task
from autonomy.tasks.services.settle import Ending
from firewall import services as firewall
from firewall.domain.action import Action
from firewall.domain.request import going_on
from ledger.selectors import database_time


def lost_request(ending: Ending) -> firewall.Request:
    """The request for another attempt; it covers that one only."""
    task = Task.objects.get(id=ending.task_id)
    session = Session.objects.filter(task=task).order_by("-id").first()
    declared = Component.objects.filter(kind=Kind.SKILL, name=task.skill).first()
    action = Action(
        skill=task.skill,
        version=session.version if session else "",
        args=task.resolved or {},
        scope=declared.declaration.get("scope", {}) if declared else {},
        tier=task.tier,
        reads=going_on(ending.reason, task.attempt),
        idempotency_key=str(task.id),
        expires_at=(database_time() + firewall.EXPIRES_AFTER).isoformat(),
    )
    stopped = f"{task.skill} stopped after attempt {task.attempt}: {ending.reason}."
    return firewall.Request(
        task_id=task.id,
        action=action,
        summary=f"{stopped} Approve to run it again.",
        requested_by=task.requested_by,
    )
