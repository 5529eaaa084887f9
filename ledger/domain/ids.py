"""Keys of every row: UUIDv7, made by the application, ordered by time of making."""

import uuid
from datetime import datetime

from uuid_utils.compat import uuid7

DEFAULT_WORKSPACE = uuid.UUID("00000000-0000-7000-8000-000000000001")
"""The workspace of every row until tenants come."""


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 (RFC 9562)."""
    return uuid7()


def earliest_id(at: datetime) -> uuid.UUID:
    """No id made at this time or later is smaller: a bound for reading by time through the key."""
    return uuid.UUID(int=max(0, int(at.timestamp() * 1000)) << 80)
