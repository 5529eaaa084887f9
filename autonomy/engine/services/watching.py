"""Watching the nodes: do they claim and finish, and how long does their work take (D-4, D-5)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from autonomy.domain.wellness import Doing, Health, examined
from autonomy.domain.world import microseconds
from ledger.domain.ids import DEFAULT_WORKSPACE, earliest_id, new_id
from ledger.selectors import database_time
from ledger.services import Fact, record

OVER = 60.0
"""Seconds past its wall clock, or its verifier's deadline, by which a node must have ended it."""

NOTABLY = 0.2
"""A mean duration is written again when it changed by more than this share."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What a person or the level keeps a node from taking is not held against it, nor tier 3, which is
# looked at first. The mean is of what the node did lately: what a skill takes anywhere, by how much
# faster this node is at it, each with the weight that is left of it.
_DOING = """
SELECT n.name, n.slots, work.in_use, coalesce(work.unclaimed_for, 0), coalesce(work.overdue, 0),
       coalesce(work.overdue_task, ''),
       coalesce(s.unwell, ''), s.since, coalesce(s.failures, 0), coalesce(s.mean_seconds, 0),
       coalesce(s.unwell, '') <> '' AND EXISTS (
           SELECT FROM tasks_session x
           WHERE x.id > %(lately)s AND x.node = n.name AND x.started_at > s.since),
       coalesce(did.mean_seconds, 0), statement_timestamp()
FROM systemmap_node n
LEFT JOIN engine_nodestanding s ON s.node = n.name
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.lease_until IS NOT NULL) AS in_use,
           max(extract(epoch FROM statement_timestamp() - t.dispatched_at)::float8) FILTER (
               WHERE t.lease_until IS NULL AND (t.tier < 3 OR t.state = 'preflight')
                 AND NOT coalesce(c.paused, false) AND d.in_force > 1
                 AND d.changed_at < statement_timestamp() - interval '60 s') AS unclaimed_for,
           max(over.seconds) FILTER (WHERE t.lease_until IS NOT NULL) AS overdue,
           (array_agg(t.id::text ORDER BY over.seconds DESC NULLS LAST))[1] AS overdue_task
    FROM tasks_task t
    LEFT JOIN systemmap_component c ON c.kind = 'skill' AND c.name = t.skill
    LEFT JOIN firewall_dial d ON true
    CROSS JOIN LATERAL (
        SELECT CASE t.state
            WHEN 'verifying' THEN extract(epoch FROM statement_timestamp() - t.verify_until)::float8
            ELSE extract(epoch FROM statement_timestamp() - t.started_at)::float8
                - CASE jsonb_typeof(c.declaration->'limits'->'wall_seconds') WHEN 'number'
                  THEN (c.declaration->'limits'->>'wall_seconds')::float8 ELSE 300 END
            END - %(over)s AS seconds
    ) over
    WHERE t.node = n.name AND t.state IN ('preflight', 'dispatched', 'running', 'verifying')
) work ON true
LEFT JOIN LATERAL (
    SELECT sum(one.weight * one.seconds) / nullif(sum(one.weight), 0) AS mean_seconds
    FROM (
        SELECT ledger_faded(r.weight, greatest(statement_timestamp() - r.at, '0'), %(half_life)s)
                   AS weight,
               e.seconds_sum / e.verified_weight
                   / least(greatest(r.value_sum / r.success_sum, 0.25), 2) AS seconds
        FROM ledger_nodescore r JOIN ledger_skillestimate e ON e.skill = r.skill
        WHERE r.node = n.name AND r.success_sum BETWEEN 1e-9 AND 1e12
          AND r.value_sum BETWEEN 0 AND 1e12 AND r.weight BETWEEN 0 AND 1e12
          AND e.verified_weight BETWEEN 1e-9 AND 1e12 AND e.seconds_sum BETWEEN 0 AND 1e12
        ORDER BY r.at DESC LIMIT 200
    ) one
) did ON true
WHERE n.incarnation IS NOT NULL
ORDER BY n.name
"""

_WRITE = """
INSERT INTO engine_nodestanding AS old
    (id, workspace_id, node, unwell, since, failures, mean_seconds)
SELECT g.id, %(workspace)s, g.node, g.unwell, g.since, g.failures, g.mean_seconds
FROM unnest(%(ids)s::uuid[], %(nodes)s::text[], %(unwell)s::text[], %(since)s::timestamptz[],
            %(failures)s::int[], %(means)s::float8[])
    AS g(id, node, unwell, since, failures, mean_seconds)
ON CONFLICT (workspace_id, node) DO UPDATE SET unwell = excluded.unwell, since = excluded.since,
    failures = excluded.failures, mean_seconds = excluded.mean_seconds
"""


class _Row(NamedTuple):
    name: str
    slots: int
    in_use: int
    unclaimed_for: float
    overdue: float
    overdue_task: str
    unwell: str
    since: datetime | None
    failures: int
    mean_before: float
    claimed_since: bool
    mean_seconds: float
    now: datetime

    @property
    def health(self) -> Health:
        """As it was found before."""
        since = None if self.since is None else microseconds(self.since)
        return Health(self.unwell, since, self.failures)

    @property
    def doing(self) -> Doing:
        """What it does now."""
        return Doing(
            self.slots, self.in_use, self.unclaimed_for, max(self.overdue, 0.0),
            self.overdue_task, self.claimed_since,
        )  # fmt: skip

    @property
    def mean_moved(self) -> bool:
        """Whether its work takes notably longer or shorter than is written."""
        return abs(self.mean_seconds - self.mean_before) > NOTABLY * self.mean_before


@transaction.atomic
def watch_nodes() -> int:
    """Find out how the nodes do and write down what changed; how many did. Three statements."""
    rows = _rows()
    health = {row.name: examined(row.health, row.doing, microseconds(row.now)) for row in rows}
    changed = [row for row in rows if health[row.name] != row.health or row.mean_moved]
    if changed:
        _write(changed, health)
    told = [row for row in rows if health[row.name].unwell != row.unwell]
    if told:
        record(*(_fact(row, health[row.name]) for row in told))
    return len(changed)


def _rows() -> list[_Row]:
    bounds: dict[str, Any] = {
        "lately": earliest_id(database_time() - timedelta(hours=1)),
        "over": OVER,
        "half_life": settings.AUTONOMY_SCORE_HALF_LIFE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DOING, bounds)
        return [_Row(*row) for row in cursor.fetchall()]


def _write(rows: Sequence[_Row], health: dict[str, Health]) -> None:
    found = [health[row.name] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "workspace": DEFAULT_WORKSPACE,
                "ids": [new_id() for _ in rows],
                "nodes": [row.name for row in rows],
                "unwell": [one.unwell for one in found],
                "since": [_time(one.since) for one in found],
                "failures": [one.failures for one in found],
                "means": [row.mean_seconds for row in rows],
            },
        )


def _time(at: int | None) -> datetime | None:
    return None if at is None else _EPOCH + timedelta(microseconds=at)


def _fact(row: _Row, health: Health) -> Fact:
    return Fact(
        type="node_unwell" if health.unwell else "node_well",
        stream="node",
        stream_id=row.name,
        actor="engine",
        payload={
            "reason": health.unwell or f"it claims and finishes again; it was: {row.unwell}",
            "in_use": row.in_use,
            "slots": row.slots,
            "unclaimed_seconds": round(row.unclaimed_for, 1),
            "overdue_seconds": round(max(row.overdue, 0.0), 1),
            "trials": health.failures,
        },
    )
