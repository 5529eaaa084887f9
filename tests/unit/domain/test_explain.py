"""Any task is explained in plain words, in any state (D-21)."""

from typing import Any

import pytest

from autonomy.domain.explain import Dependency, TaskFacts, explain, spoken
from autonomy.domain.priority import MILLION
from autonomy.domain.reasons import Reason
from autonomy.domain.states import LIVE, TERMINAL, HeldFor, State
from autonomy.domain.world import Purpose
from tests.unit.domain.worlds import MINUTE, NOW, node, task, world

SENTENCE = "n1 scores best of 3 nodes."


def facts(state: State, **changes: Any) -> TaskFacts:
    fields: dict[str, Any] = {
        "id": "t1",
        "skill": "files.read",
        "tier": 1,
        "state": state,
        "origin": "person:ann",
        "now": NOW,
        "attempt": 1,
        "max_attempts": 3,
        "ready": task(),
    }
    return TaskFacts(**{**fields, **changes})


@pytest.mark.parametrize("state", sorted(State))
def test_there_are_words_for_every_state(state: State) -> None:
    for where in ("", "n1"):
        for claimed in (False, True):
            told = explain(facts(state, node=where, claimed=claimed), world(task(), node()))
            assert told.words.endswith(".")


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_what_is_over_has_no_binding_reason(state: State) -> None:
    assert explain(facts(state)).reason is None


@pytest.mark.parametrize("state", sorted(LIVE - {State.RUNNING, State.VERIFYING}))
def test_what_does_not_run_has_exactly_one(state: State) -> None:
    assert isinstance(explain(facts(state), world(task(), node())).reason, Reason)


def test_a_blocked_task_names_what_it_waits_for_and_how_long() -> None:
    waits_for = (
        Dependency("build", State.RUNNING, seconds_left=150),
        Dependency("fetch", State.DONE),
        Dependency("check", State.BLOCKED),
    )

    told = explain(facts(State.BLOCKED, waits_for=waits_for))

    assert told.reason is Reason.DEPENDENCY
    assert told.words == (
        "It waits for 2 tasks: build is running, about 2.5 min to go; check is blocked."
    )


@pytest.mark.parametrize(
    ("held_for", "reason"),
    [
        (HeldFor.APPROVAL, Reason.APPROVAL),
        (HeldFor.AMBIGUOUS, Reason.QUARANTINE),
        (HeldFor.INCONCLUSIVE, Reason.QUARANTINE),
        (HeldFor.EXHAUSTED, Reason.QUARANTINE),
    ],
)
def test_a_held_task_says_what_a_person_is_needed_for(held_for: HeldFor, reason: Reason) -> None:
    told = explain(facts(State.HELD, held_for=held_for))

    assert told.reason is reason
    assert "person" in told.words


def test_a_first_attempt_in_the_future_is_not_due() -> None:
    told = explain(facts(State.READY, attempt=0, run_at=NOW + 90 * MINUTE))

    assert told.reason is Reason.NOT_DUE
    assert told.words == "It has not started (not due): it is due in 90 min."


def test_a_later_attempt_in_the_future_backs_off() -> None:
    told = explain(facts(State.READY, run_at=NOW + 4 * MILLION, reason="timeout"))

    assert told.reason is Reason.BACK_OFF
    assert "attempt 1 of 3 failed; the next one is in 4 s (timeout)" in told.words


def test_a_ready_task_is_explained_from_the_world() -> None:
    told = explain(facts(State.READY), world(task(), node(alive=False)))

    assert told.reason is Reason.TIER_POOL_EMPTY
    assert told.words.startswith("It has not started (node pool for its tier empty): ")


def test_a_task_that_waits_for_its_pre_flight_says_so() -> None:
    waits = task(tier=2, purpose=Purpose.PREFLIGHT)

    told = explain(facts(State.PREFLIGHT, tier=2, ready=waits), world(waits, node(paused=True)))

    assert told.words.startswith("Its pre-flight has not started")


def test_a_task_beyond_what_the_engine_looks_at_says_how_far_behind_it_is() -> None:
    mine = task("t1")
    told = explain(facts(State.READY, ready=mine, place=301), world(mine, node()))

    assert told.reason is Reason.PRIORITY
    assert "300 tasks of person:ann alone come first" in told.words
    assert told.details == {"rank_at_least": 301}


def test_a_task_far_behind_that_no_node_can_take_says_so() -> None:
    mine = task("t1", labels=("gpu",))
    told = explain(facts(State.READY, ready=mine, place=301), world(mine, node()))

    assert told.reason is Reason.NO_CAPABLE_NODE


def test_what_the_engine_cannot_read_is_set_aside_with_the_problem() -> None:
    told = explain(facts(State.READY, problem="labels are 7", standing=("Mind the gap",)))

    assert told.reason is Reason.QUARANTINE
    assert told.sentences[0].endswith("it is set aside: labels are 7.")
    assert told.sentences[1] == "Mind the gap."


def test_explaining_what_may_be_dispatched_takes_the_world() -> None:
    with pytest.raises(ValueError, match="takes the world"):
        explain(facts(State.READY))


def test_a_running_task_says_why_there_and_then() -> None:
    told = explain(
        facts(
            State.RUNNING,
            node="n1",
            claimed=True,
            started_at=NOW - 12 * MILLION,
            estimate_seconds=10.0,
            decision=SENTENCE,
        )
    )

    assert told.words == (
        "It runs on n1 since 12 s; 10 s were expected. This is attempt 1 of 3. "
        "Why there and then: n1 scores best of 3 nodes."
    )


def test_a_task_that_ended_says_how_where_and_from_which_evidence() -> None:
    told = explain(
        facts(
            State.FAILED,
            reason="refuted",
            node="n1",
            started_at=NOW - 70 * MINUTE,
            ended_at=NOW - 10 * MINUTE,
            verdict="refuted",
            evidence=("out.txt: expected a file, saw none",),
            decision=SENTENCE,
            dollars="0.12",
        )
    )

    assert told.words == (
        "It ended failed 10 min ago: refuted. "
        "The evidence says refuted (out.txt: expected a file, saw none). "
        "It ran on n1 for 60 min, on attempt 1 of 3. "
        "Why there and then: n1 scores best of 3 nodes. It cost $0.12."
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (5400, "90 min"),
        (9000, "2.5 h"),
        (400_000, "4.6 d"),
    ],
)
def test_durations_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
