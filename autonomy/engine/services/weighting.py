"""Setting the weights: checked first, then a new version, told as an event (D-8)."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from autonomy.domain.priority import BadWeights, weights_from
from autonomy.domain.trust import rules_from
from autonomy.engine.models import Weights
from autonomy.engine.selectors import in_force
from firewall.domain.rules import SHORTEST_REASON
from firewall.selectors import decider
from ledger.services import Fact, record


class WeightsRefused(Exception):
    """The weights were not set; the message says why."""


@transaction.atomic
def set_weights(person: User, values: Any, *, reason: str) -> Weights:
    """A new version: what is given, and of the rest what is in force. Raises WeightsRefused."""
    by = decider(person)
    if by.service or not by.active or not person.has_perm("firewall.administer"):
        raise WeightsRefused("only an active person who may administer the platform sets weights")
    if len(reason.strip()) < SHORTEST_REASON:
        raise WeightsRefused("it needs a reason of three characters or more")
    before = in_force()
    weights, trust = before.weights.to_json(), before.rules.to_json()
    kept = _merged(values, weights, trust)
    row = Weights.objects.create(values=kept[0], trust=kept[1], set_by=by.principal)
    record(_fact(row, weights | {"trust": trust}, by.principal, reason))
    return row


def _merged(
    values: Any, weights: dict[str, float], trust: dict[str, int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(values, Mapping):
        raise WeightsRefused("the weights are not an object of names and numbers")
    given = dict(values)
    trusting = given.pop("trust", {})
    if not isinstance(trusting, Mapping):
        raise WeightsRefused("trust is not an object of names and numbers")
    try:
        sound = weights_from({**weights, **given}), rules_from({**trust, **trusting})
    except BadWeights as error:
        raise WeightsRefused(str(error)) from None
    return dict(sound[0].to_json()), dict(sound[1].to_json())


def _fact(row: Weights, before: dict[str, Any], by: str, reason: str) -> Fact:
    after = {**row.values, "trust": row.trust}
    changed = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    return Fact(
        type="weights_set",
        stream="platform",
        stream_id="weights",
        actor=by,
        payload={"version": row.version, "changed": changed, "reason": reason},
    )
