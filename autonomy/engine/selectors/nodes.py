"""The nodes as last seen, and what is at work on each (D-5, D-17)."""

import json
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from autonomy.domain.wellness import Health
from autonomy.domain.world import NodeFacts, microseconds
from firewall.domain.levels import Level, of_rank
from firewall.selectors import level
from ledger.selectors import database_time

_NODES = """
SELECT n.name, n.tiers, n.labels, n.slots, n.paused, n.draining, n.isolation, n.versions,
       n.seen_at > statement_timestamp() - interval '15 s',
       coalesce(work.in_use, 0), coalesce(work.unclaimed, 0), coalesce(work.parents, '{}'),
       coalesce(s.unwell, ''), s.since, coalesce(s.failures, 0),
       CASE WHEN s.mean_seconds > 0 THEN greatest(s.mean_seconds, work.expected) ELSE 0 END,
       statement_timestamp(), (SELECT in_force FROM firewall_dial)
FROM systemmap_node n
LEFT JOIN engine_nodestanding s ON s.node = n.name
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.lease_until IS NOT NULL) AS in_use,
           count(*) FILTER (WHERE t.lease_until IS NULL) AS unclaimed,
           array_agg(coalesce(t.parent_id::text, '')) AS parents,
           avg(t.estimate_seconds) AS expected  -- longer work than lately closes the window
    FROM tasks_task t WHERE t.node = n.name
      AND t.state IN ('preflight', 'dispatched', 'running', 'verifying')
      AND NOT (t.state = 'verifying' AND t.run_at > statement_timestamp())  -- till the next look
) work ON true
WHERE n.incarnation IS NOT NULL
ORDER BY n.name
"""


class Nodes(NamedTuple):
    """The nodes, the time, and the autonomy level, all of one moment."""

    rows: tuple[NodeFacts, ...]
    now: datetime
    level: Level


class _Row(NamedTuple):
    name: str
    tiers: list[int]
    labels: list[str]
    slots: int
    paused: bool
    draining: bool
    isolation: int
    versions: str  # JSON
    alive: bool | None
    in_use: int
    unclaimed: int
    parents: list[str]
    unwell: str
    since: datetime | None
    failures: int
    mean_seconds: float
    now: datetime
    level: int | None


def nodes() -> Nodes:
    """All that have joined; one statement, as long as there are any."""
    with connection.cursor() as cursor:
        cursor.execute(_NODES)
        rows = [_Row(*row) for row in cursor.fetchall()]
    if not rows:
        return Nodes((), database_time(), level())
    return Nodes(tuple(map(_facts, rows)), rows[0].now, of_rank(rows[0].level))


def _facts(row: _Row) -> NodeFacts:
    siblings = Counter(parent for parent in row.parents if parent)
    since = None if row.since is None else microseconds(row.since)
    trial = Health(row.unwell, since, row.failures).on_trial(microseconds(row.now))
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
        unwell="" if trial else row.unwell,
        trial=trial,
        mean_seconds=row.mean_seconds,
        isolation=row.isolation,
        skills=_loaded(json.loads(row.versions)),
        siblings=dict(sorted(siblings.items())),
    )


def _loaded(versions: Any) -> dict[str, str]:
    """Name and version of each skill; whatever else stands there is not loaded."""
    if not isinstance(versions, dict):
        return {}
    return {name: v for name, v in sorted(versions.items()) if isinstance(v, str)}
