"""Erasing what an event says of people; that it was erased, by whom and why stays (C-24)."""

from uuid import UUID

from django.db import connection, transaction

from ledger.domain.facts import Fact
from ledger.models import Body, Event
from ledger.services.events import record


class NothingToErase(Exception):
    """The event has no body, or had one that was erased before."""


@transaction.atomic
def erase(event_id: UUID, *, actor: str, reason: str) -> None:
    """Remove the body of an event for good, and record that; raises NothingToErase.

    The app's role may not delete: a function of the owner does, and only what an event tells of.
    """
    event = Event.objects.filter(id=event_id).first()
    if event is None or not event.body_hash:
        raise NothingToErase(f"there is no event {event_id} with a body")
    if not Body.objects.filter(event_id=event_id).exists():
        raise NothingToErase(f"the body of event {event_id} was erased before")
    record(
        Fact(
            type="body_erased",
            stream="event",
            stream_id=str(event_id),
            actor=actor,
            payload={"type": event.type, "body_hash": event.body_hash, "reason": reason},
            workspace_id=event.workspace_id,
        )
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_erase(%s)", [event_id])
        (erased,) = cursor.fetchone()
    if not erased:
        raise NothingToErase(f"the body of event {event_id} was erased at the same time")
