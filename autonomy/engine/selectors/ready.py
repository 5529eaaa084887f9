"""The ready set: the tasks that may be dispatched now, a bounded number of each origin (D-17)."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from autonomy.domain.placement import unavailable
from autonomy.domain.priority import Weights
from autonomy.domain.world import Purpose, ReadyTask, World
from autonomy.engine.selectors.skills import Declared, Skills
from firewall.domain.levels import Level

PER_ORIGIN = 300
READY_LIMIT = 1500

# Statement time throughout: rows stored earlier in the same transaction are due as well.
# No origin can hide the others: each brings its best, by the static part of the priority. Nor does
# what cannot run hide what can: skills that are paused or loaded nowhere, runs below `ask`.
# What is not a number would sort before everything else, so it counts as nothing. All is reckoned
# in float8: PostgreSQL takes logarithms of its exact numbers a hundred times as slowly.
_READY = """
WITH ranked AS (
    SELECT t.*, row_number() OVER (
        PARTITION BY t.origin
        ORDER BY %(dependents)s::float8 * t.dependents
               + CASE WHEN t.critical_path THEN %(critical)s::float8 ELSE 0 END
               + %(short)s::float8 / greatest(
                   coalesce(nullif(t.estimate_seconds, 'NaN'), 'Infinity') / 60, 0.1)
               + coalesce(nullif(t.priority_hint, 'NaN'), 0)
               + %(waiting)s::float8 * ln(1 + greatest(0, extract(
                   epoch FROM statement_timestamp() - t.ready_at)::float8) / 60) DESC, t.id
    ) AS place
    FROM tasks_task t
    WHERE t.state IN ('ready', 'preflight') AND t.node = '' AND t.run_at <= statement_timestamp()
      AND (t.id = %(also)s OR (
          t.skill = ANY(%(loaded)s) AND (t.state = 'preflight' OR %(runs)s)
          AND t.skill <> ALL(ARRAY(SELECT c.name::text FROM systemmap_component c
                                   WHERE c.kind = 'skill' AND c.paused))))
)
SELECT r.id::text, r.skill, r.tier, r.origin,
       (extract(epoch FROM coalesce(r.ready_at, r.run_at)) * 1000000)::bigint, r.estimate_seconds,
       r.dependents, r.critical_path, r.priority_hint, r.state, r.epoch,
       coalesce(r.parent_id::text, ''), r.plan IS NOT NULL,
       r.state = 'ready' AND r.tier = 2 AND EXISTS (
           SELECT FROM firewall_approval a WHERE a.task_id = r.id
             AND a.decision = 'approved' AND a.expires_at > statement_timestamp()),
       ARRAY(SELECT DISTINCT s.node FROM tasks_session s
             WHERE s.task_id = r.id AND s.ended NOT IN ('', 'ok', 'released')), r.place
FROM ranked r
WHERE r.place <= %(per_origin)s OR r.id = %(also)s
ORDER BY coalesce(r.id = %(also)s, false) DESC, r.place, r.id LIMIT %(limit)s
"""


class Ready(NamedTuple):
    """A row of the ready set, as read."""

    id: str
    skill: str
    tier: int
    origin: str
    ready_since: int  # microseconds
    estimate_seconds: float
    dependents: int
    critical_path: bool
    priority_hint: float
    state: str
    epoch: int
    parent: str
    planned: bool
    allowed: bool  # a person approved what its tier alone would not have asked about
    failed_on: list[str]
    place: int  # within its origin


def ready(world: World, weights: Weights, also: UUID | None = None) -> list[Ready]:
    """What of each origin is best for these nodes, and one task in any case; one statement."""
    at_work = [node for node in world.nodes if not unavailable(node)]
    bounds: Mapping[str, Any] = {
        "dependents": weights.dependents,
        "critical": weights.critical,
        "short": weights.short,
        "waiting": weights.waiting,
        "per_origin": PER_ORIGIN,
        "limit": READY_LIMIT,
        "also": also,
        "loaded": sorted({skill for node in at_work for skill in node.skills}),
        "runs": world.level.rank >= Level.ASK.rank,
    }
    with connection.cursor() as cursor:
        cursor.execute(_READY, bounds)
        return [Ready(*row) for row in cursor.fetchall()]


def aside(rows: list[Ready], skills: Skills) -> dict[str, str]:
    """The tasks that cannot be decided about, and why."""
    return {r.id: problem for r in rows if (problem := skills.of(r.skill).problem)}


def task_of(row: Ready, skill: Declared) -> ReadyTask:
    """The row as the core sees it."""
    runs = row.state == "ready"
    return ReadyTask(
        id=row.id,
        skill=row.skill,
        tier=row.tier,
        origin=row.origin,
        ready_since=row.ready_since,
        estimate_seconds=row.estimate_seconds,
        dependents=row.dependents,
        critical=row.critical_path,
        hint=row.priority_hint,
        purpose=Purpose.RUN if runs else Purpose.PREFLIGHT,
        labels=skill.labels,
        isolation=skill.isolation,
        siblings=row.parent,
        approved=row.allowed or (runs and row.tier > 2),
        unplanned=runs and row.tier == 1 and skill.has_preflight and not row.planned,
        failed_on=tuple(sorted(row.failed_on)),
    )
