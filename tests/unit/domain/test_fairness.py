"""No origin keeps another waiting for more than a bounded number of dispatches (D-6)."""

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.decide import deliberate
from autonomy.domain.fairness import Turns
from autonomy.domain.priority import DEFAULT_WEIGHTS
from autonomy.domain.world import ReadyTask
from tests.unit.domain.worlds import node, task, world

FLOOD = [task(f"flood {i:04}", origin="flood", dependents=90) for i in range(5000)]
FEW = [task(f"{name} {i}", origin=name) for name in ("ann", "bob") for i in range(10)]


def dispatched(
    rows: Iterable[ReadyTask], slots: int, passes: int, owed: Mapping[str, int] | None = None
) -> list[ReadyTask]:
    """What goes, in order, when every pass finds all slots free again."""
    left = {each.id: each for each in rows}
    order: list[ReadyTask] = []
    for _ in range(passes):
        found = deliberate(world(*left.values(), node(slots=slots), owed=owed or {}))
        order += [left.pop(decision.task) for decision in found.decisions]
        owed = found.owed
        if not left:
            break
    return order


@pytest.mark.parametrize("slots", [1, 3, 16, 100])
def test_a_flood_of_five_thousand_delays_two_others_by_twenty_dispatches_at_most(
    slots: int,
) -> None:
    alone = [each.id for each in dispatched(FEW, slots, 50)]
    order = [each.id for each in dispatched([*FLOOD, *FEW], slots, 50)[:60]]

    for each in FEW:
        assert order.index(each.id) - alone.index(each.id) <= 20


def test_those_who_come_when_a_flood_is_under_way_are_served_as_soon() -> None:
    started = deliberate(world(*FLOOD, node(slots=100)))
    gone = {decision.task for decision in started.decisions}
    still = [each for each in FLOOD if each.id not in gone]

    order = [each.id for each in dispatched([*still, *FEW], 1, 60, owed=started.owed)]

    assert {each.id for each in FEW} <= set(order[:40])


@given(
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=5, unique=True),
    st.lists(st.integers(0, 4), min_size=150, max_size=150),
)
def test_no_waiting_origin_is_passed_over_more_than_the_bound(
    origins: list[str], wishes: list[int]
) -> None:
    lead = DEFAULT_WEIGHTS.lead
    turns = Turns({}, lead)
    last = dict.fromkeys(origins, 0)
    for now, wish in enumerate(wishes, start=1):
        allowed = [o for o in origins if turns.may_go(o, turns.most_owed(origins))]
        goes = allowed[wish % len(allowed)]
        turns.take(goes, origins)
        last[goes] = now
        assert all(now - at <= 2 * lead * len(origins) for at in last.values())


def test_what_no_node_has_room_for_holds_nobody_back() -> None:
    rows = [task("stuck", origin="ann", labels=("gpu",))]
    rows += [task(f"t{i}", origin="bob") for i in range(20)]

    found = deliberate(world(*rows, node(slots=20), node("n2", labels=("gpu",), slots=0)))

    assert len(found.decisions) == 20


def test_a_debt_lasts_until_the_next_decision_and_ends_with_the_queue() -> None:
    rows = [task("a1", origin="ann", hint=9), task("a2", origin="ann", hint=9)]
    rows += [task("b1", origin="bob")]

    found = deliberate(world(*rows, node(slots=1)))

    assert [decision.task for decision in found.decisions] == ["a1"]
    assert found.owed == {"bob": 1}
    assert deliberate(world(*rows[1:], node(slots=2), owed=found.owed)).owed == {}
