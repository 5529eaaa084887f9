"""Events and outcomes as listed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from ledger.models import Block, Event, Outcome, Seal
from ledger.selectors import bodies


@dataclass(frozen=True)
class EventLine:
    """Something that happened; `sequence` is its place in the chain, once it is sealed."""

    id: UUID
    sequence: int | None
    type: str
    version: int
    stream: str
    stream_id: str
    actor: str
    cause: list[str]
    payload: dict[str, Any]
    body: str | None  # what it says of people; None where there is none, or it was erased
    body_hash: str
    at: datetime


@dataclass(frozen=True)
class OutcomeLine:
    """How one task ended, with the evidence."""

    task_id: UUID
    skill: str
    tier: int
    node: str
    state: str
    reason: str
    verdict: str
    evidence: dict[str, Any]
    decision_seconds: float | None
    queue_seconds: float
    run_seconds: float
    verify_seconds: float
    expected_seconds: float
    retries: int
    dollars: Decimal
    tokens: int
    quality: float | None
    error_class: str
    at: datetime


_EVENT = [field.name for field in fields(EventLine) if field.name not in ("sequence", "body")]
_OUTCOME = [field.name for field in fields(OutcomeLine)]


def events(
    *, stream: str = "", stream_id: str = "", type_: str = "", limit: int = 50
) -> list[EventLine]:
    """The newest events, newest first."""
    wanted = {"stream": stream, "stream_id": stream_id, "type": type_}
    rows = Event.objects.filter(**{name: value for name, value in wanted.items() if value})
    found = list(rows.order_by("-id").values(*_EVENT)[:limit])
    sealed = Seal.objects.filter(event_id__in=[row["id"] for row in found])
    places = dict(sealed.values_list("event_id", "sequence"))
    said = bodies(row["id"] for row in found if row["body_hash"])
    return [
        EventLine(sequence=places.get(row["id"]), body=said.get(row["id"]), **row) for row in found
    ]


def outcomes(*, skill: str = "", verdict: str = "", limit: int = 50) -> list[OutcomeLine]:
    """The newest outcomes, newest first."""
    return lines(wanted(skill=skill, verdict=verdict).order_by("-at")[:limit])


def wanted(**columns: str) -> QuerySet[Outcome]:
    """The outcomes in whose columns these words stand; an empty word asks for nothing."""
    return Outcome.objects.filter(**{name: word for name, word in columns.items() if word})


def lines(rows: Iterable[Outcome]) -> list[OutcomeLine]:
    """Rows as they are listed."""
    return [OutcomeLine(**{name: getattr(row, name) for name in _OUTCOME}) for row in rows]


@dataclass(frozen=True)
class Sealing:
    """How far the chain has come."""

    block: int
    events: int
    waiting: int
    head: str
    sealed_at: datetime | None


def sealing() -> Sealing:
    """The newest block, and what waits for the next."""
    head = Block.objects.order_by("-number").first()
    if head is None:
        return Sealing(0, 0, Event.objects.count(), "", None)
    after = Q(transaction__gt=head.last_transaction) | Q(
        transaction=head.last_transaction, id__gt=head.last_event_id
    )
    waiting = Event.objects.filter(after).count()
    return Sealing(head.number, head.last_sequence, waiting, head.hash, head.sealed_at)
