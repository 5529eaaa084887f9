"""Writing down how sessions ended, for all that ended in the last moments at once (C-4, C-28).

Each move is a compare-and-set on task, epoch and state. What does not fit is a stale write: it
changes nothing and is recorded as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from autonomy.domain.states import TERMINAL, ErrorClass, State, origins
from autonomy.sdk.evidence import Verdict
from autonomy.tasks.models import Task
from autonomy.tasks.services import graph
from autonomy.tasks.services.effects import record_stale
from autonomy.tasks.services.sessions import SessionEnd, close_sessions
from autonomy.tasks.services.spending import spent_by, with_spending
from firewall import services as firewall
from ledger.domain.evidence import bound, stored
from ledger.domain.storable import text
from ledger.services import Fact, NewOutcome, record, record_outcomes

_NOT_DONE = frozenset({Verdict.REFUTED, Verdict.INCONCLUSIVE})


@dataclass(frozen=True)
class Ending:
    """One task's next state, and the evidence for it. Seconds."""

    task_id: UUID
    epoch: int
    session_id: UUID | None
    state: State
    reason: str = ""
    error_class: ErrorClass | None = None
    verdict: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    quality: float | None = None
    run_seconds: float = 0.0
    verify_seconds: float = 0.0
    delay_seconds: float = 0.0  # before the next attempt, where the state is ready again
    reset_attempts: bool = False
    counted: bool = True  # whether the attempt was one: not where the node was told to stop
    session: SessionEnd | None = None

    def __post_init__(self) -> None:
        """Only evidence makes a task done (P3)."""
        if self.state is State.DONE and self.verdict in _NOT_DONE:
            raise ValueError(f"a task whose evidence says {self.verdict} cannot end done")


_SOURCES = {new: sorted(origins(new)) for new in State}

_ASKED_ABOUT = (State.HELD, State.PREFLIGHT)
"""States in which a person's answer may be waited for."""

# What the facts need of the row as it was comes from `before`. A task whose end was asked for while
# a node held it is not given another attempt, nor to a person: it ends here.
_SETTLE = f"""
WITH RECURSIVE given AS (
    SELECT * FROM unnest(
        %(tasks)s::uuid[], %(epochs)s::int[], %(states)s::text[], %(sources)s::jsonb[],
        %(reasons)s::text[], %(delays)s::float8[], %(resets)s::bool[], %(counted)s::bool[]
    ) AS g(id, epoch, state, sources, reason, delay, reset, counted)
), {graph.AROUND}, before AS (
    SELECT t.id, t.state, t.node, t.attempt, t.started_at, t.dispatched_at,
        greatest(t.ready_at, t.run_at) AS ready_at,
        t.cancel_requested_at IS NOT NULL AND g.state <> ALL(%(terminal)s) AS stopped,
        t.reason AS asked
    FROM locked t JOIN given g ON g.id = t.id AND g.epoch = t.epoch
    WHERE g.sources ? t.state
), fate AS (
    SELECT g.id, g.delay, g.reset, g.counted,
        CASE WHEN before.stopped THEN 'cancelled' ELSE g.state END AS state,
        CASE WHEN before.stopped
             THEN concat_ws('; ', 'cancelled: ' || before.asked, nullif(g.reason, ''))
             ELSE g.reason END AS reason
    FROM given g JOIN before ON before.id = g.id
)
UPDATE tasks_task t SET
    state = g.state,
    reason = g.reason,
    epoch = t.epoch + 1,
    lease_until = NULL,
    node = CASE WHEN g.state = ANY(%(terminal)s) THEN t.node ELSE '' END,
    attempt = CASE WHEN g.reset THEN 0 WHEN g.counted THEN t.attempt
                   ELSE greatest(0, t.attempt - 1) END,
    run_at = now() + make_interval(secs => g.delay),
    ready_at = CASE WHEN g.state IN ('ready', 'preflight')
                    THEN now() + make_interval(secs => g.delay) ELSE t.ready_at END,
    ended_at = CASE WHEN g.state = ANY(%(terminal)s) THEN now() END
FROM fate g, before
WHERE g.id = t.id AND before.id = t.id
RETURNING t.id, t.state, t.reason, before.state, before.node, before.attempt,
    greatest(0, extract(epoch FROM before.started_at - before.ready_at))::float8,
    greatest(0, extract(epoch FROM before.dispatched_at - before.ready_at))::float8
"""  # noqa: S608 -- ours

_RELEASE = """
WITH ended AS (SELECT unnest(%(tasks)s::uuid[]) AS id), waiting AS (
    SELECT t.id, count(*) AS n FROM tasks_task t
    JOIN tasks_edge e ON e.downstream_id = t.id JOIN ended ON ended.id = e.upstream_id
    WHERE t.state = 'blocked' GROUP BY t.id
), locked AS (
    SELECT t.id, waiting.n FROM tasks_task t JOIN waiting USING (id)
    ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET waiting_on = greatest(0, t.waiting_on - locked.n)
FROM locked WHERE t.id = locked.id
"""


@transaction.atomic
def plan_accepted(
    task_id: UUID, epoch: int, session_id: UUID, *, plan: dict[str, Any], session: SessionEnd
) -> bool:
    """The pre-flight of a tier 2 task said go: it may run (F-1)."""
    ending = Ending(task_id, epoch, session_id, State.READY, reset_attempts=True, session=session)
    return _keep_plan(task_id, epoch, session_id, plan) and bool(settle([ending]))


@transaction.atomic
def hold(ending: Ending, request: firewall.Request, *, plan: dict[str, Any] | None = None) -> bool:
    """The task waits for a person: ask about exactly these bytes (F-3)."""
    if plan is not None and not _keep_plan(ending.task_id, ending.epoch, ending.session_id, plan):
        return False
    if settle([ending]).get(ending.task_id) is not State.HELD:
        return False
    firewall.request(request)
    return True


def _keep_plan(task_id: UUID, epoch: int, session_id: UUID | None, plan: dict[str, Any]) -> bool:
    kept = Task.objects.filter(
        id=task_id, epoch=epoch, session_id=session_id, state=State.PREFLIGHT
    ).update(plan=plan)
    if not kept:
        record_stale(task_id, epoch, session_id, what="plan")
    return bool(kept)


@transaction.atomic
def settle(endings: Sequence[Ending]) -> dict[UUID, State]:
    """Move each task, record outcomes, scores and facts; answers the tasks that moved, and whereto.

    One whose end was asked for meanwhile is cancelled instead of going on.
    """
    moved = _move(endings)
    settled = []
    for ending in endings:
        if ending.task_id in moved:
            became = moved[ending.task_id]
            settled.append(replace(ending, state=became.state, reason=became.reason))
        else:
            record_stale(ending.task_id, ending.epoch, ending.session_id, what=ending.state)
    close_sessions(
        [(e.session_id, e.task_id, e.session) for e in settled if e.session_id and e.session]
    )
    _finish([e for e in settled if e.state in TERMINAL], moved)
    _keep_evidence([e for e in settled if e.state not in TERMINAL and e.evidence])
    if settled:
        record(*(_fact(e, moved[e.task_id]) for e in settled))
    return {task_id: move.state for task_id, move in moved.items()}


@dataclass(frozen=True)
class _Move:
    """What became of a task, and what it was before."""

    state: State
    reason: str
    old_state: str
    node: str
    attempt: int
    queue_seconds: float
    decision_seconds: float


def _move(endings: Sequence[Ending]) -> dict[UUID, _Move]:
    if not endings:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "tasks": [e.task_id for e in endings],
                "epochs": [e.epoch for e in endings],
                "states": [e.state.value for e in endings],
                "sources": [Jsonb(_SOURCES[e.state]) for e in endings],
                "reasons": [text(e.reason) for e in endings],
                "delays": [e.delay_seconds for e in endings],
                "resets": [e.reset_attempts for e in endings],
                "counted": [e.counted for e in endings],
                "terminal": sorted(TERMINAL),
            },
        )
        return {row[0]: _Move(State(row[1]), *row[2:]) for row in cursor.fetchall()}


def _finish(ended: Sequence[Ending], moved: dict[UUID, _Move]) -> None:
    """One outcome per task, and whoever waited for it waits for one less."""
    if not ended:
        return
    rows = with_spending(Task.objects.all()).in_bulk([ending.task_id for ending in ended])
    record_outcomes([_outcome(e, rows[e.task_id], moved[e.task_id]) for e in ended])
    early = [e.task_id for e in ended if moved[e.task_id].old_state == State.BLOCKED]
    if early:
        graph.count_ended_early(early)
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"tasks": [ending.task_id for ending in ended]})
    asked = [e.task_id for e in ended if moved[e.task_id].old_state in _ASKED_ABOUT]
    if asked:
        firewall.void(asked, "the task ended")


def _keep_evidence(endings: Sequence[Ending]) -> None:
    """What was seen and did not end the task: whoever decides how it goes on has to see it."""
    if not endings:
        return
    rows = [Task(id=ending.task_id, evidence=stored(ending.evidence)) for ending in endings]
    Task.objects.bulk_update(rows, ["evidence"])


def _outcome(ending: Ending, task: Task, move: _Move) -> NewOutcome:
    spent = spent_by(task)
    return NewOutcome(
        task_id=task.id,
        workspace_id=task.workspace_id,
        session_id=ending.session_id,
        epoch=ending.epoch,
        skill=task.skill,
        node=move.node,
        tier=task.tier,
        state=ending.state.value,
        reason=ending.reason,
        verdict=ending.verdict,
        evidence=ending.evidence,
        decision_seconds=move.decision_seconds if ending.session_id else None,
        queue_seconds=move.queue_seconds,
        run_seconds=ending.run_seconds,
        verify_seconds=ending.verify_seconds,
        expected_seconds=task.estimate_seconds,
        retries=max(0, move.attempt - 1),
        dollars=spent.dollars,
        tokens=spent.tokens,
        quality=ending.quality,
        error_class=ending.error_class or "",
        canary=task.canary,
    )


def _fact(ending: Ending, move: _Move) -> Fact:
    return Fact(
        type=f"task_{ending.state.value}",
        stream="task",
        stream_id=str(ending.task_id),
        actor=f"node:{move.node}" if move.node else "engine",
        payload={
            "from": move.old_state,
            "epoch": ending.epoch,
            "reason": ending.reason,
            "verdict": ending.verdict,
            "error_class": ending.error_class or "",
            "session": str(ending.session_id) if ending.session_id else "",
            **bound(ending.evidence),
        },
    )
