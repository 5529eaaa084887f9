"""Predictions: made from the engine's own estimates, and checked when they are due (D-18)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from autonomy.domain.predictions import Kind, Prediction, Seen, came_true, differed
from autonomy.domain.states import State
from autonomy.domain.trust import Rules, after
from autonomy.domain.world import microseconds
from autonomy.engine.models import Trust
from ledger.domain.ids import DEFAULT_WORKSPACE, new_id
from ledger.services import Fact, record

BATCH = 200
MOST_OPEN = 200
"""No more are made while so many wait to be checked, however much is dispatched."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAKE = """
INSERT INTO engine_prediction (id, workspace_id, kind, subject, mark, bound, by, seen)
SELECT g.id, %(workspace)s, g.kind, g.subject, g.mark, g.bound, g.by, '{}'
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(subjects)s::text[], %(marks)s::text[],
            %(bounds)s::bigint[], %(bys)s::timestamptz[])
    AS g(id, kind, subject, mark, bound, by)
WHERE (SELECT count(*) FROM engine_prediction p WHERE p.checked_at IS NULL) < %(most)s
"""

# Everything that any kind is judged by, so that the number of statements does not depend on them.
_DUE = """
SELECT p.id, p.kind, p.subject, p.by, p.mark, p.bound,
       t.state, t.epoch, t.ended_at, coalesce(d.changed_at > p.made_at, false),
       coalesce(n.incarnation::text, ''), n.seen_at,
       p.kind = 'node_alive' AND EXISTS (
           SELECT FROM ledger_event e
           WHERE e.stream = 'node' AND e.stream_id = p.subject AND e.type = 'node_left'
             AND e.payload->>'incarnation' = p.mark),
       CASE WHEN p.kind = 'queue_at_most' THEN (
           SELECT count(*) FROM tasks_task w
           WHERE w.state IN ('ready', 'preflight') AND w.node = ''
             AND w.run_at <= statement_timestamp()) END,
       now()
FROM engine_prediction p
LEFT JOIN tasks_task t ON t.id = CASE WHEN p.kind IN ('task_done', 'task_over')
    THEN p.subject::uuid END
LEFT JOIN systemmap_node n ON p.kind = 'node_alive' AND n.name = p.subject
LEFT JOIN firewall_dial d ON true
WHERE p.checked_at IS NULL AND p.by < now() - interval '1 s'
ORDER BY p.by, p.id LIMIT %(limit)s
FOR NO KEY UPDATE OF p SKIP LOCKED
"""

_CHECKED = """
UPDATE engine_prediction p SET checked_at = now(), came_true = g.came_true, seen = g.seen
FROM unnest(%(ids)s::uuid[], %(answers)s::bool[], %(seen)s::jsonb[]) AS g(id, came_true, seen)
WHERE p.id = g.id
"""

_FORGET = """
DELETE FROM engine_prediction WHERE id IN (
    SELECT id FROM engine_prediction
    WHERE checked_at < now() - %(days)s * interval '1 day' ORDER BY id LIMIT %(limit)s)
"""


class _Due(NamedTuple):
    """A prediction whose time has come, with what there is to see."""

    id: UUID
    kind: str
    subject: str
    by: datetime
    mark: str
    bound: int
    state: str | None
    epoch: int | None
    ended_at: datetime | None
    level_changed: bool
    incarnation: str
    seen_at: datetime | None
    said_goodbye: bool
    waiting: int | None
    now: datetime

    @property
    def prediction(self) -> Prediction:
        """What was said."""
        return Prediction(
            Kind(self.kind), self.subject, microseconds(self.by), self.mark, self.bound
        )

    @property
    def sight(self) -> Seen:
        """What is seen."""
        return Seen(
            now=microseconds(self.now),
            state=State(self.state) if self.state else None,
            epoch=self.epoch or 0,
            ended_at=None if self.ended_at is None else microseconds(self.ended_at),
            level_changed=self.level_changed,
            incarnation=self.incarnation,
            seen_at=None if self.seen_at is None else microseconds(self.seen_at),
            said_goodbye=self.said_goodbye,
            waiting=self.waiting or 0,
        )


def make(predictions: Sequence[Prediction]) -> None:
    """Keep what is predicted, unless too many wait to be checked already; one statement."""
    if predictions:
        with connection.cursor() as cursor:
            cursor.execute(MAKE, parameters(predictions))


def parameters(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """What MAKE is executed with."""
    return {
        "workspace": DEFAULT_WORKSPACE,
        "most": MOST_OPEN,
        "ids": [new_id() for _ in predictions],
        "kinds": [prediction.kind.value for prediction in predictions],
        "subjects": [prediction.subject for prediction in predictions],
        "marks": [prediction.mark for prediction in predictions],
        "bounds": [prediction.bound for prediction in predictions],
        "bys": [_EPOCH + timedelta(microseconds=p.by) for p in predictions],
    }


@transaction.atomic
def check_due(rules: Rules) -> int:
    """Check what is due, in the order in which it was due; how many. Four statements at most."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"limit": BATCH})
        due = [_Due(*row) for row in cursor.fetchall()]
    if not due:
        return 0
    answers = [came_true(row.prediction, row.sight) for row in due]
    seen = [
        differed(row.prediction, row.sight) if answer is False else {}
        for row, answer in zip(due, answers, strict=True)
    ]
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"answers": answers, "seen": [Jsonb(what) for what in seen]}
        cursor.execute(_CHECKED, {"ids": [row.id for row in due], **given})
    _learn([answer for answer in answers if answer is not None], rules)
    wrong = [_investigation(row, what) for row, what in zip(due, seen, strict=True) if what]
    record(*wrong)
    return len(due)


def _learn(answers: Sequence[bool], rules: Rules) -> None:
    Trust.objects.get_or_create(pk=Trust.ONLY)
    trust = Trust.objects.select_for_update().get(pk=Trust.ONLY)
    trust.confidence = after(trust.confidence, answers, rules)
    trust.checked += len(answers)
    trust.right += sum(answers)
    trust.save(update_fields=["confidence", "checked", "right"])


def _investigation(row: _Due, what: dict[str, Any]) -> Fact:
    """Why the world was otherwise is for someone to find out (D-18)."""
    tells_of_node = row.kind == Kind.ALIVE
    stream = "node" if tells_of_node else "task" if row.kind != Kind.QUEUE else "platform"
    return Fact(
        type="prediction_failed",
        stream=stream,
        stream_id=row.subject or "queue",
        actor="engine",
        payload={"prediction": str(row.id), "kind": row.kind, "by": row.by.isoformat(), **what},
    )


def forget_old() -> int:
    """Drop checked predictions past their time, a bounded number; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"days": settings.AUTONOMY_PASS_DAYS, "limit": BATCH * 10})
        return int(cursor.rowcount)
