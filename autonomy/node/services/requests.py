"""What a person is asked: about an action, or how a task goes on that only a person can judge."""

from collections.abc import Mapping

from autonomy.node.selectors import Offer
from autonomy.node.services.actions import APPROVAL_TIER, action_of
from autonomy.node.services.workplace import Workplace
from autonomy.sdk.plan import Plan
from firewall import services as firewall
from ledger.selectors import database_time

__all__ = ["APPROVAL_TIER", "for_action", "to_go_on"]


def for_action(
    place: Workplace, offer: Offer, plan: Plan, reads: Mapping[str, str]
) -> firewall.Request:
    """The request for exactly these bytes, with the plan that shows what they change."""
    return _request(place, offer, summary=plan.summary, diff=plan.diff, reads=reads)


def to_go_on(place: Workplace, offer: Offer, reason: str, *, attempt: int) -> firewall.Request:
    """The request for another attempt of a task that stopped; it covers that one only."""
    summary = f"{offer.skill} stopped after attempt {attempt}: {reason}. Approve to run it again."
    reads = {"stopped": reason, "attempt": str(attempt)}
    return _request(place, offer, summary=summary, diff="", reads=reads)


def _request(
    place: Workplace, offer: Offer, *, summary: str, diff: str, reads: Mapping[str, str]
) -> firewall.Request:
    declared = place.loaded(offer.skill)
    expires_at = database_time() + firewall.EXPIRES_AFTER
    return firewall.Request(
        task_id=offer.task_id,
        action=action_of(offer, declared, reads=reads, expires_at=expires_at),
        summary=summary,
        diff=diff,
        requested_by=offer.requested_by,
    )
