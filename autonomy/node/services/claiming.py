"""From an offer to a running session: the action is built anew, then compared and claimed (F-3)."""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from autonomy.node import selectors
from autonomy.node.selectors import Offer
from autonomy.node.services import aside
from autonomy.node.services.actions import action_of, needs_approval, resolved_scope
from autonomy.node.services.folders import Folders
from autonomy.node.services.held import Held
from autonomy.node.services.looks import Looks, TooManyLooks
from autonomy.node.services.workplace import Workplace, Write
from autonomy.sdk.skill import Limits
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.sessions.pool import Loaded
from autonomy.tasks.services import Claim, Claimed, claim, raise_tier, refuse
from firewall.domain.action import digest
from ledger.domain.ids import new_id

logger = logging.getLogger(__name__)


class Claiming:
    """Takes what was dispatched to this node, up to its free slots."""

    def __init__(self, place: Workplace, looks: Looks) -> None:
        self.place = place
        self.looks = looks
        self.paused = False
        self.closed = False  # for good: the node was told to stop

    def claim_work(self) -> None:
        """Claim in one statement what is as it was offered; look first where a person decided."""
        if self.paused or self.closed or self.place.free_slots <= 0:
            return
        wanted = [made for offer in self._offers() if (made := self._prepared(offer))]
        self._take(wanted)

    def _offers(self) -> list[Offer]:
        """What can be claimed and is not being looked at already."""
        examined = self.place.examined
        offers = selectors.offers(self.place.node.name, self.place.free_slots + len(examined))
        fresh = [offer for offer in offers if (offer.task_id, offer.epoch) not in examined]
        return [offer for offer in fresh[: self.place.free_slots] if self._loaded(offer)]

    def _loaded(self, offer: Offer) -> bool:
        """What is not loaded here is left to the reconciler, which gives it back to the engine."""
        declared = self.place.declared(offer.skill)
        if declared is None:
            return False
        if declared.tier > offer.tier:
            raise_tier(offer.task_id, offer.epoch, declared.tier, node=self.place.node.name)
        return declared.tier <= offer.tier

    def _prepared(self, offer: Offer) -> "Wanted | None":
        """What to claim at once, if anything; a task that fits no action ends, and ends alone."""
        declared = self.place.declared(offer.skill)
        if declared is None:
            return None
        try:
            if needs_approval(offer):
                self._examine(offer, declared)
                return None
            plain = action_of(offer, declared, reads={}, expires_at=None)
        except ValueError as error:
            logger.warning("task %s cannot be started: %s", offer.task_id, error)
            self.place.endings.append(aside.unclaimed(offer, error))
            return None
        except OSError as error:  # of this machine, not of the task: another may take it
            logger.warning("task %s cannot be looked at here: %s", offer.task_id, error)
            return None
        return Wanted(offer, declared, digest(plain))

    def _examine(self, offer: Offer, declared: Loaded) -> None:
        """See what the world looks like now, before a tier 3 task is claimed."""
        scope = resolved_scope(offer, declared)
        if not declared.declaration["has_reads"]:
            self._later(lambda: self._claim_approved(offer, {}))
            return
        done = partial(self._examined, offer)
        try:
            self.looks.reads(offer.task_id, offer.skill, offer.args, scope, done)
        except TooManyLooks:
            return
        self.place.examined.add((offer.task_id, offer.epoch))

    def _examined(self, offer: Offer, report: Report) -> None:
        self.place.examined.discard((offer.task_id, offer.epoch))
        if report.ended is not End.OK:
            words = f"what it reads could not be looked at: {report.error}"
            self._later(lambda: self._refuse(offer, words, ""))
        else:
            self._later(lambda: self._claim_approved(offer, report.result["reads"]))

    def _later(self, act: Callable[[], object]) -> None:
        """When the others are written. One that is not taken then is offered again."""
        self.place.writes.append(Write(act))

    def _claim_approved(self, offer: Offer, reads: Mapping[str, str]) -> None:
        """Claim if the bytes that would run are bytes a person approved; else ask anew."""
        declared = self.place.declared(offer.skill)
        if declared is None:
            return
        found = ""
        standing = selectors.permissions(offer.task_id)
        for permission in standing:
            action = action_of(offer, declared, reads=reads, expires_at=permission.expires_at)
            found = digest(action)
            if found == permission.action_digest:
                self._take([Wanted(offer, declared, found)])  # or later: the approval stands
                return
        differs = "what would run is not what was approved"
        self._refuse(offer, differs if standing else "no approval of it stands any more", found)

    def _refuse(self, offer: Offer, reason: str, found: str) -> None:
        refuse(offer.task_id, offer.epoch, node=self.place.node.name, reason=reason, digest=found)

    def _take(self, wanted: Sequence["Wanted"]) -> None:
        if not wanted:
            return
        by_task = {item.offer.task_id: item for item in wanted}
        leased_at = self.place.pool.now()
        node = self.place.node.name
        for claimed in claim(node, self.place.incarnation, [item.claim() for item in wanted]):
            self._start(by_task[claimed.task_id], claimed, leased_at)

    def _start(self, wanted: "Wanted", claimed: Claimed, leased_at: float) -> None:
        """Begin the session; where that fails, the task is given back with the reason."""
        slot = self.place.free_slot()
        uid = self.place.uid_of(slot)
        folders = Folders(self.place.node.folder / str(claimed.session_id))
        offer, declared, pool = wanted.offer, wanted.declared, self.place.pool
        try:
            folders = Folders.make(self.place.node.folder, claimed.session_id, uid)
            order = self.order(wanted, claimed, folders, uid)
            pool.spawn(order, leased_at=leased_at)
        except Exception as error:
            logger.exception("the session of task %s could not be begun", offer.task_id)
            folders.remove()
            self.place.endings.append(aside.claimed(offer, claimed, declared, error, None))
            return
        self.place.held[claimed.session_id] = Held(
            offer, claimed, declared, pool, slot, folders, order, began=self.place.clock()
        )

    def order(self, wanted: "Wanted", claimed: Claimed, folders: Folders, uid: int | None) -> Order:
        """What the session is told; everything in it is frozen from here on."""
        offer, declared = wanted.offer, wanted.declared
        declaration = declared.declaration
        return Order(
            session_id=claimed.session_id,
            task_id=offer.task_id,
            purpose=Purpose(claimed.purpose),
            component=offer.skill,
            version=declared.version,
            args=offer.args,
            attempt=claimed.attempt,
            nonce=secrets.token_hex(4),
            folder=folders.work,
            temps=self.place.node.folder,
            artifacts=folders.artifacts,
            limits=Limits.model_validate(declaration["limits"]),
            scope=resolved_scope(offer, declared),
            isolation=declaration["isolation"],
            foreign_code=declaration["foreign_code"],
            upstream=tuple(self._upstream(offer.task_id, folders)),
            idempotency_base=str(offer.task_id),
            uid=uid,
            started_at=claimed.started_at,
        )

    def _upstream(self, task_id: UUID, folders: Folders) -> list[dict[str, object]]:
        """How the dependencies ended, with copies of what they left."""
        rows = []
        for task in selectors.upstream_of(task_id):
            placed = {
                name: str(self.place.store.place(sha256, folders.inputs / str(task.task_id) / name))
                for name, sha256 in task.artifacts.items()
            }
            rows.append({**vars(task), "task_id": str(task.task_id), "artifacts": placed})
        return rows


@dataclass(frozen=True)
class Wanted:
    """An offer to be claimed: with which code, as which action."""

    offer: Offer
    declared: Loaded
    digest: str

    def claim(self) -> Claim:
        """The claim of it, for a new session."""
        offer, version = self.offer, self.declared.version
        limits = Limits.model_validate(self.declared.declaration["limits"]).model_dump(mode="json")
        return Claim(
            offer.task_id,
            offer.epoch,
            new_id(),
            version,
            self.digest,
            needs_approval(offer),
            limits,
        )
