"""How events are hashed and chained (C-24): pure arithmetic, the same on every machine.

The hash of an event covers `cause` and `payload` as PostgreSQL writes them (`jsonb::text`), so that
no number or nesting can be read in two ways. It covers a body, where an event has one, by its hash
only, so that the body can be erased without breaking the chain.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

GENESIS = "0" * 64
"""What stands for the hash of the block before the first."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the table."""

    id: UUID
    workspace_id: UUID
    type: str
    version: int
    stream: str
    stream_id: str
    actor: str
    cause: str
    payload: str
    at: datetime
    transaction: int
    body_hash: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """What the hash of a block covers."""

    workspace_id: UUID
    number: int
    first_sequence: int
    last_sequence: int
    last_transaction: int
    last_event_id: UUID
    previous_hash: str
    merkle_root: str
    sealed_at: datetime


def event_hash(entry: Entry) -> str:
    """The SHA-256 of the event's canonical document."""
    document = {name: _written(value) for name, value in _fields(entry)}
    document["payload"] = hashlib.sha256(entry.payload.encode()).hexdigest()
    document["document"] = "event/2" if entry.body_hash else "event/1"
    if not entry.body_hash:
        del document["body_hash"]  # so that what was sealed before there were bodies has its hash
    return hashlib.sha256(canonical(document)).hexdigest()


def block_hash(link: Link) -> str:
    """The SHA-256 of the block's canonical document."""
    document = {name: _written(value) for name, value in asdict(link).items()}
    return hashlib.sha256(canonical({"document": "block/1", **document})).hexdigest()


def canonical(document: Mapping[str, str]) -> bytes:
    """The bytes of RFC 8785, for a flat document of text: six times as fast as for any document."""
    return _ENCODER.encode(document).encode()


class Tree:
    """A Merkle tree (as in RFC 6962) that is fed leaf by leaf and keeps only its right edge."""

    def __init__(self, leaves: Iterable[str] = ()) -> None:
        self._peaks: list[tuple[int, bytes]] = []  # (height, hash), falling heights
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: str) -> None:
        """Append the hash of an event."""
        height, top = 0, hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest()
        while self._peaks and self._peaks[-1][0] == height:
            top = _joined(self._peaks.pop()[1], top)
            height += 1
        self._peaks.append((height, top))

    def root(self) -> str:
        """The hash over all leaves so far."""
        if not self._peaks:
            return hashlib.sha256(b"").hexdigest()
        *others, (_, top) = self._peaks
        for _, peak in reversed(others):
            top = _joined(peak, top)
        return top.hex()


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _fields(entry: Entry) -> Iterable[tuple[str, object]]:
    return ((name, getattr(entry, name)) for name in Entry.__slots__)


def _written(value: object) -> str:
    """Every value is a string in a document: 64-bit numbers do not fit RFC 8785."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)
