"""The priority is the formula, for every input, and waiting never lowers it (D-8)."""

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.pricing import foremost, pricing
from autonomy.domain.priority import (
    DEFAULT_WEIGHTS,
    MILLION,
    BadWeights,
    Weights,
    parts,
    waiting_part,
    weights_from,
)
from tests.unit.domain.worlds import NOW, NUMBERS, task

YEAR = 365 * 86_400 * MILLION
WAITS = st.integers(0, 10 * YEAR)


def exact(dependents: int, critical: bool, estimate: float, waited: int, hint: float) -> Decimal:
    """The formula as it is written, with fifty digits."""
    with localcontext(prec=50):
        minutes = max(Decimal(estimate) / 60, Decimal(1) / 10)
        grown = (1 + Decimal(waited) / 60 / MILLION).ln()
        return (
            2 * Decimal(dependents)
            + (5 if critical else 0)
            + 3 / minutes
            + grown / 2
            + Decimal(hint)
        )


@given(
    st.integers(0, 100_000),
    st.booleans(),
    st.floats(0, 10**8),
    WAITS,
    st.floats(-(10**6), 10**6),
)
def test_the_priority_is_the_formula_to_the_last_millionth(
    dependents: int, critical: bool, estimate: float, waited: int, hint: float
) -> None:
    total = parts(
        dependents=dependents,
        critical=critical,
        estimate_seconds=estimate,
        waiting_microseconds=waited,
        hint=hint,
    ).total

    off = abs(Decimal(total) - exact(dependents, critical, estimate, waited, hint) * MILLION)
    assert off <= 2  # half a millionth for each part that is rounded


@given(st.integers(), NUMBERS, st.integers(), NUMBERS)
def test_the_priority_is_finite_whatever_it_is_made_of(
    dependents: int, estimate: float, waited: int, hint: float
) -> None:
    made_of = parts(
        dependents=dependents,
        critical=True,
        estimate_seconds=estimate,
        waiting_microseconds=waited,
        hint=hint,
    )

    assert isinstance(made_of.total, int)
    assert abs(made_of.total) < 2**53  # so that JSON keeps it


@pytest.mark.parametrize("estimate", [0.0, -5.0, 6.0, 1e-300])
def test_an_estimate_below_a_tenth_of_a_minute_earns_no_more_than_that(estimate: float) -> None:
    assert short(estimate) == 30 * MILLION


@pytest.mark.parametrize("estimate", [math.nan, math.inf])
def test_an_estimate_that_says_nothing_earns_nothing(estimate: float) -> None:
    assert short(estimate) == 0


def short(estimate: float) -> int:
    return parts(
        dependents=0, critical=False, estimate_seconds=estimate, waiting_microseconds=0, hint=0
    ).short


@given(WAITS, WAITS)
def test_the_priority_never_falls_with_waiting(shorter: int, longer: int) -> None:
    shorter, longer = sorted((shorter, longer))

    assert waiting_part(shorter, DEFAULT_WEIGHTS) <= waiting_part(longer, DEFAULT_WEIGHTS)


@given(st.integers(0, 10**12))
def test_the_waiting_part_is_rounded_as_if_it_had_been_calculated_exactly(waited: int) -> None:
    with localcontext(prec=50):
        minutes = Decimal(waited / 60_000_000)
        whole = ((1 + minutes).ln() / 2 * MILLION).to_integral_value()

    assert waiting_part(waited, DEFAULT_WEIGHTS) == int(whole)


def test_a_logarithm_that_cannot_be_rounded_with_doubles_is_taken_with_more_digits() -> None:
    weights = Weights(waiting=0.4328092336142095)  # ln 2 of it is 0.3000005 and the least bit more

    assert waiting_part(60 * MILLION, weights) == 300_001


@given(st.integers(0, 50), st.booleans(), NUMBERS, WAITS, NUMBERS)
def test_the_quick_priority_of_a_ready_task_is_the_same_one(
    dependents: int, critical: bool, estimate: float, waited: int, hint: float
) -> None:
    ready = task(
        dependents=dependents,
        critical=critical,
        estimate_seconds=estimate,
        ready_since=NOW - waited,
        hint=hint,
    )

    assert (
        pricing(NOW, DEFAULT_WEIGHTS)(ready)
        == parts(
            dependents=ready.dependents,
            critical=ready.critical,
            estimate_seconds=ready.estimate_seconds,
            waiting_microseconds=waited,
            hint=ready.hint,
        ).total
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0, 30, 60, 60.000001, 600]), WAITS),
        max_size=30,
    ),
    st.integers(1, 5),
)
def test_the_foremost_of_many_are_found_without_pricing_all_of_them(
    rows: list[tuple[int, float, int]], most: int
) -> None:
    ready = [
        task(f"t{i:02}", dependents=count, estimate_seconds=estimate, ready_since=NOW - waited)
        for i, (count, estimate, waited) in enumerate(rows)
    ]

    everything = sorted(foremost(ready, len(ready), NOW, DEFAULT_WEIGHTS))

    assert sorted(foremost(ready, most, NOW, DEFAULT_WEIGHTS))[:most] == everything[:most]


def test_the_parts_are_named_largest_first() -> None:
    made_of = parts(
        dependents=11, critical=True, estimate_seconds=6, waiting_microseconds=0, hint=-1
    )

    assert made_of.words() == (
        "30.00 for being short, 22.00 for work that waits for it, "
        "5.00 for the critical path, -1.00 by its hint"
    )


def test_weights_make_the_trip_through_their_row() -> None:
    weights = Weights(dependents=3.5, exploration=0.1, lead=2)

    assert weights_from(weights.to_json()) == weights


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("critical", math.nan, "critical is nan; it must be from 0 to 1000"),
        ("waiting", -0.5, "waiting is -0.5; it must be from 0 to 1000"),
        ("dependents", "2", "dependents is '2', not a number"),
        ("short", True, "short is True, not a number"),
        ("half_life_seconds", 0, "half_life_seconds is 0; it must be from 1 to 100000000"),
        ("lead", 2.5, "lead is 2.5; it must be a whole number"),
        ("luck", 1.0, "luck is not a weight"),
    ],
)
def test_absurd_weights_are_refused_by_name(name: str, value: object, problem: str) -> None:
    with pytest.raises(BadWeights) as refused:
        weights_from({**DEFAULT_WEIGHTS.to_json(), name: value})

    assert str(refused.value) == problem


def test_missing_weights_are_all_named() -> None:
    kept = {k: v for k, v in DEFAULT_WEIGHTS.to_json().items() if k not in {"short", "batch"}}

    with pytest.raises(BadWeights, match="short is missing; batch is missing"):
        weights_from(kept)


@pytest.mark.parametrize("values", [None, [], "weights", 7, {1: 2}])
def test_what_is_no_object_of_weights_is_refused(values: object) -> None:
    with pytest.raises(BadWeights):
        weights_from(values)
