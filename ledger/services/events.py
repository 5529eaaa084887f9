"""Recording what happened, in the transaction that made it happen (C-23)."""

from django.conf import settings
from django.db import connection, transaction

from ledger import wake
from ledger.domain.facts import Fact
from ledger.domain.ids import new_id
from ledger.domain.storable import json_text, text

_INSERT = """
INSERT INTO ledger_event
       (id, workspace_id, type, version, stream, stream_id, actor, cause, payload)
SELECT id, workspace_id, type, version, stream, stream_id, actor, cause::jsonb, payload::jsonb
  FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[],
              %s::text[], %s::text[])
    AS fact (id, workspace_id, type, version, stream, stream_id, actor, cause, payload)
"""


class NoTransaction(RuntimeError):
    """An event was to be recorded apart from the change it tells of."""


def record(*facts: Fact) -> None:
    """Append events in the caller's transaction; wakes the engine once after its commit."""
    if not connection.in_atomic_block:
        raise NoTransaction("record() belongs inside the transaction of the change it records")
    if not facts:
        return
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in zip(*map(_row, facts), strict=True)])
    _ring_after_commit()


def _row(fact: Fact) -> tuple[object, ...]:
    return (
        new_id(),
        fact.workspace_id,
        fact.type,
        fact.version,
        fact.stream,
        text(fact.stream_id),
        text(fact.actor),
        json_text(list(fact.cause)),
        # The last wall: what stands here is sealed and can never be taken out again.
        json_text(settings.AUTONOMY_SECRETS.current().known(dict(fact.payload))),
    )


def _ring_after_commit() -> None:
    """Once per transaction, however many events it records."""
    if not any(waiting[1] is wake.ring for waiting in connection.run_on_commit):
        transaction.on_commit(wake.ring)
