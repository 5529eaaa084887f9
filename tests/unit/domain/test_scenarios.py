"""What the core does over time: nodes that heal, lag and are quick, and a flood of work.

Virtual hours in seconds: the core is the real one, the nodes are made up (simulator.py).
"""

from dataclasses import replace
from itertools import pairwise

import pytest

from autonomy.domain.priority import DEFAULT_WEIGHTS
from firewall.domain.levels import Level
from tests.unit.domain.simulator import Machine, Simulator, Start

MINUTE = 60.0


def steady(sim: Simulator, *, every: float, minutes: float, estimate: float = 10.0) -> None:
    """Tasks that come one after the other, at a steady pace."""
    for i in range(round(minutes * MINUTE / every)):
        sim.arrive(i * every, f"t{i:06}", estimate=estimate)


@pytest.mark.parametrize("every", [1.8, 2.5, 3.0, 4.0], ids=lambda s: f"one every {s} s")
def test_a_healed_node_gets_a_tenth_of_the_work_again_within_half_an_hour(every: float) -> None:
    """Six slots, tasks of 10 s: from full to less than half full. It failed all it was given."""
    healed_at = 10 * MINUTE
    sick = Machine("n1", works=lambda now: now >= healed_at)
    sim = Simulator([sick, Machine("n2"), Machine("n3")])
    steady(sim, every=every, minutes=40)

    starts = sim.run(40 * MINUTE)

    first = [start for start in starts if start.node == "n1"][:3]
    assert all(start.at < healed_at for start in first), "three failures in a row"
    if every >= 2.5:
        assert sim.share("n1", 2 * MINUTE, healed_at) < 0.10, "while others have room"
    assert sim.share("n1", healed_at + 20 * MINUTE, healed_at + 30 * MINUTE) >= 0.10


def test_on_a_platform_with_little_to_do_a_healed_node_is_tried_again_and_not_forgotten() -> None:
    """Good nodes stand idle: it gets what explores, until its record is as good as theirs."""
    sick = Machine("n1", works=lambda now: now >= 10 * MINUTE)
    sim = Simulator([sick, Machine("n2"), Machine("n3")])
    steady(sim, every=10, minutes=240)

    sim.run(240 * MINUTE)

    assert sim.share("n1", 10 * MINUTE, 40 * MINUTE) > 0.01
    assert sim.share("n1", 180 * MINUTE, 240 * MINUTE) > 0.03


@pytest.mark.parametrize("every", [2.5, 4.0, 20.0], ids=["busy", "half full", "idle"])
def test_a_node_ten_times_slower_gets_under_a_quarter(every: float) -> None:
    sim = Simulator([Machine("n1", times=10), Machine("n2"), Machine("n3")])
    steady(sim, every=every, minutes=60)

    sim.run(60 * MINUTE)

    assert sim.share("n1", 0, 60 * MINUTE) < 0.25
    assert sim.share("n1", 30 * MINUTE, 60 * MINUTE) < 0.15


def test_three_equal_nodes_share_alike() -> None:
    sim = Simulator([Machine(f"n{i}") for i in (1, 2, 3)])
    steady(sim, every=1.7, minutes=30)

    sim.run(30 * MINUTE)

    assert all(0.30 < sim.share(f"n{i}", 0, 30 * MINUTE) < 0.37 for i in (1, 2, 3))


def flooded(*, apart: float) -> tuple[Simulator, list[Start]]:
    """5,000 tasks of one origin, and 10 each of two others that come while it is worked off."""
    sim = Simulator([Machine(f"n{i}", slots=4) for i in (1, 2, 3)])
    for i in range(5000):
        sim.arrive(0.0, f"flood{i:04}", estimate=1.0, origin="flood")
    for i in range(10):
        sim.arrive(30 + i * apart, f"b{i}", estimate=1.0, origin="b")
        sim.arrive(30 + i * apart, f"c{i}", estimate=1.0, origin="c")
    starts = sim.run(600)
    return sim, [start for start in starts if start.task.origin != "flood"]


def test_a_flood_of_one_origin_keeps_no_other_waiting_for_more_than_twenty_dispatches() -> None:
    sim, others = flooded(apart=5.0)

    assert len(others) == 20
    assert max(start.number - start.ready_number for start in others) < 20
    assert len(sim.starts) == 5020, "and the flood is worked off as well"


def test_those_that_come_all_at_once_take_turns_with_the_flood() -> None:
    """Nobody goes first for ever: three origins get a third each, from the first one on."""
    _, others = flooded(apart=0.0)

    waited = sorted(start.number - start.ready_number for start in others)
    lead = DEFAULT_WEIGHTS.lead
    assert waited[0] <= lead
    assert all(waited[i] <= lead + 3 * (i // 2 + 1) for i in range(20))


def busy_share(window_per_slot: int, level: Level = Level.FULL) -> tuple[float, int]:
    """How busy a node is that decisions take 60 ms to reach, and its longest queue."""
    machine = Machine("n1", slots=2)
    weights = replace(DEFAULT_WEIGHTS, window_per_slot=window_per_slot)
    sim = Simulator([machine], weights, round_trip=0.06, level=level)
    for i in range(300):
        sim.arrive(0.0, f"t{i:04}", estimate=0.05)
    sim.run(5.0)
    return machine.busy_seconds / (2 * 5.0), machine.most_queued


def test_a_node_with_short_tasks_is_kept_busy_without_drowning() -> None:
    without, _ = busy_share(window_per_slot=0)
    with_window, queued = busy_share(window_per_slot=2)

    assert without < 0.5
    assert with_window > 0.95
    assert queued <= 4


def test_below_full_the_window_is_half_as_large() -> None:
    full, careful = busy_share(2)[1], busy_share(2, Level.CAREFUL)[1]

    assert careful == full // 2


def test_a_simulated_day_comes_out_the_same_each_time() -> None:
    days = []
    for _ in range(2):
        sim = Simulator([Machine("n1", times=3), Machine("n2", works=lambda now: now % 900 > 300)])
        steady(sim, every=7, minutes=120)
        days.append([(start.at, start.task.id, start.node) for start in sim.run(120 * MINUTE)])

    assert days[0] == days[1]
    assert all(a[0] <= b[0] for a, b in pairwise(days[0]))
