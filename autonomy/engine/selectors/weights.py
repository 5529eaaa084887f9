"""The weights in force: the newest that can be used, and why newer ones cannot (D-8)."""

import json
from typing import NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast

from autonomy.domain.priority import DEFAULT_WEIGHTS, Weights, weights_from
from autonomy.domain.trust import DEFAULT_RULES, Rules, rules_from
from autonomy.engine.models import Weights as WeightsRow

LOOKED_AT = 20


class InForce(NamedTuple):
    """What the engine weighs with, and the versions that it refuses."""

    version: int  # 0 where none was ever set
    weights: Weights
    rules: Rules
    refused: dict[int, str]  # newer version → why it is not used


def in_force() -> InForce:
    """The newest version that is sound; without one, what is shipped. One statement."""
    refused: dict[int, str] = {}
    rows = WeightsRow.objects.order_by("-version").annotate(
        text=Cast("values", TextField()), trusting=Cast("trust", TextField())
    )
    for version, text, trusting in rows.values_list("version", "text", "trusting")[:LOOKED_AT]:
        try:
            weights, rules = weights_from(json.loads(text)), rules_from(json.loads(trusting))
        except ValueError as error:  # also a number too long for Python, which is JSON as well
            refused[version] = str(error)
        else:
            return InForce(version, weights, rules, refused)
    return InForce(0, DEFAULT_WEIGHTS, DEFAULT_RULES, refused)
