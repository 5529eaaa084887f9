"""Evidence fades toward the prior, and fades exactly (D-12, D-13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.priority import Weights
from autonomy.domain.scores import (
    FADED_HALF_LIVES,
    HALF_LIFE_SECONDS,
    Decayed,
    Evidence,
    Trial,
    decay,
    estimate,
    folded,
    score,
    score_of,
    success,
)
from autonomy.domain.states import ErrorClass

AGES = st.floats(0, 60 * HALF_LIFE_SECONDS)
TIMES = st.floats(0, 50 * HALF_LIFE_SECONDS)
VERIFIED = Trial(verified=True, seconds=10, expected_seconds=10)
FAILED = Trial(verified=False, seconds=10, expected_seconds=10, error_class=ErrorClass.TRANSIENT)


def test_a_signal_of_half_an_hour_ago_weighs_half_of_a_fresh_one() -> None:
    assert decay(1800.0) == 0.5
    assert decay(0.0) == 1.0


@given(AGES)
def test_any_age_fades_by_the_power_of_its_half_lives(age: float) -> None:
    assert decay(age) == pytest.approx(0.5 ** (age / HALF_LIFE_SECONDS), rel=1e-12)


@given(AGES, AGES)
def test_two_half_lives_in_any_pieces_weigh_a_quarter(age: float, more: float) -> None:
    assert decay(age) * decay(more) == pytest.approx(decay(age + more), abs=1e-12)


@given(AGES, AGES)
def test_what_is_older_never_weighs_more(age: float, more: float) -> None:
    younger, older = sorted((age, more))

    assert decay(older) <= decay(younger)


@pytest.mark.parametrize("age", [-1.0, float("-inf"), float("nan")])
def test_an_observation_from_the_future_is_fresh(age: float) -> None:
    assert decay(age) == 1.0


@pytest.mark.parametrize("age", [float("inf"), (FADED_HALF_LIVES + 1) * HALF_LIFE_SECONDS])
def test_the_far_past_weighs_nothing_rather_than_almost_nothing(age: float) -> None:
    assert decay(age) == 0.0


@given(st.lists(st.tuples(st.floats(0, 2), TIMES), min_size=1, max_size=20))
def test_folding_one_by_one_is_the_sum_of_what_each_weighs_now(
    observed: list[tuple[float, float]],
) -> None:
    evidence = Decayed()
    for value, at in observed:
        evidence = folded(evidence, value, at=at)

    now = max(at for _, at in observed)
    assert evidence.sum == pytest.approx(sum(v * decay(now - at) for v, at in observed), abs=1e-9)
    assert evidence.weight == pytest.approx(sum(decay(now - at) for _, at in observed), abs=1e-9)


@given(st.lists(st.tuples(st.floats(0, 2), TIMES), max_size=8))
def test_the_order_in_which_outcomes_arrive_does_not_matter(
    observed: list[tuple[float, float]],
) -> None:
    def total(rows: list[tuple[float, float]]) -> float:
        evidence = Decayed()
        for value, at in rows:
            evidence = folded(evidence, value, at=at)
        return score(evidence, now=60 * HALF_LIFE_SECONDS)

    assert total(observed) == pytest.approx(total(sorted(observed)), abs=1e-9)


def test_without_evidence_the_score_is_the_prior() -> None:
    assert score(Decayed(), now=0.0, weights=Weights(score_prior=1.25)) == 1.25


def test_a_node_that_failed_three_times_and_healed_is_back_near_the_prior_in_time() -> None:
    failures = [(FAILED, 0.0)] * 3

    at_once = score_of(failures, now=0.0)
    later = [score_of(failures, now=hours * 3600.0) for hours in (0.5, 1.0, 2.0)]

    assert at_once == pytest.approx(0.4)
    assert later == sorted(later)
    assert later[0] > 0.5
    assert later[2] > 0.9


def test_a_failure_that_is_the_tasks_own_does_not_count_against_the_node() -> None:
    bad_input = Trial(
        verified=False, seconds=1, expected_seconds=1, error_class=ErrorClass.PERMANENT
    )

    assert score_of([(bad_input, 0.0)], now=0.0) == score_of([], now=0.0)
    assert score_of([(FAILED, 0.0)], now=0.0) < score_of([], now=0.0)


@pytest.mark.parametrize(
    ("seconds", "expected", "value"),
    [(10, 10, 1.0), (20, 10, 0.5), (1, 10, 2.0), (0, 10, 2.0), (10, -5, 0.0)],
)
def test_a_verified_run_is_worth_expected_over_actual_within_bounds(
    seconds: float, expected: float, value: float
) -> None:
    assert Trial(verified=True, seconds=seconds, expected_seconds=expected).value == value


def test_a_failed_run_is_worth_nothing() -> None:
    assert FAILED.value == 0.0
    assert VERIFIED.value == 1.0


def test_a_node_without_a_record_is_expected_to_do_as_the_skill_does_anywhere() -> None:
    flaky = Evidence(successes=20.0, weight=100.0)

    assert success(flaky, Evidence()) == pytest.approx(21.8 / 102)


def test_a_long_record_of_the_node_outweighs_that_of_the_skill() -> None:
    flaky, solid = Evidence(successes=0, weight=100), Evidence(successes=500, weight=500)

    assert success(flaky, solid) > 0.99


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_likelihood_of_success_is_a_probability(
    successes: float, weight: float, here: float, here_weight: float
) -> None:
    likely = success(
        Evidence(successes=successes, weight=weight), Evidence(successes=here, weight=here_weight)
    )

    assert 0 <= likely <= 1


def test_the_estimate_is_the_faded_mean_of_what_runs_took() -> None:
    seconds = folded(folded(Decayed(), 10.0, at=0.0), 40.0, at=HALF_LIFE_SECONDS)

    assert estimate(seconds, declared_seconds=5.0) == pytest.approx((10 * 0.5 + 40) / 1.5)


def test_without_verified_runs_the_declaration_is_the_estimate() -> None:
    assert estimate(Decayed(), declared_seconds=5.0) == 5.0
