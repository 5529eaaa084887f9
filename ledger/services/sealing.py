"""Numbering events without a gap, in an order to which nothing can be added later (C-24).

An event is sealed once every transaction that began before it can only have ended: then none can
still add one before it. Events wait for that, never their writers.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from ledger.domain.chain import Entry, Tree, block_hash, event_hash
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.models import Block
from ledger.selectors import chain
from ledger.services import clock

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('ledger.seal'), hashtext(%s))"
_SEALS = """
INSERT INTO ledger_seal (event_id, workspace_id, block_id, sequence, event_hash)
SELECT event_id, %s, %s, %s + place, event_hash
  FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS seal (event_id, event_hash, place)
"""


def seal(limit: int = 1000, *, workspace_id: UUID = DEFAULT_WORKSPACE) -> Block | None:
    """Seal the next events in one block; None when there are none, or another sealer is at it."""
    with transaction.atomic():
        if not _locked(workspace_id):
            return None
        clock.check()
        head = chain.head(workspace_id)
        entries = chain.settled(head, limit)
        return _chained(head, entries) if entries else None


def _locked(workspace_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [str(workspace_id)])
        return bool(cursor.fetchone()[0])


def _chained(head: Block, entries: Sequence[Entry]) -> Block:
    hashes = [event_hash(entry) for entry in entries]
    block = Block(
        workspace_id=head.workspace_id,
        number=head.number + 1,
        first_sequence=head.last_sequence + 1,
        last_sequence=head.last_sequence + len(entries),
        last_transaction=entries[-1].transaction,
        last_event_id=entries[-1].id,
        previous_hash=head.hash,
        merkle_root=Tree(hashes).root(),
        sealed_at=chain.database_time(),
    )
    block.hash = block_hash(chain.link(block))
    block.save(force_insert=True)
    _write_seals(block, [entry.id for entry in entries], hashes)
    return block


def _write_seals(block: Block, event_ids: Sequence[UUID], hashes: Sequence[str]) -> None:
    before = block.first_sequence - 1
    with connection.cursor() as cursor:
        cursor.execute(
            _SEALS, [block.workspace_id, block.id, before, list(event_ids), list(hashes)]
        )
