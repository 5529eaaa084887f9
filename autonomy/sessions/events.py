"""What a pool tells its supervisor."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from autonomy.sessions.orders import Report


@dataclass(frozen=True)
class Loaded:
    """A component that the zygote has loaded."""

    kind: str
    name: str
    version: str
    tier: int
    owner: str
    description: str
    module: str
    declaration: dict[str, Any]


@dataclass(frozen=True)
class Started:
    """The session has its process."""

    session_id: UUID
    pid: int


@dataclass(frozen=True)
class Output:
    """Something it printed; safe to show."""

    session_id: UUID
    text: str


@dataclass(frozen=True)
class Call:
    """Something a session asks for, and waits."""

    session_id: UUID
    number: int
    name: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """The session is over and nothing of it is left."""

    session_id: UUID
    report: Report


Event = Started | Output | Call | Ended
