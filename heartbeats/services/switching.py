"""Switching a watch on and off: by a person, or by the platform after three strikes (E-2)."""

from django.db import transaction
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from heartbeats.models import Tick, TickState, Watch
from ledger.domain import storable
from ledger.services import Fact, record


@transaction.atomic
def enable(watch: Watch, *, by: str) -> bool:
    """Let a watch look again, from now on, with no strikes; answers whether it was off."""
    switched = Watch.objects.filter(id=watch.id, enabled=False).update(
        enabled=True, strikes=0, disabled_reason="", next_due_at=None, planned=""
    )
    if switched:
        _ring(watch, enabled=True)
        record(_fact("detector_enabled", watch, by))
    return bool(switched)


@transaction.atomic
def disable(watch: Watch, reason: str, *, by: str) -> bool:
    """Let a watch look no more; answers whether it was on."""
    reason = storable.text(reason)
    switched = Watch.objects.filter(id=watch.id, enabled=True).update(
        enabled=False, disabled_reason=reason, next_due_at=None
    )
    if switched:
        Tick.objects.filter(watch=watch, state=TickState.DUE).update(
            state=TickState.SKIPPED, error="the watch was switched off", ended_at=Now()
        )
        _ring(watch, enabled=False)
        record(_fact("detector_disabled", watch, by, reason=reason))
    return bool(switched)


@transaction.atomic
def look_now(watch: Watch, *, by: str) -> None:
    """Let a watch look at once, whatever its schedule says."""
    Tick.objects.create(watch=watch, due_at=Now())
    record(_fact("look_requested", watch, by))


def _ring(watch: Watch, *, enabled: bool) -> None:
    """Tell beat to ring for it, or to stop."""
    PeriodicTask.objects.filter(id=watch.schedule_id).update(enabled=enabled, last_run_at=None)
    PeriodicTasks.update_changed()


def _fact(type_: str, watch: Watch, by: str, **payload: str) -> Fact:
    return Fact(
        type=type_,
        stream="detector",
        stream_id=watch.name,
        actor=by,
        payload={"detector": watch.detector, **payload},
    )
