"""How tasks ended, one by one and in figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection

from ledger.domain.ids import DEFAULT_WORKSPACE, earliest_id
from ledger.models import Outcome
from ledger.selectors.chain import database_time


def outcomes_of(task_ids: Iterable[UUID]) -> dict[UUID, Outcome]:
    """The outcomes of those of these tasks that have ended."""
    return Outcome.objects.in_bulk(list(task_ids))


@dataclass(frozen=True)
class Headline:
    """The headline figures over a time (C-27); a rate is None where nothing was there to count."""

    ended: int
    verified: int
    unverified: int
    failed: int
    verified_rate: float | None
    first_attempt_rate: float | None
    after_retry_rate: float | None
    queue_p50_seconds: float | None
    queue_p95_seconds: float | None
    dollars_per_day: float
    interventions_per_week: float


# Canaries are ours, and what people stopped says nothing of how well the platform works.
_FIGURES = """
SELECT count(*),
       count(*) FILTER (WHERE verified),
       count(*) FILTER (WHERE state = 'done' AND NOT verified),
       count(*) FILTER (WHERE state = 'failed'),
       count(*) FILTER (WHERE retries = 0),
       count(*) FILTER (WHERE retries = 0 AND verified),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY queue_seconds),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY queue_seconds),
       coalesce(sum(dollars), 0)::float8
  FROM (SELECT *, state = 'done' AND verdict = 'verified' AS verified FROM ledger_outcome
         WHERE workspace_id = %s AND at > %s AND NOT canary AND state IN ('done', 'failed')) o
"""
_INTERVENTIONS = """
SELECT count(*) FROM ledger_event
 WHERE actor LIKE 'person:%%' AND type <> 'task_submitted' AND workspace_id = %s AND id >= %s
"""


def headline(
    over: timedelta = timedelta(days=7), *, workspace_id: UUID = DEFAULT_WORKSPACE
) -> Headline:
    """The figures of the time that ends now, in two queries."""
    since = database_time() - over
    days = over / timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [workspace_id, since])
        ended, verified, unverified, failed, first, first_good, p50, p95, dollars = (
            cursor.fetchone()
        )
        cursor.execute(_INTERVENTIONS, [workspace_id, earliest_id(since)])
        (interventions,) = cursor.fetchone()
    return Headline(
        ended=ended,
        verified=verified,
        unverified=unverified,
        failed=failed,
        verified_rate=_rate(verified, ended),
        first_attempt_rate=_rate(first_good, first),
        after_retry_rate=_rate(verified - first_good, ended - first),
        queue_p50_seconds=p50,
        queue_p95_seconds=p95,
        dollars_per_day=dollars / days,
        interventions_per_week=interventions * 7 / days,
    )


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
