"""What follows a failed attempt (C-7)."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.retry import GiveUp, Hold, Retry, after, delay
from autonomy.domain.states import NEVER_RETRIED, ErrorClass
from autonomy.sdk.skill import Retries

RETRIED = sorted(set(ErrorClass) - NEVER_RETRIED)


@pytest.mark.parametrize("error", RETRIED)
def test_what_may_pass_is_tried_again_while_attempts_are_left(error: ErrorClass) -> None:
    assert isinstance(after(error, 2, Retries(max_attempts=3), chance=0.5), Retry)


@pytest.mark.parametrize("on_exhausted", ["fail", "hold"])
def test_what_is_permanent_is_never_tried_again(on_exhausted: Literal["fail", "hold"]) -> None:
    policy = Retries(max_attempts=100, on_exhausted=on_exhausted)

    assert isinstance(after(ErrorClass.PERMANENT, 1, policy, chance=0.5), GiveUp)


def test_the_last_attempt_says_why_it_was_the_last() -> None:
    ending = after(ErrorClass.TIMEOUT, 3, Retries(max_attempts=3), chance=0.5)

    assert ending == GiveUp("timeout on attempt 3 of 3, the last")


def test_a_skill_may_ask_for_a_person_when_attempts_run_out() -> None:
    policy = Retries(max_attempts=1, on_exhausted="hold")

    assert isinstance(after(ErrorClass.LOST, 1, policy, chance=0.5), Hold)


def test_the_longest_delay_doubles_until_the_cap() -> None:
    policy = Retries(base_seconds=2, cap_seconds=10)

    assert [delay(attempt, policy, chance=1.0) for attempt in (1, 2, 3, 4, 5)] == [2, 4, 8, 10, 10]


@given(
    st.integers(-5, 10**9),
    st.floats(0, 1e300),
    st.floats(0, 1e300),
    st.floats(-1, 2),
)
def test_a_delay_is_never_negative_and_never_above_the_cap(
    attempt: int, base: float, cap: float, chance: float
) -> None:
    policy = Retries(base_seconds=base, cap_seconds=cap)

    assert 0 <= delay(attempt, policy, chance=chance) <= cap


@given(st.floats(0, 1))
def test_the_jitter_takes_the_whole_range(chance: float) -> None:
    assert delay(3, Retries(base_seconds=1, cap_seconds=300), chance=chance) == 4 * chance
