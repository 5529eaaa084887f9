"""Noticing due times: each becomes one tick, however many clocks and messages say so (E-4)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from heartbeats.domain.due import next_due
from heartbeats.domain.missed import Due, Missed, found_due
from heartbeats.models import TickState, Watch
from heartbeats.selectors import UnusableSchedule, due_watches, plan_of
from heartbeats.services.switching import disable
from ledger.domain.ids import new_id
from ledger.services import Fact, record

ACTOR = "service:heartbeats"

_INSERT = """
INSERT INTO heartbeats_tick
    (id, workspace_id, watch_id, due_at, state, error, ended_at, node, attempt, findings)
SELECT d.id, w.workspace_id, w.id, d.due_at, d.state, d.error,
       CASE d.state WHEN 'skipped' THEN now() END, '', 0, 0
FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[])
     AS d (id, watch_id, due_at, state, error)
JOIN heartbeats_watch w ON w.id = d.watch_id
ON CONFLICT (watch_id, due_at) DO NOTHING
RETURNING state
"""

_ADVANCE = """
UPDATE heartbeats_watch w
SET next_due_at = p.next_due_at, planned = p.planned, schedules_seen_at = p.seen_at
FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::timestamptz[])
     AS p (watch_id, next_due_at, planned, seen_at)
WHERE w.id = p.watch_id
"""


@dataclass(frozen=True)
class _Look:
    """What the schedule of one watch says now."""

    watch: Watch
    due: Due
    planned: str
    schedules_seen_at: datetime | None
    unable: str  # why the due times are skipped instead of run


@transaction.atomic
def notice(only: Collection[UUID] | None = None, *, now: datetime | None = None) -> int:
    """Write a tick for every due time since the last look; answers how many are to run.

    A watch that another process is looking at is left to it. `now` is the database's, unless given.
    """
    watches = due_watches(now, only).select_for_update(skip_locked=True, of=("self",), no_key=True)
    looks = []
    for watch in watches:
        try:
            looks.append(_look(watch))
        except UnusableSchedule as error:
            disable(watch, str(error), by=ACTOR)
    if not looks:
        return 0
    to_run = _insert([tick for look in looks for tick in _ticks(look)])
    _advance(looks)
    record(*(_missed(look) for look in looks if look.due.unlisted_until))
    return to_run


def _look(watch: Any) -> _Look:
    plan = plan_of(watch.schedule)
    if plan.schedule is None:
        due = Due((), (), None, None)
    elif plan.words != watch.planned or watch.next_due_at is None:  # it begins, or begins anew
        due = Due((), (), None, next_due(plan.schedule, max(watch.seen_at, plan.not_before)))
    else:
        since = max(watch.next_due_at, plan.not_before)
        due = found_due(plan.schedule, since=since, now=watch.seen_at, missed=Missed(watch.missed))
    return _Look(watch, due, plan.words, watch.schedules_changed_at, _unable(watch))


def _unable(watch: Any) -> str:
    if watch.detector_paused is None:
        return f"no loaded module declares detector {watch.detector!r}"
    return f"detector {watch.detector!r} is paused" if watch.detector_paused else ""


def _ticks(look: _Look) -> Iterator[tuple[UUID, UUID, datetime, str, str]]:
    for due_at in look.due.skipped:
        yield new_id(), look.watch.id, due_at, TickState.SKIPPED, look.unable or "missed"
    for due_at in look.due.run:
        state = TickState.SKIPPED if look.unable else TickState.DUE
        yield new_id(), look.watch.id, due_at, state, look.unable


def _insert(ticks: Sequence[tuple[UUID, UUID, datetime, str, str]]) -> int:
    if not ticks:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in zip(*ticks, strict=True)])
        return sum(state == TickState.DUE for (state,) in cursor.fetchall())


def _advance(looks: Sequence[_Look]) -> None:
    rows = [(k.watch.id, k.due.next_due_at, k.planned, k.schedules_seen_at) for k in looks]
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, [list(column) for column in zip(*rows, strict=True)])


def _missed(look: _Look) -> Fact:
    """Due times too many to be kept one by one, told from when to when."""
    return Fact(
        type="ticks_missed",
        stream="detector",
        stream_id=look.watch.name,
        actor=ACTOR,
        payload={"from": look.watch.next_due_at, "to": look.due.unlisted_until},
    )
