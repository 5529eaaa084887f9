"""What binds evidence into the chain of events: its id, and the hash of all of it (C-24)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import rfc8785

from ledger.domain.storable import json_text


def stored(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence as a column takes it and gives it back."""
    kept: dict[str, Any] = json.loads(json_text(dict(evidence)))
    return kept


def digest(evidence: Mapping[str, Any]) -> str:
    """The SHA-256 of its canonical form."""
    return hashlib.sha256(rfc8785.dumps(stored(evidence))).hexdigest()


def bound(evidence: Mapping[str, Any]) -> dict[str, str]:
    """What the event of a verdict says of its evidence; nothing where there is none."""
    if "id" not in evidence:
        return {}
    return {"evidence_id": str(evidence["id"]), "evidence_sha256": digest(evidence)}
