"""What the firewall answers: what stands, what waits, and who may decide."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import JSONField, QuerySet
from django.db.models.functions import Cast, Now

from firewall.domain.levels import Level, of_rank
from firewall.domain.request import GOING_ON
from firewall.domain.rules import Decider
from firewall.models import TIERS, Approval, Decision, Dial, SoloMode

APPROVAL_TIER = 3
"""From this tier on a person is always asked."""

SERVICE_GROUP = "service"
"""Accounts in this group are no persons: they act, and never approve."""


def pending(among: QuerySet[Approval]) -> QuerySet[Approval]:
    """Those that nobody has answered, in time or late."""
    return among.filter(decision=Decision.PENDING)


def given(among: QuerySet[Approval]) -> QuerySet[Approval]:
    """Those that were approved and have not expired."""
    return among.filter(decision=Decision.APPROVED, expires_at__gt=Now())


def binding(among: QuerySet[Approval]) -> QuerySet[Approval]:
    """Those of the action itself: what was allowed to be tried once more is bound to no bytes."""
    documents = among.annotate(document=Cast("action", JSONField()))
    return documents.exclude(document__reads__has_keys=list(GOING_ON))


def approved(task_id: UUID, digest: str) -> Approval | None:
    """The approval under which exactly this action of the task may run now."""
    return given(Approval.objects.filter(task_id=task_id, action_digest=digest)).first()


def taken_back(task_id: UUID) -> int:
    """How many approvals of the task a person gave and did not come to anything."""
    given_once = Approval.objects.filter(task_id=task_id, decided_by__isnull=False)
    return given_once.filter(decision=Decision.VOID).count()


def waiting() -> QuerySet[Approval]:
    """What a person can still answer: the most dangerous first, then what expires first."""
    return pending(Approval.objects.filter(expires_at__gt=Now())).order_by(
        "-tier", "expires_at", "id"
    )


def principal(user: User | AnonymousUser) -> str:
    """How the account is named in tasks, approvals and events."""
    kind = "service" if user.groups.filter(name=SERVICE_GROUP).exists() else "person"
    return f"{kind}:{user.get_username()}"


def decider(user: User | AnonymousUser) -> Decider:
    """The facts about who wants to decide, read anew: a right taken away is gone at once."""
    account = User.objects.filter(pk=user.pk).first() if user.pk else None
    if account is None:
        return Decider("", frozenset(), active=False)
    named = principal(account)
    return Decider(
        principal=named,
        tiers=frozenset(t for t in TIERS if account.has_perm(f"firewall.approve_tier_{t}")),
        active=account.is_active,
        service=named.startswith("service:"),
        solo=solo(account) is not None,
    )


def solo(person: User) -> SoloMode | None:
    """The while in which this person may approve their own requests, if it is now."""
    return SoloMode.objects.filter(by=person.pk, until__gt=Now(), ended_at=None).first()


def level() -> Level:
    """How much may run alone now; without its row nothing."""
    return of_rank(Dial.objects.values_list("in_force", flat=True).first())


def asks_about(tier: int) -> bool:
    """Whether tasks of this tier wait for a person now, whatever their plan says (D-19)."""
    return tier >= APPROVAL_TIER or (tier > 1 and level().rank <= Level.ASK.rank)
