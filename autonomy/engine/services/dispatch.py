"""One pass of the engine: observe, decide, dispatch, record, and ring (D-1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from autonomy.domain.decide import Decision, deliberate
from autonomy.domain.world import to_json, world_hash
from autonomy.engine import selectors
from autonomy.engine.models import Pass
from autonomy.engine.selectors import Observed
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
RETURNING t.id, t.tier, t.node, t.state
"""


@dataclass(frozen=True)
class Dispatched:
    """Which doorbells to ring, and what is owed from now on."""

    doorbells: frozenset[tuple[str, int]]
    count: int
    owed: Mapping[str, int]
    troubles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def nothing(cls, owed: Mapping[str, int]) -> "Dispatched":
        """What a pass that did not come about leaves behind."""
        return cls(frozenset(), 0, owed)


@transaction.atomic
def dispatch(owed: Mapping[str, int]) -> Dispatched:
    """Decide over all that is ready now and store the decisions with their inputs (D-20)."""
    version, weights, refused = selectors.in_force()
    observed = selectors.observe(owed, weights, without_room=False)
    troubles = _troubles(observed, refused)
    if not observed.world.tasks:
        return Dispatched(frozenset(), 0, owed, troubles)
    deliberation = deliberate(observed.world, weights)
    moved = _send(deliberation.decisions, observed.epochs)
    if moved:
        pass_ = Pass.objects.create(
            weights_version=version,
            world=to_json(deliberation.essence),
            world_hash=world_hash(deliberation.essence),
            decisions=[decision.to_json() for decision in deliberation.decisions],
            owed=deliberation.owed,
        )
        made = [d for d in deliberation.decisions if UUID(d.task) in moved]
        record(*(_fact(decision, moved[UUID(decision.task)], pass_.id) for decision in made))
    bells = frozenset((node, tier) for tier, node, _ in moved.values())
    return Dispatched(bells, len(moved), deliberation.owed, troubles)


def _troubles(observed: Observed, refused: Mapping[int, str]) -> dict[str, str]:
    """What the pass went around, by its name: weights that are not used, tasks set aside."""
    weights = {f"weights {version}": why for version, why in refused.items()}
    return weights | {f"task {task}": why for task, why in observed.aside.items()}


def _send(
    decisions: Sequence[Decision], epochs: Mapping[str, int]
) -> dict[UUID, tuple[int, str, str]]:
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
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}


def _fact(decision: Decision, moved: tuple[int, str, str], pass_id: UUID) -> Fact:
    tier, node, state = moved
    payload: dict[str, Any] = {
        "node": node,
        "tier": tier,
        "purpose": "preflight" if state == "preflight" else "run",
        "reason": decision.reason,
        "score": decision.score,
        "pass": str(pass_id),
    }
    return Fact(
        type="task_dispatched",
        stream="task",
        stream_id=decision.task,
        actor="engine",
        payload=payload,
        quiet=True,
    )
