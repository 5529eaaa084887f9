"""The one table of legal moves (C-3)."""

import pytest

from autonomy.domain.states import LIVE, MOVES, TERMINAL, State, may_move, origins


@pytest.mark.parametrize("ended", sorted(TERMINAL))
def test_nothing_leaves_a_terminal_state(ended: State) -> None:
    assert not any(may_move(ended, other) for other in State)


def test_every_state_has_its_row() -> None:
    assert MOVES.keys() == set(State)
    assert set(State) == LIVE | TERMINAL


@pytest.mark.parametrize("live", sorted(LIVE))
def test_every_live_task_can_be_cancelled_and_can_come_to_an_end(live: State) -> None:
    assert may_move(live, State.CANCELLED)


def test_only_evidence_leads_to_done() -> None:
    assert origins(State.DONE) == {State.VERIFYING}


def test_only_a_dispatched_task_starts_to_run() -> None:
    assert origins(State.RUNNING) == {State.DISPATCHED}


@pytest.mark.parametrize("state", sorted(set(State) - {State.BLOCKED}))
def test_every_state_is_reached_from_the_first(state: State) -> None:
    seen, left = {State.BLOCKED}, [State.BLOCKED]
    while left:
        found = MOVES[left.pop()] - seen
        seen |= found
        left += found
    assert state in seen
