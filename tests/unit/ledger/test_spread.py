"""Percentiles from stored counts are those of the durations, to a tenth."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.spread import BOUNDS, BUCKETS, bucket, percentile


def counted(durations: list[float]) -> list[int]:
    counts = [0] * BUCKETS
    for seconds in durations:
        counts[bucket(seconds)] += 1
    return counts


@given(st.lists(st.floats(0.001, 100_000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_in_the_bucket_of_the_duration_it_stands_for(
    durations: list[float], share: float
) -> None:
    durations.sort()
    wanted = share * len(durations)
    exact = next(value for place, value in enumerate(durations, 1) if place >= wanted)

    found = percentile(counted(durations), share)

    assert found is not None
    assert exact / 1.19 <= found <= exact * 1.19


def test_percentiles_of_many_durations_are_right_to_a_tenth() -> None:
    chance = random.Random(1)  # noqa: S311
    durations = sorted(chance.lognormvariate(1, 1.5) for _ in range(20_000))

    for share in (0.5, 0.95, 0.99):
        exact = durations[int(share * len(durations))]
        assert percentile(counted(durations), share) == pytest.approx(exact, rel=0.1)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([0] * BUCKETS, 0.5) is None
    assert percentile([], 0.5) is None


def test_what_takes_no_time_or_for_ever_has_a_bucket_too() -> None:
    assert bucket(0.0) == bucket(-1.0) == 0
    assert bucket(1e12) == BUCKETS - 1
    assert percentile(counted([1e12]), 0.5) == BOUNDS[-1]
    assert percentile(counted([0.0]), 0.5) == pytest.approx(0.0005)
