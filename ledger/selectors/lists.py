"""What a list of events or outcomes can be narrowed to, without reading through it."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Max, Q, QuerySet

from ledger.models import Event, NodeDay, Outcome

# From one name to the next through the index, however many events are between them.
_STREAMS = """
WITH RECURSIVE found AS (
    (SELECT stream FROM ledger_event ORDER BY stream LIMIT 1)
    UNION ALL
    SELECT (SELECT e.stream FROM ledger_event e WHERE e.stream > found.stream
             ORDER BY e.stream LIMIT 1)
      FROM found WHERE found.stream IS NOT NULL
)
SELECT stream FROM found WHERE stream IS NOT NULL
"""

ENDINGS = {
    "verified": Q(verdict="verified"),
    "unverified": Q(verdict="unverified"),
    **{state: Q(state=state) for state in ("failed", "cancelled", "rejected", "expired")},
}
"""How tasks end, each as a condition that an index answers."""


def streams() -> list[str]:
    """Every stream that has events, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_STREAMS)
        return [stream for (stream,) in cursor.fetchall()]


def events_about(events: QuerySet[Event], term: str) -> QuerySet[Event]:
    """The events of the task, node … with this id, or else those of this type."""
    of_one = events.filter(stream__in=streams(), stream_id=term)
    return of_one if of_one.order_by().exists() else events.filter(type=term)


def outcomes_about(outcomes: QuerySet[Outcome], term: str) -> QuerySet[Outcome]:
    """The outcome of the task with this id, or those of this skill."""
    try:
        return outcomes.filter(task_id=UUID(term))
    except ValueError:
        return outcomes.filter(skill=term)


def nodes_seen() -> dict[str, date]:
    """Every node that ever lived or ended a task, with the last day on which it did."""
    rows = NodeDay.objects.values_list("node").annotate(last=Max("day"))
    return dict(rows.order_by("node"))


def outcomes_on(outcomes: QuerySet[Outcome], node: str) -> QuerySet[Outcome]:
    """The outcomes of a node; one that has gone is not looked for after its last day."""
    last = nodes_seen().get(node)
    if last is None:
        return outcomes.none()
    after = datetime.combine(last + timedelta(days=1), time(), tzinfo=UTC)
    return outcomes.filter(node=node, at__lt=after)
