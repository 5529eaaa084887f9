"""The one function through which a person decides, whatever the route (F-4)."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from firewall.domain.action import digest_of
from firewall.domain.rules import Answer, Decider, Question, Refusal, may_decide
from firewall.models import Approval, Decision
from firewall.selectors import decider, pending
from firewall.services.facts import fact
from ledger.domain.storable import text
from ledger.selectors import database_time
from ledger.services import Fact, record


class DecisionRefused(Exception):
    """The decision was not taken; the message says why."""


class NotAllowed(DecisionRefused):
    """A rule stands against it."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(str(reason))
        self.reason = reason


class AlreadyDecided(DecisionRefused):
    """Someone, or something, was first."""

    def __init__(self, by: str, when: datetime, decision: str) -> None:
        super().__init__(f"{decision} already, by {by} at {when:%Y-%m-%d %H:%M:%S} UTC")
        self.by = by
        self.when = when
        self.decision = decision


class Expired(DecisionRefused):
    """Its time is up, and that is a no."""


class DigestDiffers(DecisionRefused):
    """What was shown, or is stored, is not what was asked about."""


def decide(
    approval_id: UUID, person: User, decision: str, comment: str, *, digest: str | None = None
) -> Approval:
    """Take a person's answer, once; `digest` is that of what the person was shown.

    Raises AlreadyDecided, Expired, NotAllowed, DigestDiffers; ValueError for another answer than
    approved or rejected; Approval.DoesNotExist.
    """
    answer = Answer(decision)
    with transaction.atomic():
        approval = Approval.objects.get(pk=approval_id)
        by = decider(person)
        _check_rules(approval, by, answer, comment)
        _check_bytes(approval, digest)
        _compare_and_set(approval, person, answer, comment)
        record(_decided(approval, by))
    return approval


def _decided(approval: Approval, by: Decider) -> Fact:
    return fact(
        "approval_decided",
        approval,
        by.principal,
        decision=approval.decision,
        comment=approval.comment,
        solo=by.solo and by.principal == approval.requested_by,
    )


def _check_rules(approval: Approval, by: Decider, answer: Answer, comment: str) -> None:
    question = Question(
        requested_by=approval.requested_by,
        tier=approval.tier,
        pending=approval.decision == Decision.PENDING,
        expired=approval.expires_at <= database_time(),
    )
    refusal = may_decide(by, question, answer, comment)
    if refusal in (Refusal.DECIDED, Refusal.EXPIRED):
        raise _too_late(approval)
    if refusal:
        raise NotAllowed(refusal)


def _check_bytes(approval: Approval, shown: str | None) -> None:
    if digest_of(approval.action.encode()) != approval.action_digest:
        raise DigestDiffers("the stored action does not have the digest it was asked with")
    if shown is not None and shown != approval.action_digest:
        raise DigestDiffers("what you were shown is not what is asked now; look again")


def _compare_and_set(approval: Approval, person: User, answer: Answer, comment: str) -> None:
    """Only the first of many wins, and only in time, by the clock of the database."""
    open_still = pending(Approval.objects.filter(pk=approval.pk, expires_at__gt=Now()))
    won = open_still.filter(action_digest=approval.action_digest).update(
        decision=answer.value, decided_by=person.pk, decided_at=Now(), comment=text(comment)
    )
    approval.refresh_from_db()
    if not won:
        raise _too_late(approval)


def _too_late(approval: Approval) -> DecisionRefused:
    if approval.decision in (Decision.PENDING, Decision.EXPIRED):
        return Expired(f"it expired at {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    by = approval.decided_by.get_username() if approval.decided_by else "the platform"
    return AlreadyDecided(by, approval.decided_at or approval.expires_at, approval.decision)
