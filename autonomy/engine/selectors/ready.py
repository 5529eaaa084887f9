"""The ready set: the tasks that may be dispatched now, a bounded number of each origin (D-17)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from autonomy.domain.priority import Weights
from autonomy.domain.world import Purpose, ReadyTask, microseconds
from autonomy.engine.selectors.skills import Declared, Skills

PER_ORIGIN = 300
READY_LIMIT = 3000

# Statement time throughout: rows stored earlier in the same transaction are due as well.
# No origin can hide the others: each brings its best, by the static part of the priority.
# What is not a number would sort before everything else, so it counts as nothing.
_READY = """
WITH ranked AS (
    SELECT t.*, row_number() OVER (
        PARTITION BY t.origin
        ORDER BY %(dependents)s * t.dependents
               + CASE WHEN t.critical_path THEN %(critical)s ELSE 0 END
               + %(short)s / greatest(
                   coalesce(nullif(t.estimate_seconds, 'NaN'), 'Infinity') / 60.0, 0.1)
               + coalesce(nullif(t.priority_hint, 'NaN'), 0)
               + %(waiting)s * ln(1 + greatest(
                   0, extract(epoch FROM statement_timestamp() - t.ready_at)) / 60.0) DESC, t.id
    ) AS place
    FROM tasks_task t
    WHERE t.state IN ('ready', 'preflight') AND t.node = '' AND t.run_at <= statement_timestamp()
)
SELECT r.id, r.skill, r.tier, r.origin, coalesce(r.ready_at, r.run_at), r.estimate_seconds,
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

    id: UUID
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
    planned: bool
    allowed: bool  # a person approved what its tier alone would not have asked about
    failed_on: list[str]
    place: int  # within its origin


def ready(weights: Weights, also: UUID | None = None) -> list[Ready]:
    """The best of each origin, and one task however far behind it is; one statement."""
    bounds: Mapping[str, Any] = {
        "dependents": weights.dependents,
        "critical": weights.critical,
        "short": weights.short,
        "waiting": weights.waiting,
        "per_origin": PER_ORIGIN,
        "limit": READY_LIMIT,
        "also": also,
    }
    with connection.cursor() as cursor:
        cursor.execute(_READY, bounds)
        return [Ready(*row) for row in cursor.fetchall()]


def aside(rows: list[Ready], skills: Skills) -> dict[str, str]:
    """The tasks that cannot be decided about, and why."""
    return {str(r.id): problem for r in rows if (problem := skills.of(r.skill).problem)}


def task_of(row: Ready, skill: Declared) -> ReadyTask:
    """The row as the core sees it."""
    runs = row.state == "ready"
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
        purpose=Purpose.RUN if runs else Purpose.PREFLIGHT,
        labels=skill.labels,
        isolation=skill.isolation,
        siblings=row.parent,
        approved=row.allowed or (runs and row.tier > 2),
        unplanned=runs and row.tier == 1 and skill.has_preflight and not row.planned,
        failed_on=tuple(sorted(row.failed_on)),
    )
