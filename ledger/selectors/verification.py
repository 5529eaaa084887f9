"""Looking through the whole chain for the first row that disagrees with what was sealed (C-24).

Rows are read in pieces, so that memory does not grow with the ledger. What is sealed while this
runs is left to the next time.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from ledger.domain.anchors import Anchor, Forged
from ledger.domain.chain import Entry, Tree, block_hash, event_hash
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.domain.verification import Disagreement, Problem, Verification
from ledger.models import Block
from ledger.selectors import chain
from ledger.selectors.anchors import anchors, batches

Progress = Callable[[int, int], None]
"""Told (events checked, events in all) after each block."""

_PIECE = 500
_ERASED = "erased"
_SEALS = f"""
SELECT s.sequence, s.event_id, s.event_hash,
       CASE WHEN e.body_hash = '' THEN NULL
            WHEN b.event_id IS NOT NULL
            THEN encode(sha256(b.salt || convert_to(b.text, 'UTF8')), 'hex')
            WHEN ledger_erased(e.id) THEN 'erased' ELSE '' END,
       {chain.ENTRY}
  FROM ledger_seal s LEFT JOIN ledger_event e ON e.id = s.event_id
  LEFT JOIN ledger_body b ON b.event_id = e.id AND e.body_hash <> ''
 WHERE s.block_id = %s AND s.sequence > %s
 ORDER BY s.sequence LIMIT {_PIECE}
"""  # noqa: S608
_ADDED = """
SELECT e.id FROM ledger_event e
 WHERE e.workspace_id = %s AND (e.transaction, e.id) > (%s, %s)
   AND (e.transaction, e.id) <= (%s, %s)
   AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.event_id = e.id)
 ORDER BY e.transaction, e.id LIMIT 1
"""
_AHEAD = """
SELECT e.id FROM ledger_event e
 WHERE e.transaction >= ledger_clock(pg_snapshot_xmax(pg_current_snapshot()))
 ORDER BY e.transaction, e.id LIMIT 1
"""
_UNTOLD = """
SELECT b.event_id FROM ledger_body b LEFT JOIN ledger_event e ON e.id = b.event_id
 WHERE b.workspace_id = %s AND (e.id IS NULL OR e.body_hash = '')
 ORDER BY b.event_id LIMIT 1
"""
_LOOSE = """
SELECT s.sequence FROM ledger_seal s
 WHERE s.workspace_id = %s AND s.sequence > %s
   AND NOT EXISTS (SELECT FROM ledger_block b WHERE b.id = s.block_id)
 ORDER BY s.sequence LIMIT 1
"""


class Disagrees(Exception):
    """Carries the first problem out of the loops that found it."""

    def __init__(self, kind: Disagreement, where: object, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(kind, str(where), detail)


class Sealed(NamedTuple):
    """A seal, the event it is for, and the hash that the event's body has now."""

    sequence: int
    event_id: UUID
    hash: str
    body: str | None  # None where there was never one, _ERASED, or empty where it is missing
    entry: Entry | None


def inspect(
    progress: Progress | None = None, *, workspace_id: UUID = DEFAULT_WORKSPACE
) -> Verification:
    """Recompute every hash and name the first altered, missing or added row."""
    head = chain.head(workspace_id)
    last, checked, erased = chain.origin(workspace_id), 0, 0
    problem: Problem | None = None
    try:
        for block in _blocks(last, head):
            _check_link(last, block)
            erased += _check_events(last, block)
            last = block
            if progress:
                progress(block.last_sequence, head.last_sequence)
        _check_newest(head)
        for batch in batches(anchors(workspace_id), _PIECE):
            _check_anchors(workspace_id, batch)
            checked += len(batch)
    except Forged as line:
        problem = Problem(Disagreement.ANCHOR_DISAGREES, str(line), "none of our keys signed it")
    except Disagrees as found:
        problem = found.problem
    return Verification(last.number, last.last_sequence, erased, checked, last.hash, problem)


def _blocks(after: Block, head: Block) -> Iterator[Block]:
    last = after.number
    while last < head.number:
        found = Block.objects.filter(
            workspace_id=head.workspace_id, number__gt=last, number__lte=head.number
        ).order_by("number")[:_PIECE]
        for block in found:
            yield block
            last = block.number


def _check_link(last: Block, block: Block) -> None:
    if block.number != last.number + 1:
        raise Disagrees(Disagreement.BLOCK_MISSING, last.number + 1, "the numbers have a gap")
    if block_hash(chain.link(block)) != block.hash:
        raise Disagrees(Disagreement.BLOCK_ALTERED, block.number, "it does not have its hash")
    if block.previous_hash != last.hash:
        where = max(last.number, 1)
        raise Disagrees(Disagreement.BLOCK_ALTERED, where, f"block {block.number} does not follow")


def _check_events(last: Block, block: Block) -> int:
    """Check the events of a block; how many of their bodies were erased."""
    tree, sequence, erased = Tree(), last.last_sequence, 0
    for sealed in _sealed(block):
        sequence += 1
        _check_sequence(block, sequence, sealed.sequence)
        erased += _check_entry(sealed)
        tree.add(sealed.hash)
    if sequence < block.last_sequence:
        raise Disagrees(Disagreement.SEAL_MISSING, sequence + 1, f"of block {block.number}")
    if tree.root() != block.merkle_root:
        raise Disagrees(Disagreement.SEALS_ALTERED, block.number, "not what the block was made of")
    place = (last.last_transaction, last.last_event_id, block.last_transaction, block.last_event_id)
    if added := _scalar(_ADDED, block.workspace_id, *place):
        raise Disagrees(Disagreement.EVENT_ADDED, added, f"after block {block.number} was sealed")
    return erased


def _check_sequence(block: Block, expected: int, found: int) -> None:
    if expected > block.last_sequence:
        raise Disagrees(Disagreement.SEALS_ALTERED, block.number, f"{found} does not belong to it")
    if found != expected:
        raise Disagrees(Disagreement.SEAL_MISSING, expected, f"of block {block.number}")


def _check_entry(sealed: Sealed) -> bool:
    """Check an event and its body; whether the body was erased."""
    entry = sealed.entry
    if entry is None:
        raise Disagrees(Disagreement.EVENT_MISSING, sealed.event_id, "its seal is there, it is not")
    if event_hash(entry) != sealed.hash:
        raise Disagrees(
            Disagreement.EVENT_ALTERED, sealed.event_id, "it does not have the sealed hash"
        )
    if sealed.body is None or sealed.body == _ERASED:
        return sealed.body == _ERASED
    if not sealed.body:
        raise Disagrees(
            Disagreement.BODY_MISSING, sealed.event_id, "no event says that it was erased"
        )
    if sealed.body != entry.body_hash:
        raise Disagrees(
            Disagreement.BODY_ALTERED, sealed.event_id, "it does not have the hash in its event"
        )
    return False


def _check_newest(head: Block) -> None:
    """What no block would show: seals without block, bodies and events that nothing reaches."""
    if loose := _scalar(_LOOSE, head.workspace_id, head.last_sequence):
        raise Disagrees(Disagreement.BLOCK_MISSING, head.number + 1, f"seal {loose} names it")
    if untold := _scalar(_UNTOLD, head.workspace_id):
        raise Disagrees(Disagreement.BODY_ADDED, untold, "no event holds its hash")
    if ahead := _scalar(_AHEAD):
        raise Disagrees(Disagreement.EVENT_ADDED, ahead, "no transaction had its number yet")


def _check_anchors(workspace_id: UUID, batch: list[Anchor]) -> None:
    blocks = Block.objects.filter(workspace_id=workspace_id, number__in={a.number for a in batch})
    hashes = dict(blocks.values_list("number", "hash"))
    for anchor in batch:
        if (found := hashes.get(anchor.number)) != anchor.hash:
            detail = f"anchored {anchor.at}, " + ("has another hash now" if found else "is gone")
            raise Disagrees(Disagreement.ANCHOR_DISAGREES, f"block {anchor.number}", detail)


def _sealed(block: Block) -> Iterator[Sealed]:
    """The seals of a block in order, each with the event it is for, if that is still there."""
    last, piece = 0, [None] * _PIECE
    while len(piece) == _PIECE:
        with connection.cursor() as cursor:
            cursor.execute(_SEALS, [block.id, last])
            piece = cursor.fetchall()
        for last, event_id, hash_, body, *columns in piece:
            yield Sealed(last, event_id, hash_, body, Entry(*columns) if columns[0] else None)


def _scalar(query: str, *values: int | UUID) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return row[0] if row else None
