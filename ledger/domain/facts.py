"""What a caller says happened."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.domain.ids import DEFAULT_WORKSPACE


@dataclass(frozen=True)
class Fact:
    """Something that happened, before it has a number and a time; `type` is in the past tense."""

    type: str
    stream: str
    stream_id: str
    actor: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    cause: Sequence[str] = ()
    body: str | Mapping[str, Any] = ""  # what it says of people: can be erased, its hash cannot
    version: int = 1
    workspace_id: UUID = DEFAULT_WORKSPACE
    quiet: bool = False
    """Nothing can begin because of it, so nobody is woken."""


def body_hash(text: str, salt: bytes) -> str:
    """What an event holds of its body."""
    return hashlib.sha256(salt + text.encode()).hexdigest()
