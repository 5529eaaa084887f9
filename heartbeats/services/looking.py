"""Taking ticks, and writing down what their looks found (E-2, E-4)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DataError, connection, transaction
from pydantic import ValidationError

from autonomy.systemmap.selectors import UnknownSkill
from autonomy.tasks.services import SubmitRefused, submit
from heartbeats.domain.keys import dedupe_key
from heartbeats.models import Noticed, Watch
from heartbeats.sdk import MOST_FINDINGS, Finding
from heartbeats.selectors.watches import CLAIMABLE
from heartbeats.services.switching import disable
from ledger.domain import storable

LEASE_SECONDS = 60
STRIKES = 3
MAX_ERROR_CHARS = 2000


class TickLost(Exception):
    """The tick was taken by another node, or its watch is gone: what this look found is dropped."""


@dataclass(frozen=True)
class TakenTick:
    """A tick this node is to look for; `attempt` is the fence."""

    id: UUID
    attempt: int
    watch_id: UUID
    watch: str
    detector: str
    network: bool
    due_at: datetime
    now: datetime
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Looked:
    """What became of the findings of one look."""

    submitted: tuple[UUID, ...] = ()
    repeated: int = 0  # noticed before, or already being worked on
    refused: tuple[str, ...] = ()


# Watches are locked first, so that the second statement sees every tick that was just taken.
_LOCK = f"""
SELECT w.id FROM heartbeats_watch w JOIN systemmap_node n ON n.name = %s
WHERE {CLAIMABLE}
ORDER BY (SELECT min(t.due_at) FROM heartbeats_tick t
    WHERE t.watch_id = w.id AND t.state IN ('due', 'running'))
LIMIT %s
FOR NO KEY UPDATE OF w SKIP LOCKED
"""  # noqa: S608 -- put together from constants

_TAKE = """
WITH picked AS (
    SELECT DISTINCT ON (t.watch_id) t.id, t.watch_id, t.due_at, w.missed
    FROM heartbeats_tick t JOIN heartbeats_watch w ON w.id = t.watch_id
    WHERE t.watch_id = ANY(%(watches)s) AND t.state IN ('due', 'running')
      AND NOT EXISTS (SELECT 1 FROM heartbeats_tick live WHERE live.watch_id = t.watch_id
          AND live.state = 'running' AND live.lease_until >= now())
    ORDER BY t.watch_id, t.state = 'running' DESC,
             CASE w.missed WHEN 'all' THEN t.due_at END, t.due_at DESC
), coalesced AS (
    UPDATE heartbeats_tick t
    SET state = 'skipped', ended_at = now(), error = 'a later tick took its place'
    FROM picked
    WHERE t.watch_id = picked.watch_id AND t.state = 'due' AND t.due_at < picked.due_at
      AND picked.missed <> 'all'
)
UPDATE heartbeats_tick t
SET state = 'running', node = %(node)s, attempt = t.attempt + 1, started_at = now(),
    lease_until = now() + make_interval(secs => %(lease)s)
FROM picked JOIN heartbeats_watch w ON w.id = picked.watch_id
LEFT JOIN systemmap_component c
    ON c.kind = 'detector' AND c.name = w.detector AND c.workspace_id = w.workspace_id
WHERE t.id = picked.id
RETURNING t.id, t.attempt, w.id, w.name, w.detector,
          coalesce((c.declaration ->> 'network')::bool, false), t.due_at, now(),
          w.params
"""

_QUIET = """
WITH ended AS (
    UPDATE heartbeats_tick t
    SET state = 'done', ended_at = now(), lease_until = NULL, error = q.note
    FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS q (id, attempt, note)
    WHERE t.id = q.id AND t.attempt = q.attempt AND t.state = 'running'
    RETURNING t.id, t.watch_id, q.note
), cleared AS (
    UPDATE heartbeats_watch w SET strikes = 0
    FROM ended WHERE w.id = ended.watch_id AND w.strikes > 0 AND ended.note = ''
)
SELECT id FROM ended
"""

_END = """
WITH ended AS (
    UPDATE heartbeats_tick SET state = %(state)s, ended_at = now(), lease_until = NULL,
        findings = %(findings)s, error = %(error)s
    WHERE id = %(tick)s AND attempt = %(attempt)s AND state = 'running'
    RETURNING watch_id
)
UPDATE heartbeats_watch w
SET strikes = CASE %(state)s WHEN 'failed' THEN w.strikes + 1 ELSE 0 END
FROM ended WHERE w.id = ended.watch_id
RETURNING w.strikes
"""


_RELEASE = """
UPDATE heartbeats_tick t SET state = 'due', node = '', lease_until = NULL
FROM unnest(%s::uuid[], %s::int[]) AS r (id, attempt)
WHERE t.id = r.id AND t.attempt = r.attempt AND t.state = 'running'
"""


@transaction.atomic
def claim_ticks(node: str, limit: int) -> list[TakenTick]:
    """Take up to `limit` ticks whose detectors the node has loaded, one per watch.

    A tick whose lease ran out is taken again; of several due ones the newest stands for all, unless
    the watch is to catch up.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [node, limit])
        watches = [watch for (watch,) in cursor.fetchall()]
        if not watches:
            return []
        cursor.execute(_TAKE, {"watches": watches, "node": node, "lease": LEASE_SECONDS})
        return [_taken(row) for row in cursor.fetchall()]


def _taken(row: Sequence[Any]) -> TakenTick:
    return replace(TakenTick(*row), params=json.loads(row[-1]))


def finish_quiet(ticks: Sequence[tuple[TakenTick, str]]) -> set[UUID]:
    """End ticks that found nothing, each with a note, in one statement; answers which were ours."""
    if not ticks:
        return set()
    rows = [(tick.id, tick.attempt, storable.text(note)[:MAX_ERROR_CHARS]) for tick, note in ticks]
    with connection.cursor() as cursor:
        cursor.execute(_QUIET, [list(column) for column in zip(*rows, strict=True)])
        return {tick_id for (tick_id,) in cursor.fetchall()}


def release(ticks: Sequence[TakenTick]) -> None:
    """Give ticks back that nobody could look for, to be taken again at once."""
    if ticks:
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, [[t.id for t in ticks], [t.attempt for t in ticks]])


@transaction.atomic
def finish(tick: TakenTick, findings: Sequence[Finding | Mapping[str, Any]]) -> Looked:
    """End a tick and ask for what its findings name, all in one transaction; raises TickLost.

    A finding that cannot be asked for is a strike; the others are asked for all the same.
    """
    asked, refused = _read(findings)
    looked = _act(tick, asked, refused)
    error = "; ".join(looked.refused)
    strikes = _end(tick, "failed" if error else "done", findings=len(findings), error=error)
    _disable_after_strikes(tick, strikes, error)
    return looked


@transaction.atomic
def fail(tick: TakenTick, error: str) -> None:
    """End a tick whose look failed: a strike, and the third ends its watch; raises TickLost."""
    _disable_after_strikes(tick, _end(tick, "failed", findings=0, error=error), error)


def _read(findings: Iterable[Finding | Mapping[str, Any]]) -> tuple[list[Finding], list[str]]:
    """What a detector answered, as findings, and what cannot be read of it."""
    read, unreadable = [], []
    for number, finding in enumerate(findings, 1):
        if number > MOST_FINDINGS:
            unreadable.append(f"more than {MOST_FINDINGS} findings in one look")
            break
        try:
            read.append(Finding.model_validate(finding))
        except ValidationError as error:
            words = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            unreadable.append(f"finding {number}: {words}")
    return read, unreadable


def _act(tick: TakenTick, findings: list[Finding], refused: list[str]) -> Looked:
    seen = _noticed_before(tick, [f.dedupe_key for f in findings if f.once])
    rows: list[Noticed] = []
    for finding in findings:
        if finding.once and finding.dedupe_key in seen:
            continue
        try:
            task_id, created = _submit(tick, finding)
        except (SubmitRefused, UnknownSkill, DataError) as error:
            refused.append(f"{finding.skill}: {error}")
            continue
        if finding.once:
            seen.add(finding.dedupe_key)
        if created or finding.once:
            rows.append(_row(tick, finding, task_id))
    Noticed.objects.bulk_create(rows)
    return Looked(
        submitted=tuple(row.task_id for row in rows if row.task_id),
        repeated=len(findings) - len(rows) - len(refused),
        refused=tuple(refused),
    )


def _noticed_before(tick: TakenTick, keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    known = Noticed.objects.filter(watch_id=tick.watch_id, once=True, key__in=keys)
    return set(known.values_list("key", flat=True))


@transaction.atomic
def _submit(tick: TakenTick, finding: Finding) -> tuple[UUID, bool]:
    submitted = submit(
        finding.skill,
        finding.args,
        origin=f"detector:{tick.detector}",
        requested_by=f"service:{tick.detector}",
        cause=[f"{tick.detector}:{tick.id}"],
        dedupe_key=dedupe_key(tick.watch, finding.dedupe_key),
    )
    return submitted.task_id, submitted.created


def _row(tick: TakenTick, finding: Finding, task_id: UUID) -> Noticed:
    return Noticed(
        tick_id=tick.id,
        watch_id=tick.watch_id,
        key=finding.dedupe_key,
        once=finding.once,
        skill=finding.skill,
        args=finding.args,
        reason=storable.text(finding.reason),
        task_id=task_id,
    )


def _end(tick: TakenTick, state: str, *, findings: int, error: str) -> int:
    """Compare and set; answers how many strikes the watch has now."""
    fields: dict[str, Any] = {
        "tick": tick.id,
        "attempt": tick.attempt,
        "state": state,
        "findings": findings,
        "error": storable.text(error)[:MAX_ERROR_CHARS],
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, fields)
        row = cursor.fetchone()
    if row is None:
        raise TickLost(f"the tick of {tick.watch} due at {tick.due_at} is no longer ours")
    strikes: int = row[0]
    return strikes


def _disable_after_strikes(tick: TakenTick, strikes: int, error: str) -> None:
    if strikes < STRIKES:
        return
    watch = Watch.objects.get(id=tick.watch_id)
    disable(watch, f"{strikes} failures in a row, the last: {error}", by="service:heartbeats")
