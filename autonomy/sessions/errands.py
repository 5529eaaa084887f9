"""What lookers are given to do: a detector's look, and a verifier's query."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from autonomy.sdk.scope import Scope
from autonomy.sessions.events import Call, Ended
from autonomy.sessions.orders import Order, Report
from autonomy.sessions.talk import report_of
from autonomy.sessions.wire import Message

_QUERY_SECONDS = 10.0
_QUERY_MEMORY_BYTES = 256_000_000


@dataclass(frozen=True)
class Kind:
    """What makes a looker fit for a look: it was cut off before it saw the look."""

    database_url: str = field(repr=False)
    scope: Scope
    uid: int | None
    memory_bytes: int


@dataclass(frozen=True)
class Errand:
    """Something to look at once. It ends in one of two ways."""

    id: UUID
    kind: Kind
    message: Message
    wall_seconds: float
    leased_at: float
    answered: Callable[[Message], Ended | None]
    unanswered: Callable[[Report], Ended | None]


def look(order: Order, *, leased_at: float) -> Errand:
    """A detector's look; it ends as a session would."""
    hidden = order.model_copy(update={"database_url": ""})
    return Errand(
        id=order.session_id,
        kind=Kind(order.database_url, order.scope, order.uid, order.limits.memory_bytes),
        message={"look": hidden.model_dump(mode="json")},
        wall_seconds=order.limits.wall_seconds,
        leased_at=leased_at,
        answered=lambda answer: Ended(order.session_id, report_of(dict(answer["report"]))),
        unanswered=lambda report: Ended(order.session_id, report),
    )


def query(
    order: Order, call: Call, *, leased_at: float, reply: Callable[[Call, Message], None]
) -> Errand:
    """A verifier's query; the verifier gets the rows, or is told why not."""

    def answered(answer: Message) -> None:
        rows, error = answer.get("rows"), answer.get("error")
        reply(call, {"result": rows} if rows else {"kind": "transient", "error": str(error)})

    def unanswered(report: Report) -> None:
        reply(call, {"kind": "transient", "error": report.error})

    asked: dict[str, Any] = {"sql": call.params.get("sql"), "params": call.params.get("params")}
    return Errand(
        id=uuid4(),
        kind=Kind(order.database_url, Scope(), order.uid, _QUERY_MEMORY_BYTES),
        message={"query": asked},
        wall_seconds=_QUERY_SECONDS,
        leased_at=leased_at,
        answered=answered,
        unanswered=unanswered,
    )
