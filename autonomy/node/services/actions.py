"""The action a task is about to take, built anew each time from what would really run (F-3)."""

from collections.abc import Mapping
from datetime import datetime

from autonomy.node.selectors import Offer
from autonomy.sdk.scope import Scope
from autonomy.sessions.pool import Loaded
from firewall.domain.action import Action

APPROVAL_TIER = 3


def action_of(
    offer: Offer, declared: Loaded, *, reads: Mapping[str, str], expires_at: datetime | None
) -> Action:
    """The canonical document of one task with the code and scope that this node has loaded."""
    return Action(
        skill=offer.skill,
        version=declared.version,
        args=offer.args,
        scope=resolved_scope(offer, declared).model_dump(mode="json"),
        tier=offer.tier,
        reads=dict(reads),
        idempotency_key=str(offer.task_id),
        expires_at=expires_at.isoformat() if expires_at else "",
    )


def resolved_scope(offer: Offer, declared: Loaded) -> Scope:
    """The declared scope with the task's arguments put into its paths; raises BadScope."""
    scope = Scope.model_validate(declared.declaration["scope"])
    return scope.resolved({**_defaults(declared), **offer.args})


def _defaults(declared: Loaded) -> dict[str, object]:
    """What the skill is given where a task does not say."""
    properties = declared.declaration["arguments"].get("properties", {})
    return {name: given["default"] for name, given in properties.items() if "default" in given}


def needs_approval(offer: Offer) -> bool:
    """Whether this run may only start on a person's word, or was asked about: then it binds."""
    return offer.purpose == "run" and (offer.tier >= APPROVAL_TIER or offer.allowed)
