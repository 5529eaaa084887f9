"""Cycles are named, counts are exact, chains of causes end (D-7 to D-9, C-10)."""

import itertools
import random
from collections import Counter
from collections.abc import Collection, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from autonomy.domain.graph import (
    CausesItself,
    ChainTooLong,
    CycleRefused,
    check_chain,
    critical,
    dependents,
    downstreams_of,
    find_cycle,
    gained,
    gained_by_edge,
    lost,
    ordered,
    reachable,
    refuse_cycles,
)

UUID = "0198c5a0-0000-7000-8000-{:012d}"


def counted_by_walking(upstreams: Mapping[int, Collection[int]]) -> dict[int, int]:
    below = downstreams_of(upstreams)
    return {task: len(reachable(task, below)) for task in upstreams}


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    """Tasks that wait for some of the earlier ones."""
    size = draw(st.integers(0, 25))
    return {
        task: draw(st.lists(st.integers(0, task - 1), max_size=3)) if task else []
        for task in range(size)
    }


def test_a_circle_is_refused_with_its_members_in_order() -> None:
    waits_for = {"build": ["fetch"], "fetch": ["plan"], "plan": ["build"], "other": []}

    with pytest.raises(CycleRefused) as refused:
        refuse_cycles(waits_for)

    assert str(refused.value) == (
        "build waits for fetch, which waits for plan, which waits for build"
    )


def test_a_task_that_waits_for_itself_is_a_circle() -> None:
    with pytest.raises(CycleRefused, match=r"^a waits for a$"):
        refuse_cycles({"a": ["a"]})


@given(graphs())
def test_tasks_that_wait_for_earlier_ones_close_no_circle(graph: dict[int, list[int]]) -> None:
    assert find_cycle(graph) == []


@given(graphs(), st.randoms(use_true_random=False))
def test_a_circle_that_is_found_is_one(graph: dict[int, list[int]], dice: random.Random) -> None:
    if len(graph) < 2:
        return
    first, last = sorted(dice.sample(sorted(graph), 2))
    tangled = {**graph, first: [*graph[first], last]}

    cycle = find_cycle(tangled)

    assert bool(cycle) == (first in reachable(last, graph))
    assert all(b in tangled[a] for a, b in itertools.pairwise([*cycle, *cycle[:1]]))


def test_a_chain_of_twenty_thousand_is_walked_without_recursion() -> None:
    chain = {task: [task - 1] if task else [] for task in range(20_000)}

    assert find_cycle(chain) == []
    assert ordered(chain) == list(range(20_000))


@given(graphs())
def test_the_recount_by_bitsets_agrees_with_walking(graph: dict[int, list[int]]) -> None:
    assert dependents(graph) == counted_by_walking(graph)


def test_the_recount_agrees_where_one_part_is_larger_than_a_bitset() -> None:
    dice = random.Random(4)  # noqa: S311 -- any graph will do
    graph: dict[int, list[int]] = {0: []}
    for task in range(1, 9000):
        graph[task] = [dice.randrange(max(0, task - 3), task)]

    counts = dependents(graph)

    assert counts[0] == 8999
    below = downstreams_of(graph)
    for task in dice.sample(range(9000), 20):
        assert counts[task] == len(reachable(task, below))


def test_what_has_ended_counts_for_nothing() -> None:
    assert dependents({"b": ["ended"], "c": ["b", "ended"]}) == {"b": 1, "c": 0}


class Growing(RuleBasedStateMachine):
    """Tasks come, get edges, finish and are cancelled: stored counts stay those of a recount."""

    def __init__(self) -> None:
        super().__init__()
        self.graph: dict[int, set[int]] = {}
        self.counts: Counter[int] = Counter()
        self.names = itertools.count()

    def some(self, data: st.DataObject, most: int = 3) -> set[int]:
        if not self.graph:
            return set()
        return data.draw(st.sets(st.sampled_from(sorted(self.graph)), max_size=most))

    @rule(data=st.data(), size=st.integers(1, 4))
    def tasks_are_added(self, data: st.DataObject, size: int) -> None:
        new: dict[int, set[int]] = {}
        for _ in range(size):
            among_new = data.draw(st.sets(st.sampled_from(sorted(new)))) if new else set()
            new[next(self.names)] = self.some(data) | among_new
        self.counts.update(gained(new, self.graph))
        self.graph.update(new)

    @precondition(lambda self: len(self.graph) > 1)
    @rule(data=st.data())
    def an_edge_is_added(self, data: st.DataObject) -> None:
        up, down = data.draw(st.permutations(sorted(self.graph)))[:2]
        try:
            self.counts.update(gained_by_edge(up, down, self.graph))
        except CycleRefused:
            assert down in reachable(up, self.graph)
        else:
            self.graph[down].add(up)

    @precondition(lambda self: self.graph)
    @rule()
    def what_waits_for_nothing_finishes(self) -> None:
        done = next(task for task in ordered(self.graph))
        self._ended({done})

    @precondition(lambda self: self.graph)
    @rule(data=st.data())
    def tasks_are_cancelled(self, data: st.DataObject) -> None:
        cancelled = self.some(data)
        self.counts.subtract(lost(cancelled, self.graph))
        self._ended(cancelled)

    def _ended(self, tasks: set[int]) -> None:
        for task in tasks:
            del self.graph[task], self.counts[task]
        for waits_for in self.graph.values():
            waits_for.difference_update(tasks)

    @invariant()
    def the_counts_are_those_of_a_recount(self) -> None:
        assert {task: self.counts[task] for task in self.graph} == dependents(self.graph)


TestGrowing = Growing.TestCase
TestGrowing.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_the_critical_path_is_the_longest_by_the_estimates() -> None:
    waits_for = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "alone": []}

    path = critical(waits_for, {"a": 1, "b": 5, "c": 2, "d": 1, "alone": 1000})

    assert path == {"a", "b", "d"}


def test_equally_long_paths_are_both_critical() -> None:
    assert critical({"a": [], "b": ["a"], "c": ["a"]}, {"a": 1, "b": 2, "c": 2}) == {"a", "b", "c"}


@given(graphs(), st.lists(st.floats(), min_size=25, max_size=25))
def test_each_connected_part_has_a_critical_path_from_end_to_end(
    graph: dict[int, list[int]], estimates: list[float]
) -> None:
    path = critical(graph, dict(enumerate(estimates)))

    below = downstreams_of(graph)
    for task in path:
        assert not graph[task] or any(up in path for up in graph[task])
        assert not below[task] or any(down in path for down in below[task])


def test_twenty_causes_in_a_row_are_the_most() -> None:
    chain = [f"skill{i}:{UUID.format(i)}" for i in range(20)]

    check_chain(chain)
    with pytest.raises(ChainTooLong, match="21 causes in a row; 20 is the most"):
        check_chain(["person:ann", *chain])


def test_a_component_may_cause_itself_three_times_and_no_more() -> None:
    loop = [f"files.move:{UUID.format(i)}" for i in range(4)]

    check_chain(["person:ann", *loop])
    with pytest.raises(CausesItself, match=r"files\.move would cause itself 4 times"):
        check_chain(["person:ann", *loop, f"files.move:{UUID.format(9)}"])


def test_a_component_that_causes_itself_through_others_is_noticed() -> None:
    loop = [f"{name}:{UUID.format(i)}" for i in range(5) for name in ("ping", "pong")]

    with pytest.raises(CausesItself):
        check_chain(loop)
