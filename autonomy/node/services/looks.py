"""Read-only processes beside the tasks: reads before a claim, evidence after it, detectors."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from autonomy.node.services.folders import Folders
from autonomy.node.services.held import Held, Look
from autonomy.node.services.workplace import SLOTS_MAX, Workplace
from autonomy.sdk.scope import BadScope, Scope
from autonomy.sdk.skill import Limits
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.sessions.pool import SessionPool
from ledger.domain.ids import new_id

MOST_LOOKS = 16
KEPT_FREE = 4
"""Places that verifiers leave to detectors and to what is looked at before a claim."""
READS_SECONDS = 30.0
_NOBODY = UUID(int=0)

OnDone = Callable[[Report], None]


class TooManyLooks(Exception):
    """Every place for looking is taken; try again on a later turn."""


class Looks:
    """Starts read-only processes and hands each report to whoever asked."""

    def __init__(self, place: Workplace) -> None:
        self.place = place

    @property
    def free(self) -> int:
        """How many more may be started now."""
        return MOST_LOOKS - len(self.place.looks)

    def detect(
        self,
        detector: str,
        *,
        params: Mapping[str, Any],
        due_at: datetime,
        now: datetime,
        timeout: float,
        network: bool,
        on_done: OnDone,
    ) -> None:
        """Let a detector look once; raises TooManyLooks."""
        try:
            scope = self._scope_of(detector, params, network=network)
        except BadScope as error:
            on_done(Report(ended=End.FAILED, error=str(error)))
            return
        self._start(
            on_done,
            task_id=_NOBODY,
            purpose=Purpose.DETECT,
            component=detector,
            params=dict(params),
            due_at=due_at,
            now=now,
            scope=scope,
            limits=Limits(wall_seconds=timeout, memory_bytes=256_000_000),
            database_url=self.place.node.reader_url,
            uid=self.place.uid_of(SLOTS_MAX - 1),
        )

    def reads(
        self, task_id: UUID, skill: str, args: Mapping[str, Any], scope: Scope, on_done: OnDone
    ) -> None:
        """The state of the world that an approval of this task is bound to (F-3)."""
        self._start(
            on_done,
            task_id=task_id,
            purpose=Purpose.READS,
            component=skill,
            args=dict(args),
            scope=scope,
            limits=Limits(wall_seconds=READS_SECONDS),
            uid=self.place.uid_of(SLOTS_MAX - 1),
        )

    def evidence(self, held: Held, waited: float, seconds: float, on_done: OnDone) -> UUID:
        """Let the verifier look at what a session left, in its folders, as its user.

        Raises TooManyLooks.
        """
        if self.free <= KEPT_FREE:
            raise TooManyLooks
        limits = held.order.limits.model_copy(update={"wall_seconds": seconds})
        order = held.order.model_copy(
            update={
                "session_id": new_id(),
                "purpose": Purpose.VERIFY,
                "result": held.result,
                "has_result": not held.ambiguous,
                "waited_seconds": waited,
                "database_url": self.place.node.verifier_url,
                "started_at": held.claimed.started_at,
                "limits": limits,
                "foreign_code": False,
            }
        )
        pool = held.pool if held.pool.alive else self.place.pool
        return self._spawn(order, on_done, pool, folders=None)

    def cancel(self, look_id: UUID) -> None:
        """Nobody waits for this look any more."""
        look = self.place.looks.pop(look_id, None)
        if look is not None and look.pool.alive:
            look.pool.cancel(look_id)

    def handle(self, session_id: UUID, report: Report) -> bool:
        """Give a report to whoever asked for the look; false when it was not a look."""
        look = self.place.looks.pop(session_id, None)
        if look is None:
            return False
        if look.folders is not None:
            look.folders.remove()
        look.on_done(report)
        return True

    def _scope_of(self, detector: str, params: Mapping[str, Any], *, network: bool) -> Scope:
        """What a detector may read beyond the system, by its declaration and its parameters."""
        loaded = (
            c for c in self.place.pool.components if (c.kind, c.name) == ("detector", detector)
        )
        read = next((c.declaration["read"] for c in loaded), ())
        return Scope(read=tuple(read), network=network).resolved(dict(params))

    def _start(self, on_done: OnDone, *, uid: int | None, **fields: Any) -> None:
        session_id = new_id()
        folders = Folders.make(self.place.node.folder, session_id, uid)
        order = Order(
            session_id=session_id,
            folder=folders.work,
            temps=self.place.node.folder,
            artifacts=folders.artifacts,
            uid=uid,
            **fields,
        )
        self._spawn(order, on_done, self.place.pool, folders=folders)

    def _spawn(
        self, order: Order, on_done: OnDone, pool: SessionPool, *, folders: Folders | None
    ) -> UUID:
        if self.free <= 0:
            if folders is not None:
                folders.remove()
            raise TooManyLooks
        self.place.looks[order.session_id] = Look(order.session_id, order, on_done, pool, folders)
        pool.spawn(order)
        return order.session_id
