"""Keeping a pass with everything it takes to decide it again, and dropping what is old (D-20)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from psycopg.types.json import Jsonb

from autonomy.domain.decide import Deliberation
from autonomy.domain.predictions import Prediction
from autonomy.domain.priority import Weights
from autonomy.domain.record import digest
from autonomy.domain.world import hashed, to_json
from autonomy.engine.selectors.core import core_version
from autonomy.engine.services.predicting import MAKE, parameters
from ledger.domain.ids import DEFAULT_WORKSPACE, new_id

BATCH = 5000
MOST_KEPT = 200_000
"""Passes, however young: 0.4 to 1.3 GB (docs/decisions-explained.md)."""

_KEEP = f"""
WITH predicted AS ({MAKE})
INSERT INTO engine_pass (id, workspace_id, weights_version, world, world_hash, decisions, owed,
    context, core, digest)
VALUES (%(id)s, %(workspace)s, %(version)s, %(world)s, %(world_hash)s, %(decisions)s, %(owed)s,
    %(context)s, %(core)s, %(digest)s)
"""  # noqa: S608 -- ours
_FORGET = """
DELETE FROM engine_pass WHERE id IN (
    SELECT id FROM engine_pass WHERE at < now() - %(days)s * interval '1 day'
       OR id <= (SELECT id FROM engine_pass ORDER BY id DESC OFFSET %(most)s LIMIT 1)
    ORDER BY id LIMIT %(limit)s)
"""


@dataclass(frozen=True)
class Kept:
    """Where a pass is kept, and the hash that the ledger binds."""

    id: UUID
    digest: str


def keep(
    made: Deliberation,
    weighing: tuple[int, Weights],
    context: Mapping[str, Any],
    predictions: Sequence[Prediction],
) -> Kept:
    """Store the pass and what it predicts, in one statement."""
    world = to_json(made.essence)
    decisions = [decision.to_json() for decision in made.decisions]
    whole = digest(
        weights=weighing[1].to_json(),
        world=world,
        decisions=decisions,
        owed=made.owed,
        context=context,
    )
    kept = Kept(new_id(), whole)
    columns: dict[str, Any] = {
        "id": kept.id,
        "workspace": DEFAULT_WORKSPACE,
        "version": weighing[0],
        "world": Jsonb(world),
        "world_hash": hashed(world),
        "decisions": Jsonb(decisions),
        "owed": Jsonb(made.owed),
        "context": Jsonb(dict(context)),
        "core": core_version(),
        "digest": whole,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, columns | parameters(predictions))
    return kept


def forget_old(most: int = MOST_KEPT) -> int:
    """Drop passes past their time or too many, a bounded number at a time; how many.

    The ledger keeps their hashes.
    """
    bounds = {"days": settings.AUTONOMY_PASS_DAYS, "most": most, "limit": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, bounds)
        return int(cursor.rowcount)
