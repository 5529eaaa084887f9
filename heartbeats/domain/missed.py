"""What to do about the due times between two looks at a schedule: which run, which are skipped."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from heartbeats.domain.due import Schedule, next_due

ON_TIME = timedelta(seconds=60)
"""A due time noticed within this is not missed: somebody looks every second."""
LISTED = 500
"""So many skipped due times are kept one by one; of older ones, only from when to when."""
CAUGHT_UP = 100
"""So many missed due times are set to run at one look; the rest waits for the next."""
_INSTANT = timedelta(microseconds=1)


class Missed(StrEnum):
    """What to do about due times that nobody noticed in time."""

    SKIP = "skip"
    RUN_ONCE = "once"
    CATCH_UP = "all"


@dataclass(frozen=True)
class Due:
    """What one look at a schedule found."""

    run: tuple[datetime, ...]
    skipped: tuple[datetime, ...]
    unlisted_until: datetime | None
    """Older due times than the first skipped one were skipped too, up to this one."""
    next_due_at: datetime | None


def found_due(schedule: Schedule, *, since: datetime, now: datetime, missed: Missed) -> Due:
    """Judge the due times in `[since, now]`; `since` is the first one nobody has noticed."""
    if missed is Missed.CATCH_UP:
        return _catch_up(schedule, since, now)
    newest = islice(schedule.due_newest_first(since - _INSTANT, now), LISTED + 2)
    times = deque(newest)
    unlisted = times.pop() if len(times) == LISTED + 2 else None
    late = not times or (missed is Missed.SKIP and now - times[0] > ON_TIME)
    run = () if late else (times.popleft(),)
    return Due(run, tuple(reversed(times)), unlisted, next_due(schedule, now))


def _catch_up(schedule: Schedule, since: datetime, now: datetime) -> Due:
    run = tuple(islice(schedule.due(since - _INSTANT, now), CAUGHT_UP))
    return Due(run, (), None, next_due(schedule, run[-1] if run else now))
