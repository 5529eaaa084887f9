"""What is kept of a pass, as one hash: the ledger binds it, and a replay compares it (D-22)."""

from collections.abc import Mapping, Sequence
from typing import Any

from autonomy.domain.world import hashed


def digest(
    *,
    weights: Mapping[str, float],
    world: Mapping[str, Any],
    decisions: Sequence[Mapping[str, Any]],
    owed: Mapping[str, int],
    context: Mapping[str, Any],
) -> str:
    """The SHA-256 of the record; the same after a trip through the database."""
    record = {
        "weights": dict(weights),
        "world": dict(world),
        "decisions": list(decisions),
        "owed": dict(owed),
        "context": dict(context),
    }
    return hashed(record)
