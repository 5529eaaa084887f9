"""The numbers from which it follows how much may run alone (D-19)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from autonomy.domain.priority import MILLION
from autonomy.domain.trust import Gauge, Rules, Standing
from autonomy.domain.world import microseconds
from autonomy.engine.models import Trust
from firewall.domain.levels import of_rank
from firewall.services import ensure_dial

# Failures are counted by the same fading sums as the scores: one row per skill, however many runs.
_GAUGE = """
SELECT t.confidence, t.checked, t.right, extract(epoch FROM now() - t.observed_at)::float8,
       t.earned_since, d.chosen, d.in_force, d.told, now(),
       coalesce(s.successes, 0), coalesce(s.weight, 0)
FROM engine_trust t CROSS JOIN firewall_dial d LEFT JOIN (
    SELECT sum(ledger_faded(e.success_sum, greatest(now() - e.at, '0'), %(half_life)s)) successes,
           sum(ledger_faded(e.weight, greatest(now() - e.at, '0'), %(half_life)s)) weight
    FROM ledger_skillestimate e WHERE e.weight < 1e12
) s ON true
"""


class _Row(NamedTuple):
    confidence: int
    checked: int
    right: int
    unseen_seconds: float
    earned_since: int | None
    chosen: int
    in_force: int
    told: int
    now: datetime
    successes: float
    weight: float


@dataclass(frozen=True)
class Weighed:
    """What speaks for and against, and where the dial stands."""

    gauge: Gauge
    standing: Standing
    right: int
    now: int
    noticed: bool  # the ledger knows of the level in force

    def evidence(self, rules: Rules) -> dict[str, Any]:
        """The numbers as an event keeps them and a person reads them."""
        gauge = self.gauge
        return {
            "confidence": gauge.confidence / MILLION,
            "break_even": round(float(rules.break_even), 4),
            "predictions_checked": gauge.checked,
            "predictions_right": self.right,
            "enough_to_tell": gauge.checked >= rules.least_checked,
            "stale_seconds": round(max(gauge.stale_seconds, 0.0), 1),
            "failed_share": gauge.failed / MILLION,
            "ended_lately": round(gauge.ended, 2),
            "budget_left": None if gauge.budget_left is None else gauge.budget_left / MILLION,
        }


def weighed() -> Weighed:
    """As it is now; one statement, once its two rows are there."""
    row = _read()
    if row is None:
        Trust.objects.get_or_create(pk=Trust.ONLY)
        ensure_dial()
        row = _read()
    if row is None:
        raise LookupError("the rows of trust and of the dial cannot be made")
    failed = round((1 - row.successes / row.weight) * MILLION) if row.weight > 0 else 0
    gauge = Gauge(
        confidence=row.confidence,
        checked=row.checked,
        stale_seconds=row.unseen_seconds,
        failed=min(max(failed, 0), MILLION),
        ended=row.weight,
    )
    return Weighed(
        gauge=gauge,
        standing=Standing(of_rank(row.chosen), row.earned_since),
        right=row.right,
        now=microseconds(row.now),
        noticed=row.told == row.in_force,
    )


def _read() -> _Row | None:
    with connection.cursor() as cursor:
        cursor.execute(_GAUGE, {"half_life": settings.AUTONOMY_SCORE_HALF_LIFE})
        found = cursor.fetchone()
    return _Row(*found) if found else None
