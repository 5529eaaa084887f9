"""Which watches are due, which ticks can be taken, and how each watch is doing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django_celery_beat.models import PeriodicTasks

from autonomy.systemmap.models import Kind
from autonomy.systemmap.selectors import usable
from heartbeats.models import Noticed, Tick, Watch

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

AT_ONCE = 500
"""So many watches are looked at in one go; the rest have their turn at the next."""

CLAIMABLE = """
w.enabled AND n.detectors ? w.detector AND NOT n.paused AND NOT n.draining
AND NOT EXISTS (SELECT 1 FROM heartbeats_tick live
    WHERE live.watch_id = w.id AND live.state = 'running' AND live.lease_until >= now())
AND EXISTS (SELECT 1 FROM heartbeats_tick t
    WHERE t.watch_id = w.id AND t.state IN ('due', 'running'))
"""
"""Of watch `w` and node `n`: there is a tick to take, and none is being worked on."""

_WAITING = f"""
SELECT
    EXISTS (SELECT 1 FROM heartbeats_watch w WHERE w.enabled AND (
        w.next_due_at <= now() OR w.schedules_seen_at IS DISTINCT FROM
            (SELECT last_update FROM django_celery_beat_periodictasks WHERE ident = 1))),
    EXISTS (SELECT 1 FROM heartbeats_watch w JOIN systemmap_node n ON n.name = %s
        WHERE {CLAIMABLE})
"""  # noqa: S608 -- put together from constants


@dataclass(frozen=True)
class Waiting:
    """Whether there is anything to do."""

    watches: bool  # due, or with a changed schedule
    ticks: bool  # that this node can take


class Facts(TypedDict):
    """What comes with a due watch: the time, the schedules' last change, its detector."""

    seen_at: datetime
    schedules_changed_at: datetime | None
    detector_paused: bool | None  # none: no loaded module declares it


class Doing(TypedDict):
    """How a watch is doing."""

    last_state: str | None
    last_due_at: datetime | None
    acted_on: int


def waiting(node: str) -> Waiting:
    """What a sweep would find; one statement, which is all an idle second costs."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [node])
        return Waiting(*cursor.fetchone())


def due_watches(
    now: datetime | None = None, only: Collection[UUID] | None = None
) -> "QuerySet[WithAnnotations[Watch, Facts]]":
    """Watches with a due time nobody noticed, by the database's clock, or a changed schedule."""
    moment = Now() if now is None else Value(now)
    detector = usable(Kind.DETECTOR).filter(name=OuterRef("detector"))
    watches = Watch.objects.filter(enabled=True).annotate(
        seen_at=moment,
        schedules_changed_at=Subquery(
            PeriodicTasks.objects.filter(ident=1).values("last_update")[:1]
        ),
        detector_paused=Subquery(detector.values("paused")[:1]),
    )
    if only is not None:
        watches = watches.filter(id__in=only)
    seen = Q(schedules_seen_at__isnull=False, schedules_seen_at=F("schedules_changed_at"))
    return (
        watches.filter(Q(next_due_at__lte=moment) | ~seen)
        .select_related("schedule__interval", "schedule__crontab", "schedule__clocked")
        .order_by("next_due_at", "id")[:AT_ONCE]
    )


def overview() -> "QuerySet[WithAnnotations[Watch, Doing]]":
    """Every watch with its newest tick and how many of its findings led to a task."""
    newest = Tick.objects.filter(watch=OuterRef("pk")).order_by("-due_at")
    acted_on = (
        Noticed.objects.filter(watch=OuterRef("pk"))
        .order_by()
        .values("watch")
        .annotate(count=Count("pk"))
    )
    return Watch.objects.select_related(
        "schedule__interval", "schedule__crontab", "schedule__clocked"
    ).annotate(
        last_state=Subquery(newest.values("state")[:1]),
        last_due_at=Subquery(newest.values("due_at")[:1]),
        acted_on=Coalesce(Subquery(acted_on.values("count")[:1]), 0),
    )
