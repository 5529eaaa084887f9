"""What a person is asked: about an action, or how a task goes on that only a person can judge."""

from collections.abc import Mapping

from autonomy.node.services.actions import APPROVAL_TIER, action_of
from autonomy.node.services.held import Held
from autonomy.sdk.plan import Plan
from firewall import services as firewall
from firewall.domain.request import going_on
from ledger.selectors import database_time

__all__ = ["APPROVAL_TIER", "for_action", "to_go_on"]


def for_action(held: Held, plan: Plan, reads: Mapping[str, str]) -> firewall.Request:
    """The request for exactly these bytes, with the plan that shows what they change."""
    return _request(held, summary=plan.summary, diff=plan.diff, reads=reads)


def to_go_on(held: Held, reason: str) -> firewall.Request:
    """The request for another attempt of a task that stopped; it covers that one only."""
    attempt = held.claimed.attempt
    summary = (
        f"{held.offer.skill} stopped after attempt {attempt}: {reason}. Approve to run it again."
    )
    return _request(held, summary=summary, diff="", reads=going_on(reason, attempt))


def _request(held: Held, *, summary: str, diff: str, reads: Mapping[str, str]) -> firewall.Request:
    offer = held.offer
    expires_at = database_time() + firewall.EXPIRES_AFTER
    return firewall.Request(
        task_id=offer.task_id,
        action=action_of(offer, held.declared, reads=reads, expires_at=expires_at),
        summary=summary,
        diff=diff,
        requested_by=offer.requested_by,
    )
