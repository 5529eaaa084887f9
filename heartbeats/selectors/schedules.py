"""Rows of django-celery-beat, which an operator edits, read as plain schedules (E-4)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from heartbeats.domain.due import At, Crontab, Every, Schedule

OFF = "off"


class UnusableSchedule(ValueError):
    """A schedule that a watch cannot follow; the message says what to change."""


@dataclass(frozen=True)
class Plan:
    """What a row says: none while it is switched off; `words` differ when its due times do."""

    schedule: Schedule | None
    not_before: datetime
    words: str


def plan_of(row: PeriodicTask) -> Plan:
    """The plan of a row; raises UnusableSchedule."""
    start = row.start_time or datetime.min.replace(tzinfo=UTC)
    # Beat switches a single moment off when it has rung for it, heard or not.
    if not row.enabled and row.clocked is None:
        return Plan(None, start, OFF)
    words = f"{row.scheduler} from {row.start_time}" if row.start_time else str(row.scheduler)
    return Plan(_schedule(row), start, words)


def _schedule(row: PeriodicTask) -> Schedule:
    if row.interval is not None:
        return every(row.interval)
    if row.crontab is not None:
        return crontab(row.crontab)
    if row.clocked is not None:
        return At(row.clocked.clocked_time)
    raise UnusableSchedule(f"{row.name}: give it an interval, a crontab or a single moment")


def every(row: IntervalSchedule) -> Every:
    """An interval in whole seconds; raises UnusableSchedule for a shorter one."""
    length = timedelta(**{row.period: row.every})
    if length < timedelta(seconds=1) or length % timedelta(seconds=1):
        raise UnusableSchedule(f"{row}: use whole seconds, at least one")
    return Every(length // timedelta(seconds=1))


def crontab(row: CrontabSchedule) -> Crontab:
    """A crontab as Celery reads its fields; raises UnusableSchedule."""
    try:
        fields = row.schedule
    except ValueError as error:
        raise UnusableSchedule(f"{row}: {error}") from None
    return Crontab(
        minutes=frozenset(fields.minute),
        hours=frozenset(fields.hour),
        days=frozenset(fields.day_of_month),
        months=frozenset(fields.month_of_year),
        weekdays=frozenset(fields.day_of_week),
        zone=str(row.timezone),
    )
