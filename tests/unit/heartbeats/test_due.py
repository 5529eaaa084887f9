"""Due times of intervals, crontabs in their zones, and single moments."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heartbeats.domain.due import At, Crontab, Every, Schedule, next_due

DAY = timedelta(days=1)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def cron(
    minutes: set[int] | None = None,
    hours: set[int] | None = None,
    *,
    zone: str,
    days: set[int] | None = None,
    months: set[int] | None = None,
    weekdays: set[int] | None = None,
) -> Crontab:
    return Crontab(
        minutes=frozenset(range(60) if minutes is None else minutes),
        hours=frozenset(range(24) if hours is None else hours),
        days=frozenset(range(1, 32) if days is None else days),
        months=frozenset(range(1, 13) if months is None else months),
        weekdays=frozenset(range(7) if weekdays is None else weekdays),
        zone=zone,
    )


def between(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    return list(schedule.due(after, until))


def test_an_interval_is_due_at_the_same_times_whoever_counts() -> None:
    assert between(Every(300), utc(2026, 5, 1, 12, 1), utc(2026, 5, 1, 12, 15)) == [
        utc(2026, 5, 1, 12, 5),
        utc(2026, 5, 1, 12, 10),
        utc(2026, 5, 1, 12, 15),
    ]


def test_the_start_of_a_window_is_left_out_and_its_end_is_in() -> None:
    assert between(Every(60), utc(2026, 1, 1), utc(2026, 1, 1, 0, 1)) == [utc(2026, 1, 1, 0, 1)]


def test_a_single_moment_is_due_once() -> None:
    moment = utc(2026, 5, 1, 12)

    assert between(At(moment), moment - DAY, moment) == [moment]
    assert between(At(moment), moment, moment + DAY) == []
    assert next_due(At(moment), moment) is None


def test_a_crontab_follows_the_clocks_of_its_zone() -> None:
    schedule = cron({30}, {6}, zone="Asia/Kathmandu")  # 5:45 ahead

    assert between(schedule, utc(2026, 5, 1), utc(2026, 5, 3)) == [
        utc(2026, 5, 1, 0, 45),
        utc(2026, 5, 2, 0, 45),
    ]


def test_a_day_has_to_fit_month_day_and_weekday() -> None:
    schedule = cron({0}, {0}, zone="UTC", days=set(range(1, 8)), weekdays={1})

    due = between(schedule, utc(2026, 1, 1), utc(2026, 4, 1))

    assert due == [utc(2026, 1, 5), utc(2026, 2, 2), utc(2026, 3, 2)]  # first Mondays


def test_a_crontab_that_no_day_fits_is_never_due() -> None:
    assert next_due(cron({0}, {0}, zone="UTC", days={31}, months={2}), utc(2026, 1, 1)) is None


def test_the_rarest_day_is_found() -> None:
    leap_sunday = cron({0}, {0}, zone="UTC", days={29}, months={2}, weekdays={0})

    assert next_due(leap_sunday, utc(2004, 3, 1)) == utc(2032, 2, 29)


# The nights on which clocks change: zone, a time before the change, the hour it strikes.
FORWARD = [
    pytest.param("Europe/Berlin", utc(2026, 3, 29), 2, id="Berlin 2:00→3:00"),
    pytest.param("America/New_York", utc(2026, 3, 8), 2, id="New York 2:00→3:00"),
    pytest.param("Australia/Lord_Howe", utc(2026, 10, 3, 12), 2, id="Lord Howe 2:00→2:30"),
    pytest.param("Africa/Cairo", utc(2026, 4, 23, 12), 0, id="Cairo 0:00→1:00"),
]
BACK = [
    pytest.param("Europe/Berlin", utc(2026, 10, 25), 2, id="Berlin 3:00→2:00"),
    pytest.param("America/New_York", utc(2026, 11, 1), 1, id="New York 2:00→1:00"),
    pytest.param("Australia/Lord_Howe", utc(2026, 4, 4, 6), 1, id="Lord Howe 2:00→1:30"),
]


@pytest.mark.parametrize(("zone", "night", "hour"), FORWARD)
def test_a_due_time_that_the_clocks_jump_over_is_due_once_and_late(
    zone: str, night: datetime, hour: int
) -> None:
    due = between(cron({15}, {hour}, zone=zone), night, night + DAY)

    assert len(due) == 1
    [before] = between(cron({15}, {hour}, zone=zone), night - DAY, night)
    assert timedelta() <= due[0] - before - DAY <= timedelta(hours=1)


@pytest.mark.parametrize(("zone", "night", "hour"), BACK)
def test_a_due_time_that_the_clocks_show_twice_is_due_the_first_time_only(
    zone: str, night: datetime, hour: int
) -> None:
    due = between(cron({45}, {hour}, zone=zone), night, night + DAY)

    assert len(due) == 1
    [before] = between(cron({45}, {hour}, zone=zone), night - DAY, night)
    assert due[0] - before == DAY


@pytest.mark.parametrize(("zone", "night", "hour"), [*FORWARD, *BACK])
def test_every_five_minutes_stays_every_five_minutes_when_clocks_change(
    zone: str, night: datetime, hour: int
) -> None:
    due = between(cron(set(range(0, 60, 5)), zone=zone), night, night + DAY)

    assert len(due) == 24 * 12
    assert {b - a for a, b in pairwise(due)} == {timedelta(minutes=5)}


def test_a_day_that_a_zone_skipped_is_made_up_for_at_most_once() -> None:
    """Samoa had no 30 December 2011."""
    due = between(cron({0}, {10}, zone="Pacific/Apia"), utc(2011, 12, 28), utc(2012, 1, 3))

    assert due == sorted(set(due))
    assert {b - a for a, b in pairwise(due)} == {DAY}


schedules = st.one_of(
    st.builds(Every, st.integers(1, 10**6)),
    st.builds(
        cron,
        st.sets(st.integers(0, 59), min_size=1, max_size=5),
        st.one_of(st.none(), st.sets(st.integers(0, 23), min_size=1, max_size=5)),
        zone=st.sampled_from(
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
        ),
    ),
)
moments = st.integers(0, 19 * 365 * 86400).map(lambda s: utc(2011, 1, 1) + timedelta(seconds=s))


@settings(max_examples=300, deadline=None)
@given(schedules, moments, st.timedeltas(timedelta(), timedelta(days=3)))
def test_newest_first_finds_what_oldest_first_finds(
    schedule: Schedule, after: datetime, length: timedelta
) -> None:
    until = min(
        after + length, after + 5000 * timedelta(seconds=getattr(schedule, "seconds", 10**6))
    )

    due = between(schedule, after, until)

    assert due == sorted(set(due))
    assert all(after < moment <= until for moment in due)
    assert list(schedule.due_newest_first(after, until)) == due[::-1]


@settings(max_examples=300, deadline=None)
@given(schedules, moments)
def test_one_due_time_leads_to_the_next(schedule: Schedule, after: datetime) -> None:
    expected = list(islice(schedule.due(after, after + 400 * DAY), 5))
    walked: list[datetime] = []
    for _ in expected:
        found = next_due(schedule, walked[-1] if walked else after)
        assert found is not None
        walked.append(found)

    assert walked == expected


@settings(max_examples=300, deadline=None)
@given(schedules, moments, st.timedeltas(timedelta(), DAY), st.timedeltas(timedelta(), DAY))
def test_where_a_window_is_cut_changes_nothing(
    schedule: Schedule, after: datetime, first: timedelta, second: timedelta
) -> None:
    if isinstance(schedule, Every):
        schedule = Every(max(schedule.seconds, 60))
    middle, until = after + first, after + first + second

    whole = between(schedule, after, until)

    assert between(schedule, after, middle) + between(schedule, middle, until) == whole
