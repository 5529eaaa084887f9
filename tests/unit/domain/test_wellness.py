"""A node is alive when it claims and finishes, not when it pings (D-5)."""

from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.priority import MILLION
from autonomy.domain.wellness import (
    CLAIMS_WITHIN,
    FIRST_REST,
    LONGEST_REST,
    Doing,
    Health,
    examined,
)

NOW = 10**15
IDLE = Doing(slots=2)
STUCK = Doing(slots=2, unclaimed_for=CLAIMS_WITHIN + 1)
OVERDUE = Doing(slots=2, in_use=1, overdue=1.0, overdue_task="t1")


def after(seconds: float) -> int:
    return NOW + round(seconds * MILLION)


def test_a_node_that_does_nothing_is_well() -> None:
    assert examined(Health(), IDLE, NOW) == Health()


def test_one_that_leaves_work_beside_a_free_slot_is_not() -> None:
    found = examined(Health(), STUCK, NOW)

    assert found.unwell == "does not claim: a task waited there for 21 s beside a free slot"
    assert (found.since, found.failures) == (NOW, 1)


def test_one_that_is_full_may_let_work_wait() -> None:
    full = Doing(slots=2, in_use=2, unclaimed_for=500)

    assert examined(Health(), full, NOW) == Health()


def test_one_that_never_finishes_is_unwell_until_it_did() -> None:
    found = examined(Health(), OVERDUE, NOW)

    assert found.unwell == "does not finish: task t1 is past all its limits"
    assert examined(found, OVERDUE, after(5)) == found
    assert not found.on_trial(after(3600))
    assert examined(found, IDLE, after(10)) == Health()


def test_it_is_tried_again_after_a_rest_and_well_when_it_takes_the_task() -> None:
    unwell = examined(Health(), STUCK, NOW)

    assert not unwell.on_trial(after(FIRST_REST - 1))
    assert unwell.on_trial(after(FIRST_REST))
    took = Doing(slots=2, in_use=1, claimed_since=True)
    assert examined(unwell, took, after(FIRST_REST + 1)) == Health()


def test_each_failed_trial_doubles_the_rest_up_to_ten_minutes() -> None:
    health, now, rests = Health(), NOW, []
    for _ in range(8):
        health = examined(health, STUCK, now)
        rests.append(health.rest_seconds)
        now += round(health.rest_seconds * MILLION)

    assert rests == [60, 120, 240, 480, 600, 600, 600, 600]
    assert rests[-1] == LONGEST_REST


def test_what_is_withdrawn_during_the_rest_is_no_second_failure() -> None:
    unwell = examined(Health(), STUCK, NOW)

    assert examined(unwell, STUCK, after(5)) == unwell


def test_a_clock_that_went_back_leaves_no_node_alone_for_ever() -> None:
    unwell = examined(Health(), STUCK, NOW)

    assert unwell.on_trial(NOW - 3600 * MILLION)


doings = st.builds(
    Doing,
    slots=st.integers(0, 4),
    in_use=st.integers(0, 4),
    unclaimed_for=st.floats(0, 100),
    overdue=st.floats(0, 100),
    overdue_task=st.just("t"),
    claimed_since=st.booleans(),
)


@given(st.lists(st.tuples(doings, st.floats(0, 100)), max_size=30))
def test_whatever_happened_a_node_that_works_again_is_well_again(
    life: list[tuple[Doing, float]],
) -> None:
    health, now = Health(), NOW
    for doing, passed in life:
        now += round(passed * MILLION)
        health = examined(health, doing, now)
        assert bool(health.unwell) == (health.since is not None)

    now += round(LONGEST_REST * MILLION)
    assert not health.failures or health.on_trial(now)
    assert examined(health, Doing(slots=2, in_use=1, claimed_since=True), now) == Health()
