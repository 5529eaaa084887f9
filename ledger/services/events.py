"""Recording what happened, in the transaction that made it happen (C-23)."""

import secrets
from uuid import UUID

from django.db import connection, transaction

from ledger import wake
from ledger.domain.facts import Fact, body_hash
from ledger.domain.ids import new_id
from ledger.domain.storable import json_text, text
from ledger.models import Body

_INSERT = """
INSERT INTO ledger_event
       (id, workspace_id, type, version, stream, stream_id, actor, cause, payload, body_hash)
SELECT id, workspace_id, type, version, stream, stream_id, actor, cause::jsonb, payload::jsonb,
       body_hash
  FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[],
              %s::text[], %s::text[], %s::text[])
    AS fact (id, workspace_id, type, version, stream, stream_id, actor, cause, payload, body_hash)
"""
_SALT_BYTES = 16


class NoTransaction(RuntimeError):
    """An event was to be recorded apart from the change it tells of."""


def record(*facts: Fact) -> None:
    """Append events in the caller's transaction; wakes the engine once after its commit.

    Quiet facts wake nobody.
    """
    if not connection.in_atomic_block:
        raise NoTransaction("record() belongs inside the transaction of the change it records")
    if not facts:
        return
    ids = [new_id() for _ in facts]
    bodies = [_body(id_, fact) for id_, fact in zip(ids, facts, strict=True) if fact.body]
    hashes = {body.event_id: body_hash(body.text, bytes(body.salt)) for body in bodies}
    rows = [_row(id_, fact, hashes.get(id_, "")) for id_, fact in zip(ids, facts, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])
    if bodies:
        Body.objects.bulk_create(bodies)
    if not all(fact.quiet for fact in facts):
        _ring_after_commit()


def _body(event_id: UUID, fact: Fact) -> Body:
    said = text(fact.body) if isinstance(fact.body, str) else json_text(dict(fact.body))
    return Body(
        event_id=event_id,
        workspace_id=fact.workspace_id,
        salt=secrets.token_bytes(_SALT_BYTES),
        text=said,
    )


def _row(id_: UUID, fact: Fact, hashed: str) -> tuple[object, ...]:
    return (
        id_,
        fact.workspace_id,
        fact.type,
        fact.version,
        fact.stream,
        text(fact.stream_id),
        text(fact.actor),
        json_text(list(fact.cause)),
        json_text(dict(fact.payload)),
        hashed,
    )


def _ring_after_commit() -> None:
    """Once per transaction, however many events it records."""
    if not any(waiting[1] is wake.ring for waiting in connection.run_on_commit):
        transaction.on_commit(wake.ring)
