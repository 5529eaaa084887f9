"""What the engine observes: the world of one pass, in a constant number of statements (D-1)."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from autonomy.domain.isolation import FOREIGN_CODE
from autonomy.domain.placement import unavailable
from autonomy.domain.priority import DEFAULT_WEIGHTS, Weights, weights_from
from autonomy.domain.reasons import Reason
from autonomy.domain.world import (
    NodeFacts,
    Purpose,
    ReadyTask,
    Record,
    Stop,
    Subject,
    World,
    microseconds,
)
from autonomy.engine.models import Pass
from autonomy.engine.models import Weights as WeightsRow
from autonomy.systemmap.models import Component, Kind
from ledger.selectors import database_time

PER_ORIGIN = 300
READY_LIMIT = 3000

# Statement time throughout: rows stored earlier in the same transaction are due as well.
# No origin can hide the others: each brings its best, by the static part of the priority.
_READY = """
WITH ranked AS (
    SELECT t.*, row_number() OVER (
        PARTITION BY t.origin
        ORDER BY %(dependents)s * t.dependents
               + CASE WHEN t.critical_path THEN %(critical)s ELSE 0 END
               + %(short)s / greatest(t.estimate_seconds / 60.0, 0.1) + t.priority_hint
               + %(waiting)s * ln(1 + greatest(
                   0, extract(epoch FROM statement_timestamp() - t.ready_at)) / 60.0) DESC, t.id
    ) AS place
    FROM tasks_task t
    WHERE t.state IN ('ready', 'preflight') AND t.node = '' AND t.run_at <= statement_timestamp()
)
SELECT r.id, r.skill, r.tier, r.origin, r.ready_at, r.estimate_seconds, r.dependents,
       r.critical_path, r.priority_hint, r.state, r.epoch, coalesce(r.parent_id::text, ''),
       greatest((c.declaration->>'isolation')::int,
                CASE WHEN (c.declaration->>'foreign_code')::bool THEN %(foreign_code)s ELSE 0 END),
       coalesce(ARRAY(SELECT jsonb_array_elements_text(c.declaration->'labels')), '{}'),
       ARRAY(SELECT DISTINCT s.node FROM tasks_session s
             WHERE s.task_id = r.id AND s.ended NOT IN ('', 'ok')), statement_timestamp()
FROM ranked r
LEFT JOIN systemmap_component c ON c.kind = 'skill' AND c.name = r.skill
WHERE r.place <= %(per_origin)s
ORDER BY r.place, r.id LIMIT %(limit)s
"""

_NODES = """
SELECT n.name, n.tiers, n.labels, n.slots, n.paused, n.draining, n.isolation, n.versions,
       n.seen_at > statement_timestamp() - interval '15 s' AS alive, statement_timestamp(),
       coalesce(work.in_use, 0), coalesce(work.unclaimed, 0), coalesce(work.parents, '{}')
FROM systemmap_node n
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.lease_until IS NOT NULL) AS in_use,
           count(*) FILTER (WHERE t.lease_until IS NULL) AS unclaimed,
           array_agg(coalesce(t.parent_id::text, '')) AS parents
    FROM tasks_task t WHERE t.node = n.name
      AND t.state IN ('preflight', 'dispatched', 'running', 'verifying')
) work ON true
WHERE n.incarnation IS NOT NULL
ORDER BY n.name
"""

_RECORDS = """
SELECT skill, node, value_sum, success_sum, weight, at
FROM ledger_nodescore WHERE skill = ANY(%(skills)s)
UNION ALL
SELECT skill, '', 0, success_sum, weight, at
FROM ledger_skillestimate WHERE skill = ANY(%(skills)s)
"""


class Ready(NamedTuple):
    """A row of the ready set, as read."""

    id: Any
    skill: str
    tier: int
    origin: str
    ready_at: datetime
    estimate_seconds: float
    dependents: int
    critical_path: bool
    priority_hint: float
    state: str
    epoch: int
    parent: str
    isolation: int
    labels: list[str]
    failed_on: list[str]
    now: datetime


class Observed(NamedTuple):
    """The world, and the fence under which each of its tasks was seen."""

    world: World
    epochs: Mapping[str, int]


def observe(owed: Mapping[str, int], weights: Weights, *, without_room: bool = True) -> Observed:
    """The world now; five statements, whatever the number of tasks.

    With `without_room` false, what waits is only read while some node could be given it.
    """
    nodes, now = _nodes()
    look = without_room or any(map(_has_room, nodes))
    ready = [Ready(*row) for row in _rows(_READY, **_bounds(weights))] if look else []
    world = World(
        now=microseconds(now),
        tasks=tuple(_task(row) for row in ready),
        nodes=tuple(nodes),
        records=tuple(_records(sorted({row.skill for row in ready}))) if ready else (),
        stops=tuple(_stops()),
        owed=dict(owed),
    )
    return Observed(world, {str(row.id): row.epoch for row in ready})


def _has_room(node: NodeFacts) -> bool:
    """Whether it could be given a task; more of them than slots where its work is short."""
    full = node.mean_seconds <= 0 and node.in_use + node.unclaimed >= node.slots
    return not full and not unavailable(node)


def _bounds(weights: Weights) -> dict[str, float]:
    """What the ready tasks are ranked by, and how many of them are looked at."""
    return {
        "dependents": weights.dependents,
        "critical": weights.critical,
        "short": weights.short,
        "waiting": weights.waiting,
        "per_origin": PER_ORIGIN,
        "limit": READY_LIMIT,
        "foreign_code": FOREIGN_CODE,
    }


def weights() -> tuple[int, Weights]:
    """The newest version of the weights, and its number; raises BadWeights."""
    row = WeightsRow.objects.order_by("-version").first()
    return (0, DEFAULT_WEIGHTS) if row is None else (row.version, weights_from(row.values))


def last_owed() -> dict[str, int]:
    """The turns that origins were owed after the last recorded pass."""
    owed = Pass.objects.order_by("-id").values_list("owed", flat=True).first()
    return dict(owed or {})


def _task(row: Ready) -> ReadyTask:
    return ReadyTask(
        id=str(row.id),
        skill=row.skill,
        tier=row.tier,
        origin=row.origin,
        ready_since=microseconds(row.ready_at),
        estimate_seconds=row.estimate_seconds,
        dependents=row.dependents,
        critical=row.critical_path,
        hint=row.priority_hint,
        purpose=Purpose.PREFLIGHT if row.state == "preflight" else Purpose.RUN,
        labels=tuple(sorted(row.labels)),
        isolation=row.isolation,
        siblings=row.parent,
        approved=row.tier > 2 and row.state == "ready",
        failed_on=tuple(sorted(row.failed_on)),
    )


def _nodes() -> tuple[list[NodeFacts], datetime]:
    rows = [_Node(*row) for row in _rows(_NODES)]
    return [_facts(row) for row in rows], rows[0].now if rows else database_time()


class _Node(NamedTuple):
    name: str
    tiers: list[int]
    labels: list[str]
    slots: int
    paused: bool
    draining: bool
    isolation: int
    versions: str  # JSON
    alive: bool | None
    now: datetime
    in_use: int
    unclaimed: int
    parents: list[str]


def _facts(row: _Node) -> NodeFacts:
    return NodeFacts(
        name=row.name,
        tiers=tuple(sorted(row.tiers)),
        labels=tuple(sorted(row.labels)),
        slots=row.slots,
        in_use=row.in_use,
        unclaimed=row.unclaimed,
        alive=bool(row.alive),
        paused=row.paused,
        draining=row.draining,
        isolation=row.isolation,
        skills=dict(sorted(json.loads(row.versions).items())),
        siblings={
            parent: row.parents.count(parent) for parent in sorted(set(row.parents)) if parent
        },
    )


def _records(skills: Sequence[str]) -> list[Record]:
    return [
        Record(skill, node, value_sum, success_sum, weight, microseconds(at))
        for skill, node, value_sum, success_sum, weight, at in _rows(_RECORDS, skills=list(skills))
    ]


def _stops() -> list[Stop]:
    paused = Component.objects.filter(kind=Kind.SKILL, paused=True).order_by("name")
    return [
        Stop(Reason.PAUSED, Subject.SKILL, name, f"{name} is paused")
        for name in paused.values_list("name", flat=True)
    ]


def _rows(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
