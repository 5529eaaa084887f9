"""Asking a person about an action, and taking the question back."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from firewall.domain.action import canonical, digest_of
from firewall.domain.request import Request
from firewall.models import Approval, Decision
from firewall.selectors import given, pending
from firewall.services.facts import fact
from ledger.domain.storable import text
from ledger.selectors import database_time
from ledger.services import record

ACTOR = "service:firewall"


class AskedTooLate(ValueError):
    """The action expires before anyone could answer."""


@transaction.atomic
def request(asked: Request) -> Approval:
    """Ask about these bytes. An answer that stands for them is returned; others become void."""
    digest = digest_of(canonical(asked.action))
    if _deadline(asked) <= database_time():
        raise AskedTooLate(f"the action expires at {asked.action.expires_at}")
    of_task = Approval.objects.filter(task_id=asked.task_id)
    _void(
        (pending(of_task) | given(of_task)).exclude(action_digest=digest),
        "another action is asked about",
    )
    return given(of_task).filter(action_digest=digest).first() or _ask(asked, digest)


def _ask(asked: Request, digest: str) -> Approval:
    approval, fresh = Approval.objects.get_or_create(
        task_id=asked.task_id,
        action_digest=digest,
        decision=Decision.PENDING,
        defaults={
            "workspace_id": asked.workspace_id,
            "skill": asked.action.skill,
            "tier": asked.action.tier,
            "action": canonical(asked.action).decode(),
            "summary": text(asked.summary),
            "diff": text(asked.diff),
            "requested_by": asked.requested_by,
            "expires_at": _deadline(asked),
        },
    )
    if fresh:
        record(fact("approval_requested", approval, asked.requested_by, cause=asked.cause))
    return approval


def _deadline(asked: Request) -> datetime:
    return datetime.fromisoformat(asked.action.expires_at)


@transaction.atomic
def void(task_ids: Iterable[UUID], reason: str) -> int:
    """Take back what was asked, or granted, for these tasks; how many approvals that were."""
    of_tasks = Approval.objects.filter(task_id__in=list(task_ids))
    return _void(pending(of_tasks) | given(of_tasks), reason)


@transaction.atomic
def expire_due(limit: int = 200) -> int:
    """Turn unanswered questions whose time is up into a no; how many there were."""
    due = pending(Approval.objects.filter(expires_at__lte=Now())).order_by("expires_at")
    rows = list(due.select_for_update(skip_locked=True)[:limit])
    return _close(rows, Decision.EXPIRED, "approval_expired", "nobody answered in time")


def _void(approvals: QuerySet[Approval], reason: str) -> int:
    rows = list(approvals.order_by("id").select_for_update())
    return _close(rows, Decision.VOID, "approval_void", reason)


def _close(rows: Sequence[Approval], decision: Decision, event: str, reason: str) -> int:
    """Who granted one that becomes void stays in its row."""
    Approval.objects.filter(id__in=[approval.id for approval in rows]).update(
        decision=decision, decided_at=Coalesce("decided_at", Now())
    )
    record(*(fact(event, approval, ACTOR, reason=reason) for approval in rows))
    return len(rows)
