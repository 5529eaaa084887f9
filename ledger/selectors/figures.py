"""The headline figures, of the platform and of each skill, from the sums of days (C-25, C-27)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.domain.figures import DAYS, MOST_DAYS, Figures, Sums, figures
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.domain.second_looks import CONFIRMED, CONTRADICTED
from ledger.domain.spread import BUCKETS, percentile


def _spread(column: str) -> str:
    """The counts of all rows, place by place: far faster than adding up arrays as such."""
    places = (f"coalesce(sum({column}[{place}]), 0)" for place in range(1, BUCKETS + 1))
    return f"ARRAY[{', '.join(places)}]::bigint[]"


# From the first day of the span, in UTC; a platform that is younger began on its own first day.
_SPAN = """
span AS (
    SELECT begins, greatest(extract(epoch FROM now() - begins) / 86400, 1)::float8 AS days
      FROM (SELECT greatest(
                (now() AT TIME ZONE 'UTC')::date - (%(days)s - 1),
                (SELECT min(day) FROM ledger_skillday WHERE workspace_id = %(workspace)s)
            )::timestamp AT TIME ZONE 'UTC' AS begins) b
)"""
_SINCE = (
    "workspace_id = %(workspace)s AND day >= (SELECT (begins AT TIME ZONE 'UTC')::date FROM span)"
)
_AT = "workspace_id = %(workspace)s AND id >= (SELECT ledger_first_id(begins) FROM span)"
_BY_DAY = f"""
WITH {_SPAN}, skills AS (
    SELECT coalesce(sum(ended), 0)::bigint AS ended,
           coalesce(sum(verified), 0)::bigint AS verified,
           coalesce(sum(unverified), 0)::bigint AS unverified,
           coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(first), 0)::bigint AS first,
           coalesce(sum(first_verified), 0)::bigint AS first_verified,
           coalesce(sum(dollars), 0)::float8 AS dollars,
           {_spread("runs")} AS runs, {_spread("queues")} AS queues,
           {_spread("decisions")} AS decisions
      FROM ledger_skillday WHERE {_SINCE}
), nodes AS (
    SELECT coalesce(sum(slot_seconds), 0) AS slot_seconds,
           coalesce(sum(busy_seconds), 0) AS busy_seconds
      FROM ledger_nodeday WHERE {_SINCE}
), people AS (
    SELECT count(DISTINCT transaction) AS interventions
      FROM ledger_event WHERE {_AT} AND actor LIKE 'person:%%'
       AND type NOT IN ('task_submitted', 'ledger_verified', 'ledger_disagreed')
), looks AS (
    SELECT count(*) FILTER (WHERE type = '{CONFIRMED}') AS confirmed,
           count(*) FILTER (WHERE type = '{CONTRADICTED}') AS contradicted
      FROM ledger_event WHERE {_AT} AND type IN ('{CONFIRMED}', '{CONTRADICTED}')
)
SELECT span.days, skills.*, people.*, looks.*, nodes.*
  FROM span, skills, nodes, people, looks
"""  # noqa: S608
_BY_SKILL = f"""
WITH {_SPAN}
SELECT skill, sum(ended)::bigint, sum(verified)::bigint, sum(unverified)::bigint,
       sum(failed)::bigint, sum(retries)::bigint, sum(dollars)::float8,
       {_spread("runs")}, {_spread("queues")}
  FROM ledger_skillday WHERE {_SINCE}
 GROUP BY skill HAVING sum(ended) > 0 ORDER BY skill
"""  # noqa: S608
_TODAY = """
SELECT coalesce(sum(verified), 0)::bigint, coalesce(sum(failed), 0)::bigint
  FROM ledger_skillday
 WHERE workspace_id = %(workspace)s AND day = (now() AT TIME ZONE 'UTC')::date
"""
_NAMES = (
    "days", "ended", "verified", "unverified", "failed", "first", "first_verified", "dollars",
    "runs", "queues", "decisions", "interventions", "confirmed", "contradicted", "slot_seconds",
    "busy_seconds",
)  # fmt: skip


def headline(days: int = DAYS, *, workspace_id: UUID = DEFAULT_WORKSPACE) -> Figures:
    """The figures of that many days in UTC, 92 at most, up to today; one statement."""
    (row,) = _rows(_BY_DAY, days, workspace_id)
    return figures(Sums(**dict(zip(_NAMES, row, strict=True))))


@dataclass(frozen=True)
class SkillFigures:
    """How a skill did over some days. Seconds and dollars."""

    skill: str
    ended: int
    verified: int
    unverified: int
    failed: int
    verified_rate: float
    retries: int
    dollars: float
    run_p50_seconds: float | None
    run_p95_seconds: float | None
    queue_p50_seconds: float | None
    queue_p95_seconds: float | None


def by_skill(days: int = 30, *, workspace_id: UUID = DEFAULT_WORKSPACE) -> Sequence[SkillFigures]:
    """Each skill that ended something in these days, 92 at most, by name; one statement."""
    return [_skill(*row) for row in _rows(_BY_SKILL, days, workspace_id)]


def _skill(skill: str, ended: int, verified: int, *others: Any) -> SkillFigures:
    unverified, failed, retries, dollars, runs, queues = others
    return SkillFigures(
        skill=skill,
        ended=ended,
        verified=verified,
        unverified=unverified,
        failed=failed,
        verified_rate=verified / ended,
        retries=retries,
        dollars=dollars,
        run_p50_seconds=percentile(runs, 0.5),
        run_p95_seconds=percentile(runs, 0.95),
        queue_p50_seconds=percentile(queues, 0.5),
        queue_p95_seconds=percentile(queues, 0.95),
    )


@dataclass(frozen=True)
class Today:
    """How many tasks ended well and badly since midnight, UTC."""

    verified: int
    failed: int


def today(*, workspace_id: UUID = DEFAULT_WORKSPACE) -> Today:
    """The counts of this day; one statement."""
    ((verified, failed),) = _rows(_TODAY, 1, workspace_id)
    return Today(verified, failed)


def _rows(query: str, days: int, workspace_id: UUID) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"days": min(max(1, days), MOST_DAYS), "workspace": workspace_id})
        return list(cursor.fetchall())
