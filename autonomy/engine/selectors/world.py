"""What the engine observes: the world of one pass, in a constant number of statements (D-1)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from autonomy.domain.placement import has_room
from autonomy.domain.priority import Weights
from autonomy.domain.world import ROUND_TRIP, Record, World, microseconds
from autonomy.engine.models import Pass
from autonomy.engine.selectors import nodes as map_of_nodes
from autonomy.engine.selectors.ready import Ready, aside, ready, task_of
from autonomy.engine.selectors.skills import Skills, skills

_RECORDS = """
SELECT skill, node, value_sum, success_sum, weight, (extract(epoch FROM at) * 1000000)::bigint
FROM ledger_nodescore WHERE skill = ANY(%(skills)s)
UNION ALL
SELECT skill, '', 0, success_sum, weight, (extract(epoch FROM at) * 1000000)::bigint
FROM ledger_skillestimate WHERE skill = ANY(%(skills)s)
"""


class Observed(NamedTuple):
    """The world, the fence under which each of its tasks was seen, and what was set aside."""

    world: World
    epochs: Mapping[str, int]
    aside: Mapping[str, str]  # task → why nothing can be decided about it
    places: Mapping[str, int]  # task → its place within its origin
    whole: bool = True  # false where only the nodes were looked at, as none has room


def observe(
    owed: Mapping[str, int],
    weights: Weights,
    *,
    without_room: bool = True,
    also: UUID | None = None,
    round_trip: float = ROUND_TRIP,
) -> Observed:
    """The world now, with one task in it however far behind; four statements, however many tasks.

    With `without_room` false, what waits is only read while some node could be given it.
    """
    seen = map_of_nodes.nodes()
    world = World(now=microseconds(seen.now), nodes=seen.rows, level=seen.level, owed=dict(owed),
                  round_trip_seconds=round_trip)  # fmt: skip
    if not (without_room or any(has_room(node, world, weights) for node in world.nodes)):
        return Observed(world, {}, {}, {}, whole=False)
    rows = ready(world, weights, also)
    names = sorted({row.skill for row in rows})
    return _whole(world, rows, skills(names), _records(names) if rows else ())


def _whole(world: World, rows: list[Ready], known: Skills, records: Sequence[Record]) -> Observed:
    left_out = aside(rows, known)
    kept = [row for row in rows if row.id not in left_out]
    whole = World(
        now=world.now,
        tasks=tuple(task_of(row, known.of(row.skill)) for row in kept),
        nodes=world.nodes,
        records=tuple(records),
        stops=known.stops(),
        level=world.level,
        owed=world.owed,
        round_trip_seconds=world.round_trip_seconds,
    )
    epochs = {row.id: row.epoch for row in kept}
    return Observed(whole, epochs, left_out, {row.id: row.place for row in rows})


def last_owed() -> dict[str, int]:
    """The turns that origins were owed after the last recorded pass."""
    owed = Pass.objects.order_by("-id").values_list("owed", flat=True).first()
    return dict(owed or {})


def _records(names: Sequence[str]) -> list[Record]:
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, {"skills": list(names)})
        return [Record(*row) for row in cursor.fetchall()]
