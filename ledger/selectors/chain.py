"""The chain of blocks, and the events that are settled but not yet in it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from ledger.domain.chain import GENESIS, Entry, Link
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.models import Block, Event

ENTRY = """e.id, e.workspace_id, e.type, e.version, e.stream, e.stream_id, e.actor,
       e.cause::text, e.payload::text, e.at, e.transaction, e.body_hash"""
"""The columns of an Entry, in its order."""

_SETTLED = f"""
SELECT {ENTRY} FROM ledger_event e
 WHERE e.workspace_id = %s AND (e.transaction, e.id) > (%s, %s)
   AND e.transaction < ledger_clock(pg_snapshot_xmin(pg_current_snapshot()))
 ORDER BY e.transaction, e.id LIMIT %s
"""  # noqa: S608
_UNSEALED = """
SELECT count(*) FROM ledger_event e
 WHERE e.workspace_id = %s AND (e.transaction, e.id) > (%s, %s)
"""


def head(workspace_id: UUID) -> Block:
    """The newest block, or the unsaved one that stands before the first."""
    return Block.objects.filter(workspace_id=workspace_id).order_by("number").last() or origin(
        workspace_id
    )


def origin(workspace_id: UUID) -> Block:
    """What the first block follows; it is not stored."""
    return Block(
        workspace_id=workspace_id,
        number=0,
        last_sequence=0,
        last_transaction=-1,
        last_event_id=UUID(int=0),
        hash=GENESIS,
    )


def link(block: Block) -> Link:
    """What the hash of the block covers."""
    return Link(**{name: getattr(block, name) for name in Link.__slots__})


def settled(after: Block, limit: int) -> list[Entry]:
    """Events after the block to which no transaction can add an earlier one any more."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [*_place(after), limit])
        return [Entry(*row) for row in cursor.fetchall()]


def database_time() -> datetime:
    """The time of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


@dataclass(frozen=True)
class ChainStatus:
    """How far the chain reaches, and when it was last checked as a whole."""

    sealed: int
    unsealed: int
    head_number: int
    head_hash: str
    sealed_at: datetime | None
    verified_at: datetime | None
    agreed: bool | None
    problem: str


def chain_status(workspace_id: UUID = DEFAULT_WORKSPACE) -> ChainStatus:
    """The state of the chain in a few quick queries."""
    last = head(workspace_id)
    checked = (
        Event.objects.filter(stream="ledger", stream_id=str(workspace_id)).order_by("id").last()
    )
    return ChainStatus(
        sealed=last.last_sequence,
        unsealed=_unsealed(last),
        head_number=last.number,
        head_hash=last.hash,
        sealed_at=last.sealed_at if last.number else None,
        verified_at=checked.at if checked else None,
        agreed=checked.type == "ledger_verified" if checked else None,
        problem=checked.payload["problem"] if checked else "",
    )


def _unsealed(after: Block) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, _place(after))
        return int(cursor.fetchone()[0])


def _place(block: Block) -> tuple[UUID, int, UUID]:
    return block.workspace_id, block.last_transaction, block.last_event_id
