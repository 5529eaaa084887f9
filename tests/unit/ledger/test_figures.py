"""The headline figures say what is known, and that nothing is known where nothing was counted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.figures import Sums, figures
from ledger.domain.spread import BUCKETS, bucket

WEEK = Sums(
    days=7, ended=8, verified=5, unverified=1, failed=2, first=6, first_verified=4, dollars=1.4,
    interventions=3, slot_seconds=400, busy_seconds=100,
)  # fmt: skip


def test_rates_are_of_tasks_that_ended_by_themselves() -> None:
    found = figures(WEEK)

    assert found.verified_rate == 5 / 8
    assert found.first_attempt_rate == 4 / 6
    assert found.after_retry_rate == 1 / 2
    assert found.node_utilisation == 0.25


def test_money_is_by_the_day_and_help_by_the_week() -> None:
    found = figures(replace(WEEK, days=14))

    assert found.dollars_per_day == pytest.approx(0.1)
    assert found.interventions_per_week == 1.5


def test_help_on_the_first_day_is_not_taken_for_what_each_day_brings() -> None:
    assert figures(replace(WEEK, days=1)).interventions_per_week == 3


def test_what_was_falsely_done_is_unknown_until_something_looked_again() -> None:
    assert figures(WEEK).false_done_rate is None
    assert "nothing has looked again" in figures(WEEK).false_done_words

    known = figures(replace(WEEK, confirmed=19, contradicted=1))

    assert known.false_done_rate == 1 / 20
    assert known.false_done_words == "1 of 20 that were looked at again were not done"


def test_where_nothing_was_there_to_count_there_is_no_rate() -> None:
    empty = figures(Sums(days=7))

    assert (empty.verified_rate, empty.first_attempt_rate, empty.after_retry_rate) == (None,) * 3
    assert (empty.node_utilisation, empty.queue_p95_seconds) == (None, None)
    assert (empty.dollars_per_day, empty.interventions_per_week) == (0, 0)


def test_waits_are_told_by_their_percentiles() -> None:
    counts = [0] * BUCKETS
    for tenths in range(1, 101):
        counts[bucket(tenths / 10)] += 1

    found = figures(replace(WEEK, queues=counts))

    assert found.queue_p50_seconds == pytest.approx(5, rel=0.1)
    assert found.queue_p95_seconds == pytest.approx(9.5, rel=0.1)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_a_rate_lies_between_none_and_all(verified: int, unverified: int, failed: int) -> None:
    ended = verified + unverified + failed
    sums = Sums(days=1, ended=ended, verified=verified, unverified=unverified, failed=failed)

    found = figures(sums)

    assert found.verified_rate is None or 0 <= found.verified_rate <= 1
