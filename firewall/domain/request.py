"""What is asked of a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from firewall.domain.action import Action
from ledger.domain.ids import DEFAULT_WORKSPACE

EXPIRES_AFTER = timedelta(hours=24)
"""How long a person has to answer where nothing else is said. No answer is no."""


@dataclass(frozen=True)
class Request:
    """A question about one action: what would change, and who wants it."""

    task_id: UUID
    action: Action
    requested_by: str
    summary: str = ""
    diff: str = ""
    cause: Sequence[str] = ()
    workspace_id: UUID = DEFAULT_WORKSPACE


GOING_ON = ("attempt", "stopped")
"""What an action reads that is asked about only so that its task is tried once more."""


def going_on(reason: str, attempt: int) -> dict[str, str]:
    """The state of the world that another attempt is asked for in: why it stopped, and when."""
    return {"stopped": reason, "attempt": str(attempt)}
