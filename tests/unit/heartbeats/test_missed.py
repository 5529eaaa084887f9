"""The policy for due times that nobody noticed."""

from datetime import UTC, datetime, timedelta

import pytest

from heartbeats.domain.due import At, Every
from heartbeats.domain.missed import CAUGHT_UP, LISTED, ON_TIME, Due, Missed, found_due

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def found(missed: Missed, *, since: datetime, now: datetime) -> Due:
    return found_due(Every(60), since=since, now=now, missed=missed)


@pytest.mark.parametrize("missed", list(Missed))
def test_a_due_time_noticed_on_time_runs_under_every_policy(missed: Missed) -> None:
    due = found(missed, since=NOON, now=NOON + timedelta(seconds=1))

    assert due == Due((NOON,), (), None, NOON + MINUTE)


@pytest.mark.parametrize("missed", list(Missed))
def test_nothing_runs_before_it_is_due(missed: Missed) -> None:
    due = found(missed, since=NOON, now=NOON - timedelta(seconds=1))

    assert due == Due((), (), None, NOON)


def test_run_once_runs_the_newest_and_skips_the_rest() -> None:
    due = found(Missed.RUN_ONCE, since=NOON, now=NOON + 3 * MINUTE)

    assert due.run == (NOON + 3 * MINUTE,)
    assert due.skipped == (NOON, NOON + MINUTE, NOON + 2 * MINUTE)


def test_catch_up_runs_all_oldest_first() -> None:
    due = found(Missed.CATCH_UP, since=NOON, now=NOON + 3 * MINUTE)

    assert due.run == (NOON, NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE)
    assert due.skipped == ()


def test_skip_runs_nothing_that_is_late() -> None:
    late = NOON + ON_TIME + timedelta(seconds=1)

    due = found_due(At(NOON), since=NOON, now=late, missed=Missed.SKIP)

    assert due == Due((), (NOON,), None, None)


def test_skip_still_runs_the_newest_when_it_is_on_time() -> None:
    due = found(Missed.SKIP, since=NOON, now=NOON + 2 * MINUTE)

    assert due.run == (NOON + 2 * MINUTE,)
    assert due.skipped == (NOON, NOON + MINUTE)


def test_a_daily_run_missed_in_the_night_still_runs_once_in_the_morning() -> None:
    due = found_due(Every(86400), since=NOON - 12 * 60 * MINUTE, now=NOON, missed=Missed.RUN_ONCE)

    assert due.run == (NOON - 12 * 60 * MINUTE,)


def test_of_a_month_of_missed_seconds_the_latest_are_listed_and_the_rest_bounded() -> None:
    due = found_due(Every(1), since=NOON - timedelta(days=30), now=NOON, missed=Missed.RUN_ONCE)

    assert due.run == (NOON,)
    assert len(due.skipped) == LISTED
    assert due.skipped[-1] == NOON - timedelta(seconds=1)
    assert due.unlisted_until == due.skipped[0] - timedelta(seconds=1)


def test_catching_up_goes_on_where_it_stopped_until_nothing_is_left() -> None:
    since: datetime | None = NOON
    ran: list[datetime] = []
    now = NOON + 250 * MINUTE
    for _ in range(3):
        assert since is not None
        due = found(Missed.CATCH_UP, since=since, now=now)
        assert len(due.run) <= CAUGHT_UP
        ran += due.run
        since = due.next_due_at

    assert ran == [NOON + n * MINUTE for n in range(251)]
    assert since == NOON + 251 * MINUTE
