"""Signed lines that hold the head of the chain outside the database (C-24)."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


class Forged(ValueError):
    """A line whose signature none of our keys made."""


class Torn(ValueError):
    """A line that was not written to its end."""


@dataclass(frozen=True)
class Anchor:
    """That a block had this hash at this time."""

    workspace_id: str
    number: int
    last_sequence: int
    hash: str
    at: str


def line(anchor: Anchor, key: str) -> str:
    """The anchor as one signed line."""
    return json.dumps({**asdict(anchor), "signature": _signature(anchor, key)}, sort_keys=True)


def read(written: str, keys: Iterable[str]) -> Anchor:
    """The anchor in a line; raises Torn, or Forged when none of the keys signed it."""
    try:
        fields = json.loads(written)
        signature = str(fields.pop("signature"))
        anchor = Anchor(**fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Torn(written) from None
    if not any(hmac.compare_digest(_signature(anchor, key), signature) for key in keys):
        raise Forged(written)
    return anchor


def _signature(anchor: Anchor, key: str) -> str:
    signed = json.dumps(asdict(anchor), sort_keys=True).encode()
    return hmac.new(b"ledger anchor\0" + key.encode(), signed, hashlib.sha256).hexdigest()
