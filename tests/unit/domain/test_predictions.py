"""What is predicted, and when it was wrong (D-18)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.decide import decide
from autonomy.domain.predictions import (
    LONGEST_SECONDS,
    Kind,
    Prediction,
    Seen,
    came_true,
    differed,
    horizon,
    of_node,
    of_pass,
    of_queue,
)
from autonomy.domain.priority import MILLION
from autonomy.domain.states import State
from autonomy.domain.world import Purpose, Record, World
from tests.unit.domain.worlds import NOW, node, task, world, worlds

BY = NOW + 60 * MILLION
DONE = Prediction(Kind.DONE, "t1", BY, mark="3")
OVER = Prediction(Kind.OVER, "t1", BY, mark="3")
ALIVE = Prediction(Kind.ALIVE, "n1", BY, mark="i1")


def epochs(of: World) -> dict[str, int]:
    return {each.id: 1 for each in of.tasks}


@given(worlds)
def test_a_pass_predicts_at_most_one_thing_however_many_tasks_it_sends(given_world: World) -> None:
    decisions = decide(given_world)
    found = of_pass(given_world, decisions, epochs(given_world))

    assert len(found) <= 1
    assert of_pass(given_world, decisions[::-1], epochs(given_world)) == found
    for prediction in found:
        assert prediction.subject in {decision.task for decision in decisions}
        assert given_world.now < prediction.by <= given_world.now + LONGEST_SECONDS * MILLION


def test_each_task_of_a_pass_is_as_likely_to_be_the_one() -> None:
    chosen = []
    for pass_ in range(200):
        seen = world(*(task(f"p{pass_}t{i}") for i in range(4)), node(slots=4))
        chosen.append(of_pass(seen, decide(seen), epochs(seen))[0].subject[-1])

    assert all(30 < chosen.count(str(i)) < 70 for i in range(4))


def test_plans_are_not_predicted() -> None:
    seen = world(task(tier=2, purpose=Purpose.PREFLIGHT), node())

    assert of_pass(seen, decide(seen), epochs(seen)) == []


@pytest.mark.parametrize("estimate", [math.inf, math.nan, 365.0 * 86_400])
def test_what_would_take_longer_than_a_day_is_not_predicted(estimate: float) -> None:
    seen = world(task(estimate_seconds=estimate), node())

    assert of_pass(seen, decide(seen), epochs(seen)) == []


def test_a_skill_that_often_fails_is_only_expected_to_end() -> None:
    failing = Record("files.read", "", value_sum=0, success_sum=1, weight=10, at=NOW)
    likely, unlikely = world(task(), node()), world(task(), node(), failing)

    assert of_pass(likely, decide(likely), epochs(likely))[0].kind is Kind.DONE
    assert of_pass(unlikely, decide(unlikely), epochs(unlikely))[0].kind is Kind.OVER


def test_a_busy_node_is_given_more_time() -> None:
    assert horizon(10, node(slots=2)) == 60 + 40
    assert horizon(10, node(slots=2, in_use=2, unclaimed=2)) == 60 + 40 * 3


@pytest.mark.parametrize(
    ("prediction", "seen", "answer"),
    [
        (DONE, Seen(BY, State.DONE, 3, ended_at=BY), True),
        (DONE, Seen(BY, State.DONE, 3, ended_at=BY + 1), False),
        (DONE, Seen(BY, State.FAILED, 3, ended_at=BY - 9), False),
        (DONE, Seen(BY, State.READY, 4), False),
        (DONE, Seen(BY, State.RUNNING, 3), False),
        (DONE, Seen(BY, State.CANCELLED, 4, ended_at=BY - 9), None),
        (DONE, Seen(BY, State.READY, 4, level_changed=True), None),
        (DONE, Seen(BY, State.DONE, 3, ended_at=BY, level_changed=True), True),
        (DONE, Seen(BY), None),
        (OVER, Seen(BY, State.FAILED, 3, ended_at=BY), True),
        (OVER, Seen(BY, State.FAILED, 3, ended_at=BY + 1), False),
        (OVER, Seen(BY, State.READY, 4), True),
        (OVER, Seen(BY, State.RUNNING, 3), False),
        (ALIVE, Seen(BY, incarnation="i1", seen_at=BY - 15 * MILLION), True),
        (ALIVE, Seen(BY, incarnation="i1", seen_at=BY - 16 * MILLION), False),
        (ALIVE, Seen(BY, incarnation="i2", seen_at=BY), False),
        (ALIVE, Seen(BY, incarnation="i2", seen_at=BY, said_goodbye=True), None),
        (ALIVE, Seen(BY, said_goodbye=True), None),
        (ALIVE, Seen(BY), False),
    ],
)
def test_when_a_prediction_came_true(
    prediction: Prediction, seen: Seen, answer: bool | None
) -> None:
    assert came_true(prediction, seen) is answer
    assert differed(prediction, seen)["expected"] == prediction.words()


def test_a_queue_is_expected_to_go_on_as_it_went() -> None:
    assert of_queue(100, 0.0, NOW).bound == 200
    assert of_queue(100, 10.0, NOW).bound == 1100
    assert of_queue(100, -10.0, NOW).bound == 50


def test_a_queue_that_was_not_counted_in_time_is_void() -> None:
    expected = of_queue(100, 0.0, NOW)
    in_time, late = expected.by + 5 * MILLION, expected.by + 31 * MILLION

    assert came_true(expected, Seen(in_time, waiting=200)) is True
    assert came_true(expected, Seen(in_time, waiting=201)) is False
    assert came_true(expected, Seen(late, waiting=201)) is None


@given(st.integers(0, 10**7), st.floats(-(10**6), 10**6))
def test_a_queue_has_a_bound_whatever_happened(waiting: int, grew: float) -> None:
    assert of_queue(waiting, grew, NOW).bound >= 50


def test_a_node_is_expected_to_live_on_under_the_same_incarnation() -> None:
    assert of_node("n1", "i1", NOW) == Prediction(Kind.ALIVE, "n1", NOW + 300 * MILLION, mark="i1")
