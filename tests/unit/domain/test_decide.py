"""What the engine may and may not choose (D-2 to D-6, D-14)."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.decide import Decision, decide, deliberate
from autonomy.domain.placement import explores, need_of, unfit, window
from autonomy.domain.priority import DEFAULT_WEIGHTS, Weights
from autonomy.domain.reasons import Reason
from autonomy.domain.standing import standing_in_the_way
from autonomy.domain.world import Purpose, ReadyTask, Record, Stop, Subject, World
from firewall.domain.levels import Level
from tests.unit.domain.worlds import MINUTE, NOW, crowded, node, task, world, worlds

A_ROWS = [(3, 10), (3, 30), (1, 20)]  # tiers and hints
EXPLOIT = Weights(exploration=0.0)


def went(decisions: list[Decision]) -> dict[str, str]:
    return {decision.task: decision.node for decision in decisions}


@given(worlds, st.randoms(use_true_random=False))
def test_the_same_world_gives_the_same_decisions_however_it_was_observed(
    given_world: World, dice: random.Random
) -> None:
    tasks, nodes = list(given_world.tasks), list(given_world.nodes)
    dice.shuffle(tasks)
    dice.shuffle(nodes)

    again = replace(given_world, tasks=tuple(tasks), nodes=tuple(nodes))

    assert decide(again) == decide(given_world)


def test_other_hash_seeds_change_nothing() -> None:
    script = (
        "from tests.unit.domain.worlds import node, task, world\n"
        "from autonomy.domain.decide import decide\n"
        "rows = [task(f't{i}', origin=f'o{i % 3}', siblings=f'p{i % 2}') for i in range(40)]\n"
        "print([d.to_json() for d in decide(world(*rows, *(node(f'n{i}') for i in range(9))))])"
    )

    answers = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert len(answers) == 1


@given(worlds)
def test_no_node_gets_more_than_its_free_slots_and_window(given_world: World) -> None:
    given_to = Counter(decision.node for decision in decide(given_world))

    for each in given_world.nodes:
        room = each.slots + window(each, given_world, DEFAULT_WEIGHTS)
        assert given_to[each.name] <= max(0, room - each.in_use - each.unclaimed)
        assert not each.trial or given_to[each.name] <= 1


@given(worlds)
def test_no_task_goes_where_it_may_not(given_world: World) -> None:
    nodes = {each.name: each for each in given_world.nodes}
    tasks = {each.id: each for each in given_world.tasks}

    for decision in decide(given_world):
        chosen, sent = nodes[decision.node], tasks[decision.task]
        assert sent.tier in chosen.tiers
        assert set(sent.labels) <= set(chosen.labels)
        assert chosen.alive
        assert not chosen.paused
        assert unfit(chosen, need_of(sent)) == ""
        assert standing_in_the_way(sent, given_world) is None


@given(worlds)
def test_each_task_goes_once_and_none_that_could_go_is_left(given_world: World) -> None:
    decisions = decide(given_world)

    sent = [decision.task for decision in decisions]
    assert len(sent) == len(set(sent))
    given_to = Counter(decision.node for decision in decisions)
    for each in given_world.nodes:
        taken = each.in_use + each.unclaimed + given_to[each.name]
        if taken < each.slots and not each.trial:
            left = [t for t in given_world.tasks if t.id not in sent]
            assert all(unfit(each, need_of(t)) or stopped(t, given_world) for t in left)


def stopped(ready: ReadyTask, in_world: World) -> bool:
    return standing_in_the_way(ready, in_world) is not None


@given(worlds)
def test_scores_are_whole_millionths_and_the_chosen_candidate_comes_first(
    given_world: World,
) -> None:
    for decision in decide(given_world):
        assert isinstance(decision.score, int)
        assert decision.candidates[0].node == decision.node
        assert decision.candidates_in_all >= len(decision.candidates)
        if not decision.exploring:
            assert decision.score == max(each.score for each in decision.candidates)


@given(worlds | crowded(), st.integers(1, 3))
def test_the_essence_of_a_world_leads_to_the_same_decisions(given_world: World, lead: int) -> None:
    weights = Weights(lead=lead)
    found = deliberate(given_world, weights)

    assert decide(found.essence, weights) == found.decisions


def test_the_essence_holds_those_who_made_others_wait_without_going_themselves() -> None:
    rows = [task(f"a{i}", origin="a", tier=t, hint=h) for i, (t, h) in enumerate(A_ROWS)]
    rows += [task("b0", origin="b", tier=3, hint=10)]
    rows += [task("c0", origin="c", tier=3, hint=20), task("c1", origin="c", tier=3, hint=40)]
    nodes = [node("n0", slots=1, tiers=(1,)), node("n1", slots=3, tiers=(3,))]
    weights = Weights(lead=3)

    found = deliberate(world(*rows, *nodes, owed={"b": 2, "c": 1}), weights)

    assert [decision.task for decision in found.decisions] == ["c1", "a1", "c0", "a2"]
    assert {"a0", "b0"} <= {each.id for each in found.essence.tasks}
    assert decide(found.essence, weights) == found.decisions


def test_the_essence_of_a_long_queue_is_short() -> None:
    rows = [task(f"t{i:05}", origin=f"o{i % 4}") for i in range(2000)]

    found = deliberate(world(*rows, node(slots=3)))

    assert len(found.decisions) == 3
    assert len(found.essence.tasks) <= 3 + 2 * 4


@given(worlds)
def test_decisions_can_be_stored(given_world: World) -> None:
    for decision in decide(given_world):
        stored = json.loads(json.dumps(decision.to_json()))
        assert stored["task"] == decision.task
        assert stored["candidates"][0]["reason"]


def test_within_an_origin_the_highest_priority_goes_first() -> None:
    rows = [task("low"), task("high", dependents=3), task("middle", critical=True)]

    decisions = decide(world(*rows, node(slots=2)))

    assert [decision.task for decision in decisions] == ["high", "middle"]


def test_among_equals_the_one_that_waited_longest_goes_then_the_smallest_id() -> None:
    rows = [task("b"), task("a"), task("z", ready_since=NOW - 2 * MINUTE)]

    assert [d.task for d in decide(world(*rows, node(slots=3)))] == ["z", "a", "b"]


def test_the_node_with_the_better_record_is_chosen() -> None:
    good = Record("files.read", "n2", value_sum=9, success_sum=10, weight=10, at=NOW)
    bad = Record("files.read", "n1", value_sum=1, success_sum=1, weight=10, at=NOW)

    (decision,) = decide(world(task(), node("n1"), node("n2"), good, bad), EXPLOIT)

    assert decision.node == "n2"
    assert decision.reason.startswith("n2 scores best of 2 nodes (98% likely to succeed")


def test_an_old_record_counts_less_than_a_new_one() -> None:
    long_ago = NOW - 600 * MINUTE
    failed_long_ago = Record("files.read", "n1", value_sum=0, success_sum=0, weight=9, at=long_ago)
    failed_now = Record("files.read", "n2", value_sum=0, success_sum=0, weight=2, at=NOW)

    decisions = decide(world(task(), node("n1"), node("n2"), failed_long_ago, failed_now), EXPLOIT)

    assert went(decisions) == {"t1": "n1"}


@pytest.mark.parametrize("crowding", [0.0, 0.5])
def test_equal_nodes_are_filled_evenly(crowding: float) -> None:
    rows = [task(f"t{i}") for i in range(6)]
    nodes = [node(f"n{i}", slots=4) for i in range(3)]

    given_to = Counter(went(decide(world(*rows, *nodes), Weights(crowding=crowding))).values())

    assert given_to == {"n0": 2, "n1": 2, "n2": 2}


def test_siblings_land_on_different_nodes_while_there_are_free_ones() -> None:
    rows = [task(f"t{i}", siblings="p1") for i in range(3)]
    nodes = [node(f"n{i}", slots=4) for i in range(3)]

    assert sorted(went(decide(world(*rows, *nodes))).values()) == ["n0", "n1", "n2"]


def test_a_sibling_keeps_away_from_those_that_run() -> None:
    nodes = [node("n1", slots=9, siblings={"p1": 1}), node("n2", slots=9, in_use=4)]

    assert went(decide(world(task(siblings="p1"), *nodes), EXPLOIT)) == {"t1": "n2"}


def test_a_retry_goes_to_another_node_when_there_is_one() -> None:
    retried = task(failed_on=("n1",))

    assert went(decide(world(retried, node("n1"), node("n2", in_use=1)), EXPLOIT)) == {"t1": "n2"}
    assert went(decide(world(retried, node("n1")))) == {"t1": "n1"}


def test_a_busy_node_gets_a_small_window_beyond_its_slots() -> None:
    quick = node("quick", slots=2, in_use=2, mean_seconds=0.05)
    slow = node("slow", slots=2, in_use=2, mean_seconds=600)
    rows = [task(f"t{i}") for i in range(9)]

    given_to = Counter(went(decide(world(*rows, quick, slow, round_trip_seconds=0.06))).values())

    assert given_to == {"quick": 2}


def test_the_window_is_bounded_however_quick_the_work_is() -> None:
    quick = node(slots=2, mean_seconds=1e-9)

    assert window(quick, world(), Weights(window_per_slot=3)) == 6


def test_a_careful_engine_uses_half_the_window_and_half_the_batch() -> None:
    rows = [task(f"t{i}") for i in range(20)]
    quick = node(slots=4, mean_seconds=0.01)

    assert window(quick, world(level=Level.CAREFUL), DEFAULT_WEIGHTS) == 4
    assert len(decide(world(*rows, quick, level=Level.CAREFUL), Weights(batch=6))) == 3


@pytest.mark.parametrize(
    ("level", "gone"),
    [
        (Level.FULL, {"reads", "one", "unplanned", "two", "yes", "plan"}),
        (Level.CAREFUL, {"reads", "one", "two", "yes", "plan"}),
        (Level.ASK, {"reads", "one", "yes", "plan"}),
        (Level.OBSERVE, {"reads", "plan"}),
        (Level.OFF, set()),
    ],
)
def test_the_autonomy_level_bounds_what_goes(level: Level, gone: set[str]) -> None:
    rows = [
        task("reads", changes_nothing=True),
        task("one"),
        task("unplanned", unplanned=True),
        task("two", tier=2),
        task("yes", tier=3, approved=True),
        task("plan", tier=3, purpose=Purpose.PREFLIGHT),
    ]

    assert set(went(decide(world(*rows, node(slots=9), level=level)))) == gone


@pytest.mark.parametrize(
    ("subject", "name", "gone"),
    [
        (Subject.EVERYTHING, "", set()),
        (Subject.SKILL, "files.move", {"other", "three"}),
        (Subject.ORIGIN, "person:bob", {"moves", "three"}),
        (Subject.TIER, "3", {"moves", "other"}),
    ],
)
def test_a_stop_holds_back_what_it_is_about(subject: Subject, name: str, gone: set[str]) -> None:
    rows = [
        task("moves", skill="files.move"),
        task("other", origin="person:bob"),
        task("three", tier=3),
    ]
    stop = Stop(Reason.PAUSED, subject, name)

    assert set(went(decide(world(*rows, node(slots=9), stop)))) == gone


def test_an_unwell_node_is_given_nothing_and_one_on_trial_a_single_task() -> None:
    rows = [task(f"t{i}") for i in range(9)]
    nodes = [node("n1", slots=4, unwell="does not claim"), node("n2", slots=4, trial=True)]

    assert Counter(went(decide(world(*rows, *nodes))).values()) == {"n2": 1}


def test_about_one_task_in_twenty_explores_and_always_the_same_ones() -> None:
    chosen = {i for i in range(20_000) if explores(f"task {i}", 0.05)}

    assert 0.045 < len(chosen) / 20_000 < 0.055
    assert sorted(chosen)[:5] == [4, 16, 23, 36, 111]


def test_exploring_goes_to_the_least_measured_node() -> None:
    measured = Record("files.read", "n1", value_sum=9, success_sum=5, weight=5, at=NOW)

    (decision,) = decide(world(task(), node("n1"), node("n2"), measured), Weights(exploration=1))

    assert decision.exploring
    assert decision.node == "n2"
    assert "least measured of 2 nodes" in decision.reason


def test_every_living_node_stays_measured() -> None:
    """The best node takes nearly all of the work, and no other is forgotten."""
    record = Record("files.read", "n1", value_sum=90, success_sum=50, weight=50, at=NOW)
    nodes = [node(f"n{i}") for i in range(1, 5)]

    seen = Counter(decide(world(task(f"task {i}"), *nodes, record))[0].node for i in range(1000))

    assert seen["n1"] > 900
    assert min(seen[f"n{i}"] for i in range(2, 5)) >= 5


def test_a_decision_says_in_one_sentence_why() -> None:
    (decision,) = decide(world(task(dependents=2, critical=True), node()))

    assert decision.reason == (
        "n1 is the only node that can take it and has room (90% likely to succeed, worth 27.35; "
        "a failure would cost 0.17); its priority is 27.35: 18.00 for being short, "
        "5.00 for the critical path, 4.00 for work that waits for it, 0.35 for waiting."
    )
