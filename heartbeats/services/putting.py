"""Putting a detector to work on a schedule, changing how it works, and taking it off (E-3, E-4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import jsonschema
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from autonomy.domain.amounts import BadAmount, seconds
from autonomy.systemmap.models import Kind
from autonomy.systemmap.selectors import did_you_mean, usable
from heartbeats.domain.due import next_due
from heartbeats.domain.missed import Missed
from heartbeats.models import Watch
from heartbeats.selectors import Plan, UnusableSchedule, plan_of
from ledger.domain.ids import new_id
from ledger.services import Fact, record

DOORBELL = "heartbeats.tick"
QUEUE = "ticks"
MAX_NAME_CHARS = 190
LONGEST_EXPIRY = timedelta(minutes=5)
_TURN = "heartbeats.put_to_work"
_CRONTAB_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")

Row: TypeAlias = IntervalSchedule | CrontabSchedule | ClockedSchedule
_KINDS = {IntervalSchedule: "interval", CrontabSchedule: "crontab", ClockedSchedule: "clocked"}
_FIELDS = {IntervalSchedule: "every", CrontabSchedule: "crontab", ClockedSchedule: "at"}
_LONGEST_INTERVAL = timedelta(days=10_000).total_seconds()


class WatchRefused(ValueError):
    """The watch cannot be set up this way; the message says what to change, `field` where."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(f"{field}: {words}" if field else words)
        self.words = words
        self.field = field


class UnknownWatch(LookupError):
    """No watch has this name."""


@dataclass(frozen=True)
class When:
    """How often a watch looks: one of an interval (`5m`), a crontab of five fields, or a moment."""

    every: str | float | None = None
    crontab: str | None = None
    timezone: str = "UTC"
    at: datetime | None = None


@transaction.atomic
def put_to_work(
    name: str,
    detector: str,
    params: Mapping[str, Any] | None = None,
    *,
    every: str | float | None = None,
    crontab: str | None = None,
    timezone: str = "UTC",
    at: datetime | None = None,
    missed: Missed | str = Missed.RUN_ONCE,
    by: str,
) -> Watch:
    """Set up the watch of this name, or change it; without a schedule, as often as declared.

    Raises WatchRefused.
    """
    params, missed = dict(params or {}), _policy(missed)
    _check_name(name)
    unstored = checked(detector, params, When(every, crontab, timezone, at))
    now = _take_turns()
    row = _kept(unstored)
    watch = Watch.objects.select_for_update(no_key=True).filter(name=name).first()
    before = _told(watch) if watch else None
    watch = watch or Watch(id=new_id(), name=name)
    watch.detector, watch.params, watch.missed = detector, params, missed.value
    watch.schedule, plan = _rung_by(watch, row)
    if plan.words != watch.planned:
        watch.planned, watch.next_due_at = plan.words, _first_due(plan, now)
    watch.save()
    if _told(watch) != before:
        type_ = "watch_changed" if before else "watch_added"
        record(_fact(type_, watch, by, {"before": before, "now": _told(watch)}))
    return watch


@transaction.atomic
def take_off(name: str, *, by: str) -> None:
    """Remove a watch, its schedule and its ticks; the ledger keeps what it led to."""
    watch = Watch.objects.select_for_update().filter(name=name).first()
    if watch is None:
        raise UnknownWatch(f"there is no watch {name!r}")
    record(_fact("watch_removed", watch, by, {"before": _told(watch)}))
    watch.delete()
    watch.schedule.delete()


def checked(detector: str, params: Mapping[str, Any], when: When) -> Row:
    """The schedule, not yet stored, of a watch that can be set up so; raises WatchRefused."""
    declared = usable(Kind.DETECTOR).filter(name=detector).first()
    if declared is None:
        near = did_you_mean(Kind.DETECTOR, detector)
        raise WatchRefused(f"no detector {detector!r} is declared{near}", "detector")
    _check_params(params, declared.declaration.get("params", {}))
    row = _schedule(when, declared.declaration["every_seconds"])
    try:
        plan_of(PeriodicTask(name="it", **{_KINDS[type(row)]: row}))
    except UnusableSchedule as error:
        raise WatchRefused(str(error), _FIELDS[type(row)]) from None
    return row


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise WatchRefused(f"use 1 to {MAX_NAME_CHARS} printable characters", "name")


def _policy(missed: Missed | str) -> Missed:
    try:
        return Missed(missed)
    except ValueError:
        choices = ", ".join(policy.value for policy in Missed)
        raise WatchRefused(f"{missed!r} is none of {choices}", "missed") from None


def _take_turns() -> datetime:
    """Set up one watch after the other, as their schedules' rows are shared; answers the time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)), now()", [_TURN])
        now: datetime = cursor.fetchone()[1]
    return now


def _check_params(params: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    errors = [
        f"{'.'.join(map(str, e.absolute_path))}: {e.message}".removeprefix(": ")
        for e in jsonschema.Draft202012Validator(schema).iter_errors(dict(params))
    ]
    if errors:
        raise WatchRefused("; ".join(errors)[:2000], "params")


def _schedule(when: When, every_seconds: float) -> Row:
    if sum(value is not None for value in (when.every, when.crontab, when.at)) > 1:
        raise WatchRefused("give one of `every`, `crontab` and `at`")
    if when.crontab is not None:
        return _crontab(when.crontab, when.timezone)
    if when.at is not None:
        return ClockedSchedule(clocked_time=when.at)
    return _interval(every_seconds if when.every is None else when.every)


def _interval(every: str | float) -> Row:
    try:
        length = seconds(every)
    except BadAmount as error:
        raise WatchRefused(str(error), "every") from None
    if length < 1 or length != int(length) or length > _LONGEST_INTERVAL:
        raise WatchRefused(f"{every!r} is not a whole number of seconds, one at least", "every")
    return IntervalSchedule(every=int(length), period=IntervalSchedule.SECONDS)


def _crontab(text: str, timezone: str) -> Row:
    fields = text.split()
    if len(fields) != len(_CRONTAB_FIELDS):
        words = f"{text!r} has not five fields: minute hour day month weekday"
        raise WatchRefused(words, "crontab")
    values = dict(zip(_CRONTAB_FIELDS, fields, strict=True))
    try:
        row = CrontabSchedule(**values, timezone=timezone)
        row.full_clean()
    except ValidationError as error:
        raise WatchRefused("; ".join(error.messages), "crontab") from None
    return row


def _kept(row: Row) -> Row:
    """The stored row with these values, where an operator will find it; a new one if need be."""
    model = type(row)
    values = {
        field.name: getattr(row, field.name)
        for field in model._meta.concrete_fields
        if not field.primary_key
    }
    # Their tables do not keep them unique: the first one stands for all.
    return model.objects.filter(**values).order_by("pk").first() or model.objects.create(**values)


def _rung_by(watch: Watch, row: Row) -> tuple[PeriodicTask, Plan]:
    """The row by which beat rings for the watch, saved where it is new or differs."""
    task = watch.schedule if watch.schedule_id else PeriodicTask(task=DOORBELL, queue=QUEUE)
    wanted = {
        "name": f"watch {watch.name}",
        "kwargs": json.dumps({"watch": str(watch.id)}),
        "enabled": watch.enabled,
        "interval": None,
        "crontab": None,
        "clocked": None,
        "one_off": isinstance(row, ClockedSchedule),
        "expire_seconds": _expiry(row),
        _KINDS[type(row)]: row,
    }
    differs = task.pk is None or any(getattr(task, k) != v for k, v in wanted.items())
    for field, value in wanted.items():
        setattr(task, field, value)
    if differs:
        try:
            task.save()
        except ValidationError as error:  # somebody else's row has its name
            raise WatchRefused("; ".join(error.messages), "name") from None
    return task, plan_of(task)


def _expiry(row: Row) -> int:
    """A doorbell not heard by then is dropped: the next one, or a sweep, notices the same."""
    length = LONGEST_EXPIRY
    if isinstance(row, IntervalSchedule):
        length = min(length, timedelta(**{row.period: row.every}))
    return max(1, length // timedelta(seconds=1))


def _first_due(plan: Plan, now: datetime) -> datetime | None:
    return next_due(plan.schedule, max(now, plan.not_before)) if plan.schedule else None


def _told(watch: Watch) -> dict[str, Any]:
    """What an operator set."""
    return {
        "detector": watch.detector,
        "params": watch.params,
        "schedule": str(watch.schedule.scheduler),
        "missed": watch.missed,
    }


def _fact(type_: str, watch: Watch, by: str, payload: Mapping[str, Any]) -> Fact:
    return Fact(type=type_, stream="detector", stream_id=watch.name, actor=by, payload=payload)
