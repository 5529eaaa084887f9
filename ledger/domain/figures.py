"""The headline figures (C-27): arithmetic over sums, and words where there is nothing to say."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.spread import percentile

DAYS = 7
"""What is shown when nobody asks for another span."""

MOST_DAYS = 92
"""So far back do figures reach, so that they are told at once."""

WEEK = 7.0


@dataclass(frozen=True)
class Sums:
    """What days add up to. `days` is how long that was, in days."""

    days: float
    ended: int = 0
    verified: int = 0
    unverified: int = 0
    failed: int = 0
    first: int = 0
    first_verified: int = 0
    dollars: float = 0.0
    runs: Sequence[int] = ()
    queues: Sequence[int] = ()
    decisions: Sequence[int] = ()
    interventions: int = 0
    confirmed: int = 0
    contradicted: int = 0
    slot_seconds: float = 0.0
    busy_seconds: float = 0.0


@dataclass(frozen=True)
class Figures:
    """How well the platform did. A figure is None where there was nothing to count.

    Seconds, dollars, and shares from 0 to 1. Of tasks that ended done or failed, without canaries.
    """

    days: float
    ended: int
    verified: int
    unverified: int
    failed: int
    verified_rate: float | None
    false_done_rate: float | None
    false_done_words: str
    first_attempt_rate: float | None
    after_retry_rate: float | None
    interventions_per_week: float
    dollars_per_day: float
    decision_p50_seconds: float | None
    decision_p95_seconds: float | None
    node_utilisation: float | None
    queue_p50_seconds: float | None
    queue_p95_seconds: float | None
    run_p50_seconds: float | None
    run_p95_seconds: float | None


def figures(sums: Sums) -> Figures:
    """The figures that these sums give."""
    looked_again = sums.confirmed + sums.contradicted
    return Figures(
        days=round(sums.days, 3),
        ended=sums.ended,
        verified=sums.verified,
        unverified=sums.unverified,
        failed=sums.failed,
        verified_rate=_share(sums.verified, sums.ended),
        false_done_rate=_share(sums.contradicted, looked_again),
        false_done_words=_false_done_words(sums.contradicted, looked_again),
        first_attempt_rate=_share(sums.first_verified, sums.first),
        after_retry_rate=_share(sums.verified - sums.first_verified, sums.ended - sums.first),
        interventions_per_week=_per_week(sums.interventions, sums.days),
        dollars_per_day=sums.dollars / sums.days,
        decision_p50_seconds=percentile(sums.decisions, 0.5),
        decision_p95_seconds=percentile(sums.decisions, 0.95),
        node_utilisation=_share(sums.busy_seconds, sums.slot_seconds),
        queue_p50_seconds=percentile(sums.queues, 0.5),
        queue_p95_seconds=percentile(sums.queues, 0.95),
        run_p50_seconds=percentile(sums.runs, 0.5),
        run_p95_seconds=percentile(sums.runs, 0.95),
    )


def _per_week(count: int, days: float) -> float:
    """What was counted in less than a week is not multiplied: the first day is like no other."""
    return count * WEEK / max(days, WEEK)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _false_done_words(contradicted: int, looked_again: int) -> str:
    if not looked_again:
        return "unknown: nothing has looked again at what was done"
    return f"{contradicted} of {looked_again} that were looked at again were not done"
