"""One pass of the engine: observe, decide, dispatch, record, and ring (D-1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from autonomy.domain.decide import Decision, deliberate
from autonomy.domain.predictions import of_pass
from autonomy.domain.world import ROUND_TRIP, World
from autonomy.engine import selectors
from autonomy.engine.selectors import Observed
from autonomy.engine.services.passes import Kept, keep
from ledger.services import Fact, record

# The node is chosen and the fence grows in one step; a row that moved since it was seen is left.
_DISPATCH = """
WITH given AS (
    SELECT * FROM unnest(%(tasks)s::uuid[], %(epochs)s::int[], %(nodes)s::text[])
        AS g(task_id, epoch, node)
), locked AS (
    SELECT t.id FROM tasks_task t JOIN given ON given.task_id = t.id AND given.epoch = t.epoch
    WHERE t.state IN ('ready', 'preflight') AND t.node = '' AND t.cancel_requested_at IS NULL
    ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET
    state = CASE t.state WHEN 'ready' THEN 'dispatched' ELSE t.state END,
    node = given.node, epoch = t.epoch + 1, dispatched_at = now(), reason = ''
FROM given, locked WHERE given.task_id = t.id AND locked.id = t.id
RETURNING t.id, t.tier, t.node, t.state, t.epoch
"""


@dataclass(frozen=True)
class Dispatched:
    """Which doorbells to ring, and what is owed from now on."""

    doorbells: frozenset[tuple[str, int]]
    count: int
    owed: Mapping[str, int]
    troubles: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False  # the world was seen whole, not only its nodes

    @classmethod
    def nothing(cls, owed: Mapping[str, int]) -> "Dispatched":
        """What a pass that did not come about leaves behind."""
        return cls(frozenset(), 0, owed)


@transaction.atomic
def dispatch(
    owed: Mapping[str, int],
    known: Mapping[str, Any] | None = None,
    *,
    round_trip: float = ROUND_TRIP,
) -> Dispatched:
    """Decide over all that is ready now and store the decisions with their inputs (D-20).

    `known` is what the engine knows besides and does not decide by: it is kept with the pass.
    """
    weighing = selectors.in_force()
    observed = selectors.observe(owed, weighing.weights, without_room=False, round_trip=round_trip)
    troubles = _troubles(observed, weighing.refused)
    if not observed.world.tasks:
        return Dispatched(frozenset(), 0, owed, troubles, observed.whole)
    deliberation = deliberate(observed.world, weighing.weights)
    moved = _send(deliberation.decisions, observed.epochs)
    if moved:
        fences = {str(task): move[3] for task, move in moved.items()}
        kept = keep(
            deliberation,
            (weighing.version, weighing.weights),
            {**(known or {}), **_context(observed.world)},
            of_pass(observed.world, deliberation.decisions, fences),
        )
        made = [d for d in deliberation.decisions if UUID(d.task) in moved]
        record(*(_fact(decision, moved[UUID(decision.task)], kept) for decision in made))
    bells = frozenset((node, tier) for tier, node, *_ in moved.values())
    return Dispatched(bells, len(moved), deliberation.owed, troubles, observed.whole)


def _context(world: World) -> dict[str, int]:
    """How full the platform was, beside what the decisions depended on."""
    return {
        "waiting": len(world.tasks),
        "running": sum(node.in_use for node in world.nodes),
        "critical": sum(task.critical for task in world.tasks),
    }


def _troubles(observed: Observed, refused: Mapping[int, str]) -> dict[str, str]:
    """What the pass went around, by its name: weights that are not used, tasks set aside."""
    weights = {f"weights {version}": why for version, why in refused.items()}
    return weights | {f"task {task}": why for task, why in observed.aside.items()}


def _send(
    decisions: Sequence[Decision], epochs: Mapping[str, int]
) -> dict[UUID, tuple[int, str, str, int]]:
    if not decisions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _DISPATCH,
            {
                "tasks": [decision.task for decision in decisions],
                "epochs": [epochs[decision.task] for decision in decisions],
                "nodes": [decision.node for decision in decisions],
            },
        )
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _fact(decision: Decision, moved: tuple[int, str, str, int], kept: Kept) -> Fact:
    tier, node, state, _ = moved
    payload: dict[str, Any] = {
        "node": node,
        "tier": tier,
        "purpose": "preflight" if state == "preflight" else "run",
        "reason": decision.reason,
        "score": decision.score,
        "pass": str(kept.id),
        "digest": kept.digest,
    }
    return Fact(
        type="task_dispatched",
        stream="task",
        stream_id=decision.task,
        actor="engine",
        payload=payload,
        quiet=True,
    )
