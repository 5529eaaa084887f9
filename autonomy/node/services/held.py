"""What this node holds the lease of, from claim to settlement."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from autonomy.node.selectors import Offer
from autonomy.node.services.folders import Folders
from autonomy.sessions.orders import Order, Report
from autonomy.sessions.pool import Loaded, SessionPool
from autonomy.tasks.services import Claimed, Left
from autonomy.tasks.services.sessions import SessionEnd


@dataclass
class Held:
    """One claimed task, its session and how far it has come. Times are monotonic seconds."""

    offer: Offer
    claimed: Claimed
    declared: Loaded  # as it was when the task was claimed
    pool: SessionPool  # the generation that runs it
    slot: int
    folders: Folders
    order: Order
    began: float
    session_end: SessionEnd | None = None
    result: Any = None
    evidence_since: float | None = None  # set when the session ended and its verifier was started
    looks: int = 0
    look_id: UUID | None = None
    waiting: bool = False  # for the next look; nothing of it is at work meanwhile
    ambiguous: str = ""  # why nobody can tell whether an effect of it happened
    cancelled: bool = False
    decided: bool = False  # what becomes of it waits only to be written down
    ended_at: float | None = None

    @property
    def left(self) -> Left:
        """What its session has left, for evidence to be looked for."""
        if self.session_end is None:
            raise RuntimeError("the session has not ended")
        return Left(*self.lease, self.result, self.session_end, self.verify_within)

    @property
    def lease(self) -> tuple[UUID, int, UUID]:
        """What renewing needs."""
        return self.claimed.task_id, self.claimed.epoch, self.claimed.session_id

    @property
    def declaration(self) -> dict[str, Any]:
        """What the skill says about itself."""
        return self.declared.declaration

    @property
    def verify_within(self) -> float:
        """Seconds that its verifier has from the end of the session."""
        return float(self.declaration["verify_within_seconds"])


@dataclass
class Look:
    """A read-only process that was started, and who waits for its answer."""

    id: UUID
    order: Order
    on_done: Callable[[Report], None]
    pool: SessionPool
    folders: Folders | None = None
    context: dict[str, Any] = field(default_factory=dict)
