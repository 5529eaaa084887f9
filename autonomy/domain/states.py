"""The states of a task and the one table of legal moves (C-3)."""

from enum import StrEnum


class State(StrEnum):
    """Where a task stands."""

    BLOCKED = "blocked"  # waits for dependencies
    PREFLIGHT = "preflight"  # its plan is to be made, or is being made, by a node
    HELD = "held"  # waits for a person
    READY = "ready"  # may be dispatched once `run_at` has come
    DISPATCHED = "dispatched"  # a node was chosen
    RUNNING = "running"  # a session holds its lease
    VERIFYING = "verifying"  # the session ended; evidence is being looked for
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


TERMINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED, State.REJECTED, State.EXPIRED})
LIVE = frozenset(State) - TERMINAL
LEASED = frozenset({State.PREFLIGHT, State.RUNNING, State.VERIFYING})
"""States in which a node may hold a lease on the task."""

_STOPPED = {State.CANCELLED, State.EXPIRED}

MOVES: dict[State, frozenset[State]] = {
    State.BLOCKED: frozenset({State.PREFLIGHT, State.READY, State.FAILED, *_STOPPED}),
    State.PREFLIGHT: frozenset(
        {State.PREFLIGHT, State.READY, State.HELD, State.REJECTED, State.FAILED, *_STOPPED}
    ),
    State.HELD: frozenset({State.READY, State.PREFLIGHT, State.REJECTED, State.FAILED, *_STOPPED}),
    State.READY: frozenset({State.DISPATCHED, State.PREFLIGHT, State.FAILED, *_STOPPED}),
    State.DISPATCHED: frozenset(
        {State.RUNNING, State.READY, State.PREFLIGHT, State.FAILED, *_STOPPED}
    ),
    State.RUNNING: frozenset(
        {State.VERIFYING, State.READY, State.HELD, State.FAILED, State.CANCELLED, State.EXPIRED}
    ),
    State.VERIFYING: frozenset(
        {State.VERIFYING, State.DONE, State.READY, State.HELD, State.FAILED, State.CANCELLED}
    ),
    **{state: frozenset() for state in TERMINAL},
}


def may_move(old: State, new: State) -> bool:
    """Whether the table allows the move."""
    return new in MOVES[old]


def origins(new: State) -> frozenset[State]:
    """The states from which `new` can be reached in one move."""
    return frozenset(old for old, reachable in MOVES.items() if new in reachable)


class HeldFor(StrEnum):
    """Why a task waits for a person."""

    APPROVAL = "approval"
    AMBIGUOUS = "ambiguous"  # an effect was begun and nobody can tell whether it happened
    INCONCLUSIVE = "inconclusive"  # the verifier could not tell before its deadline
    EXHAUSTED = "exhausted"  # retries ran out and the skill asked to wait for a person


class ErrorClass(StrEnum):
    """What kind of failure ended a session (C-7)."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    VERIFICATION = "verification"
    LOST = "lost"


NEVER_RETRIED = frozenset({ErrorClass.PERMANENT})
