"""When a schedule is due. Plain values: the clock, and the zone's name, come from the caller.

Due times come from the schedule alone, never from when somebody noticed, so that every clock that
looks at a schedule finds the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HORIZON = timedelta(days=366 * 28 + 7)
"""A crontab without a due time for this long has none: the 29th of February meets every weekday."""
_INSTANT = timedelta(microseconds=1)
_HOURS_OF_A_DAY = 24


class Schedule(Protocol):
    """Something that knows its due times in `(after, until]`."""

    def due(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The due times, oldest first."""

    def due_newest_first(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The same due times, newest first, so that a long gap is not walked from its start."""


@dataclass(frozen=True)
class Every:
    """Due at every whole multiple of `seconds` since the epoch."""

    seconds: int

    def due(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The due times, oldest first."""
        return map(self._at, range(self._count(after) + 1, self._count(until) + 1))

    def due_newest_first(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The due times, newest first."""
        return map(self._at, range(self._count(until), self._count(after), -1))

    def _count(self, moment: datetime) -> int:
        return (moment - EPOCH) // timedelta(seconds=self.seconds)

    def _at(self, count: int) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds) * count


@dataclass(frozen=True)
class At:
    """Due once."""

    moment: datetime

    def due(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The moment, when it lies between."""
        return iter((self.moment,) if after < self.moment <= until else ())

    due_newest_first = due


@dataclass(frozen=True)
class Crontab:
    """Due when the clocks of a zone show one of the minutes of one of the hours of one of the days.

    A day has to fit `days`, `months` and `weekdays` (0 is Sunday), all three. Where the clocks are
    put forward over a due time, it is due that much later, once; where they are put back over one,
    it is due the first time only, unless every hour is due.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: str

    def due(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The due times, oldest first."""
        latest = after
        for day in _dates(after, until, self.zone):
            for hour in sorted(self.hours) if self._fits(day) else ():
                for moment in self._in_hour(day, hour, latest, until):
                    latest = moment
                    yield moment

    def due_newest_first(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The due times, newest first."""
        earliest = until
        for day in reversed(_dates(after, until, self.zone)):
            for hour in sorted(self.hours, reverse=True) if self._fits(day) else ():
                for moment in reversed(self._in_hour(day, hour, after, earliest)):
                    earliest = moment - _INSTANT
                    yield moment

    def _fits(self, day: date) -> bool:
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.weekdays
        )

    def _in_hour(self, day: date, hour: int, after: datetime, until: datetime) -> list[datetime]:
        """The moments in `(after, until]` at which the clocks show this hour and a due minute."""

        def moment(minute: int, fold: int) -> datetime:
            shown = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold)
            return shown.astimezone(UTC)

        zone = ZoneInfo(self.zone)
        if max(moment(59, 0), moment(59, 1)) <= after or min(moment(0, 0), moment(0, 1)) > until:
            return []
        folds = (0, 1) if len(self.hours) == _HOURS_OF_A_DAY else (0,)
        shown = {moment(minute, fold) for minute in self.minutes for fold in folds}
        return sorted(m for m in shown if after < m <= until)


def _dates(after: datetime, until: datetime, zone: str) -> "_Dates":
    """The local dates that due times between the two moments can have."""
    first = after.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)  # a day may be skipped
    return _Dates(first, (until.astimezone(ZoneInfo(zone)).date() - first).days + 1)


@dataclass(frozen=True)
class _Dates:
    first: date
    count: int

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.count))

    def __reversed__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in reversed(range(self.count)))


def next_due(schedule: Schedule, after: datetime) -> datetime | None:
    """The first due time after a moment, or none if there is none in sight."""
    return next(schedule.due(after, after + _HORIZON), None)
