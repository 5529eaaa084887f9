"""What the engine goes around instead of stopping: told once when it comes, once when it is over.

Weights that cannot be used, a task that cannot be read, a part of the pass that fails: none ends
the loop, and each is an event, so that going around something is never silent.
"""

import logging
from collections.abc import Mapping

from django.db import transaction

from ledger.services import Fact, record

logger = logging.getLogger(__name__)

MOST = 100
"""So many are told apart; how many more there are is one trouble of its own."""


class Troubles:
    """What is gone around now; lives as long as its engine leads."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    @property
    def now(self) -> Mapping[str, str]:
        """By name, why."""
        return self._told

    def tell(self, found: Mapping[str, str]) -> None:
        """Record what is new or different, and what is over; nothing when nothing changed."""
        found = _bounded(found)
        if found == self._told:
            return
        came = {name: why for name, why in found.items() if self._told.get(name) != why}
        over = [name for name in self._told if name not in found]
        with transaction.atomic():
            record(
                *(_fact("engine_went_around", name, why) for name, why in came.items()),
                *(_fact("engine_trouble_over", name, self._told[name]) for name in over),
            )
        for name, why in came.items():
            logger.warning("the engine goes around %s: %s", name, why)
        self._told = found


def _bounded(found: Mapping[str, str]) -> dict[str, str]:
    kept = dict(sorted(found.items())[:MOST])
    if len(found) > MOST:
        kept["others"] = f"{len(found) - MOST} more"
    return kept


def _fact(event: str, name: str, why: str) -> Fact:
    payload = {"what": name, "reason": why[:1000]}
    return Fact(type=event, stream="platform", stream_id="engine", actor="engine", payload=payload)
