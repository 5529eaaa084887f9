"""The quality bar in force, and its review once an hour (D-16)."""

from typing import Any

from django.db import connection, transaction

from autonomy.domain.quality import LOWEST, next_bar
from autonomy.tasks.models import QualityBar
from ledger.services import Fact, record

# The hour is over since the last review: one row decides who reviews, however many ask.
_DUE = """
UPDATE tasks_qualitybar SET reviewed_at = now()
WHERE id = 1 AND reviewed_at NOT BETWEEN now() - interval '1 hour' AND now() + interval '1 minute'
RETURNING hundredths
"""
_MEAN = """
SELECT avg(quality), count(quality) FROM ledger_outcome
WHERE at > now() - interval '1 hour' AND NOT canary AND quality BETWEEN 0 AND 1
"""


def quality_bar() -> int:
    """What a result must be worth now, in hundredths; one statement."""
    found = QualityBar.objects.values_list("hundredths", flat=True).first()
    return LOWEST if found is None else found


@transaction.atomic
def review_quality() -> bool:
    """Move the bar by the mean of the last hour, once an hour; whether it was time."""
    QualityBar.objects.get_or_create(pk=QualityBar.ONLY)
    due = _first(_DUE)
    if due is None:
        return False
    (bar,), (mean, count) = due, _first(_MEAN) or (None, 0)
    moved = next_bar(bar, mean)
    if moved != bar:
        QualityBar.objects.update(hundredths=moved)
        record(_fact(bar, moved, mean, count))
    return True


def _first(statement: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _fact(before: int, bar: int, mean: float, count: int) -> Fact:
    return Fact(
        type="quality_bar_moved",
        stream="platform",
        stream_id="quality",
        actor="engine",
        payload={"bar": bar / 100, "was": before / 100, "mean": round(mean, 4), "results": count},
    )
