"""Confidence and the level that follows from it (D-18, D-19)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.priority import MILLION, BadWeights
from autonomy.domain.trust import (
    BOUNDS,
    DEFAULT_RULES,
    Gauge,
    Rules,
    Standing,
    after,
    against,
    moved,
    rules_from,
)
from firewall.domain.levels import Level

SECOND = MILLION
ENOUGH = DEFAULT_RULES.least_checked
HOLD = DEFAULT_RULES.hold_seconds * SECOND

gauges = st.builds(
    Gauge,
    confidence=st.integers(0, MILLION),
    checked=st.integers(0, 100),
    stale_seconds=st.floats(-100, 1000),
    failed=st.integers(0, MILLION),
    ended=st.floats(0, 100),
    budget_left=st.none() | st.integers(0, MILLION),
)


def test_a_true_prediction_adds_a_hundredth_and_a_false_one_takes_five() -> None:
    assert after(500_000, [True]) == 510_000
    assert after(500_000, [False]) == 450_000


@given(st.integers(0, MILLION), st.lists(st.booleans(), max_size=200))
def test_confidence_stays_between_none_and_all_exactly(start: int, answers: list[bool]) -> None:
    expected = Fraction(start, MILLION)
    for came_true in answers:
        step = Fraction(1, 100) if came_true else -Fraction(5, 100)
        expected = min(max(expected + step, Fraction(0)), Fraction(1))

    assert after(start, answers) == expected * MILLION


def test_the_break_even_rate_is_five_in_six() -> None:
    assert DEFAULT_RULES.break_even == Fraction(5, 6)
    assert after(500_000, [True] * 5 + [False]) == 500_000


@given(st.integers(1, 9), st.integers(1, 9))
def test_at_the_break_even_rate_confidence_stays(gain: int, loss: int) -> None:
    rules = Rules(gain=gain * 1000, loss=loss * 1000)
    rate = rules.break_even
    right, wrong = rate.numerator, rate.denominator - rate.numerator

    assert after(500_000, [True] * right + [False] * wrong, rules) == 500_000


def accuracy(percent: int) -> list[bool]:
    """Two hundred answers, as evenly wrong as can be."""
    wrong = 100 - percent
    return [(i + 1) * wrong // 100 == i * wrong // 100 for i in range(200)]


def lived(answers: list[bool], start: Standing, begun: int = 0) -> Iterator[Standing]:
    """The standing after each of these predictions, one every ten seconds."""
    confidence, standing = MILLION, start
    for i, answer in enumerate(answers):
        confidence = after(confidence, [answer])
        gauge = Gauge(confidence=confidence, checked=i + 1)
        standing = moved(standing, gauge, begun + i * 10 * SECOND).standing
        yield standing


@pytest.mark.parametrize(
    ("percent", "ends_at", "lowest"),
    [
        (95, Level.FULL, Level.FULL),
        (85, Level.FULL, Level.FULL),
        (75, Level.OFF, Level.OFF),
        (50, Level.OFF, Level.OFF),
    ],
)
def test_two_hundred_predictions_move_the_level_as_far_as_they_were_wrong(
    percent: int, ends_at: Level, lowest: Level
) -> None:
    answers = accuracy(percent)
    assert sum(answers) == 2 * percent

    seen = [standing.level for standing in lived(answers, Standing())]

    assert seen[-1] is ends_at
    assert min(seen, key=lambda level: level.rank) is lowest
    assert all(a.rank >= b.rank for a, b in pairwise(seen)), "it never rose on the way down"


def test_three_in_four_right_lowers_it_step_by_step() -> None:
    seen = [standing.level for standing in lived(accuracy(75), Standing())]

    first = {level: seen.index(level) + 1 for level in Level if level in seen}
    # 0.95 after the first four, as there is nothing above 1; then 0.02 less with every four.
    assert first == {
        Level.FULL: 1, Level.CAREFUL: 56, Level.ASK: 96, Level.OBSERVE: 136, Level.OFF: 176,
    }  # fmt: skip


def test_half_right_is_felt_as_soon_as_there_are_enough_to_tell() -> None:
    seen = [standing.level for standing in lived(accuracy(50), Standing())]

    assert set(seen[: ENOUGH - 1]) == {Level.FULL}
    assert seen[ENOUGH - 1] is Level.CAREFUL
    assert seen[45] is Level.OFF


def test_it_comes_back_one_step_per_hold_and_not_a_second_earlier() -> None:
    sure = Gauge(confidence=MILLION, checked=500)
    standing, now, rose = Standing(Level.OFF), 0, []
    while standing.level is not Level.FULL:
        before = standing.level
        standing = moved(standing, sure, now).standing
        if standing.level is not before:
            rose.append((now // SECOND, standing.level))
        now += SECOND

    hold = DEFAULT_RULES.hold_seconds
    assert [level for _, level in rose] == [Level.OBSERVE, Level.ASK, Level.CAREFUL, Level.FULL]
    assert rose[0][0] == hold
    assert all(b - a == hold + 1 for (a, _), (b, _) in pairwise(rose))


def test_an_upper_bound_that_was_lost_is_held_anew() -> None:
    good, poor = Gauge(confidence=850_000, checked=99), Gauge(confidence=790_000, checked=99)
    standing = moved(Standing(Level.CAREFUL), good, 0).standing
    standing = moved(standing, poor, HOLD - SECOND).standing

    standing = moved(standing, good, HOLD).standing

    assert standing == Standing(Level.CAREFUL, HOLD)


def test_between_the_bounds_nothing_moves() -> None:
    for level, bounds in BOUNDS.items():
        gauge = Gauge(confidence=bounds.confidence_falls, checked=99)
        assert moved(Standing(level), gauge, 0).standing.level is level
        below = Gauge(confidence=bounds.confidence_rises - 1, checked=99)
        lower = Standing([*BOUNDS, Level.OFF][[*BOUNDS].index(level) + 1], earned_since=0)
        assert moved(lower, below, 10 * HOLD).standing.level is lower.level


def test_bounds_leave_a_gap_and_fall_with_the_level() -> None:
    for bounds in BOUNDS.values():
        assert bounds.confidence_falls < bounds.confidence_rises
    assert all(a.confidence_falls >= b.confidence_rises for a, b in pairwise(BOUNDS.values()))


def test_with_too_few_checked_confidence_moves_nothing() -> None:
    assert against(Level.FULL, Gauge(confidence=0, checked=ENOUGH - 1)) == []
    assert against(Level.FULL, Gauge(confidence=0, checked=ENOUGH)) != []


@pytest.mark.parametrize(
    ("gauge", "level", "words"),
    [
        (Gauge(stale_seconds=90), Level.FULL, ""),
        (Gauge(stale_seconds=91), Level.ASK, "the world was last seen whole 91 s ago"),
        (Gauge(failed=510_000, ended=10), Level.CAREFUL, "51.0 % of what ended lately failed"),
        (Gauge(failed=760_000, ended=10), Level.ASK, "76.0 % of what ended lately failed"),
        (Gauge(failed=MILLION, ended=9.9), Level.FULL, ""),
        (Gauge(budget_left=100_000), Level.CAREFUL, "10.0 % of the budget is left"),
        (Gauge(budget_left=0), Level.ASK, "0.0 % of the budget is left"),
        (
            Gauge(confidence=650_000, checked=20),
            Level.CAREFUL,
            "confidence is 65.0 %, under 70.0 %",
        ),
    ],
)
def test_each_input_lowers_it_as_far_as_it_says(gauge: Gauge, level: Level, words: str) -> None:
    move = moved(Standing(), gauge, 0)

    assert (move.standing.level, move.reason) == (level, words)


@given(st.sampled_from(Level), st.none() | st.integers(-HOLD, HOLD), gauges, st.integers(0, HOLD))
def test_it_never_rises_more_than_a_step_and_never_while_something_speaks_against(
    level: Level, since: int | None, gauge: Gauge, now: int
) -> None:
    found = moved(Standing(level, since), gauge, now).standing

    assert found.level.rank <= level.rank + 1
    if found.level.rank > level.rank:
        assert against(found.level, gauge, rising=True) == []
        assert since is not None
        assert now - since >= HOLD
    if found.level.rank >= level.rank:
        assert against(level, gauge) == []


@given(st.sampled_from(Level), gauges)
def test_what_may_be_risen_to_may_be_kept(level: Level, gauge: Gauge) -> None:
    if against(level, gauge, rising=True) == []:
        assert against(level, gauge) == []


def test_a_clock_that_went_back_starts_the_hold_anew() -> None:
    sure = Gauge(checked=99)

    assert moved(Standing(Level.ASK, earned_since=HOLD), sure, 0).standing == Standing(Level.ASK, 0)


@pytest.mark.parametrize(
    "values",
    [None, [], {"gain": 0}, {"loss": 1.5}, {"gain": True}, {"luck": 1}, {"hold_seconds": -1},
     {"gain": float("nan")}, {"least_checked": 10**30}],
    ids=str,
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(values: Any) -> None:
    with pytest.raises(BadWeights, match="trust"):
        rules_from(values)


def test_rules_come_back_as_they_were_stored_and_the_rest_is_as_shipped() -> None:
    assert rules_from(DEFAULT_RULES.to_json()) == DEFAULT_RULES
    assert rules_from({"loss": 40_000}) == Rules(loss=40_000)
