"""The action: the bytes that a person approves and that are compared before they run (F-3)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785


@dataclass(frozen=True)
class Action:
    """What is about to run, with everything that could change what it does."""

    skill: str
    version: str
    args: Mapping[str, Any]
    scope: Mapping[str, Any]
    tier: int
    idempotency_key: str
    expires_at: str
    """An ISO time, or empty where nobody has to approve."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """What it looks at, by name: the hash of each."""


def canonical(action: Action) -> bytes:
    """The action as canonical JSON (RFC 8785)."""
    document = {"document": "action/1", **vars(action), "expires_at": moment(action.expires_at)}
    try:
        return rfc8785.dumps(document)
    except rfc8785.IntegerDomainError:
        # RFC 8785 has no form for integers beyond 2**53; arguments as text are as exact.
        document["args"] = json.dumps(action.args, sort_keys=True, ensure_ascii=False)
        return rfc8785.dumps(document)


def digest(action: Action) -> str:
    """The SHA-256 of the canonical bytes."""
    return digest_of(canonical(action))


def digest_of(written: bytes) -> str:
    """The SHA-256 of canonical bytes that were stored."""
    return hashlib.sha256(written).hexdigest()


def moment(at: datetime | str) -> str:
    """One way to write a time: UTC, with microseconds; empty stays empty."""
    if not at:
        return ""
    parsed = datetime.fromisoformat(at) if isinstance(at, str) else at
    return parsed.astimezone(UTC).isoformat(timespec="microseconds")
