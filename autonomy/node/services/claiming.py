"""From an offer to a running session: the action is built anew, then compared and claimed (F-3)."""

import logging
import secrets
from collections.abc import Sequence
from uuid import UUID

from autonomy.node import selectors
from autonomy.node.selectors import Offer
from autonomy.node.services.actions import action_of, needs_approval, resolved_scope
from autonomy.node.services.folders import Folders
from autonomy.node.services.held import Held
from autonomy.node.services.looks import Looks, TooManyLooks
from autonomy.node.services.workplace import Workplace
from autonomy.sdk.skill import Limits
from autonomy.sessions.orders import Order, Purpose, Report
from autonomy.tasks.services import Claim, Claimed, claim, raise_tier, refuse
from firewall.domain.action import digest
from ledger.domain.ids import new_id

logger = logging.getLogger(__name__)


class Claiming:
    """Takes what was dispatched to this node, up to its free slots."""

    def __init__(self, place: Workplace, looks: Looks) -> None:
        self.place = place
        self.looks = looks

    def claim_work(self) -> int:
        """Claim in one statement what is as it was offered; look first where a person decided."""
        if self.place.free_slots <= 0:
            return 0
        offers = [
            offer
            for offer in selectors.offers(self.place.node.name, self.place.free_slots)
            if (offer.task_id, offer.epoch) not in self.place.examined
        ]
        ready = [offer for offer in offers if self._loaded(offer)]
        for offer in ready:
            if needs_approval(offer):
                self._examine(offer)
        plain = [offer for offer in ready if not needs_approval(offer)]
        return self._take(
            [(offer, self._claim_of(offer, _plain_digest(self.place, offer))) for offer in plain]
        )

    def _loaded(self, offer: Offer) -> bool:
        """What is not loaded here is left to the reconciler, which gives it back to the engine."""
        declared = self.place.declared(offer.skill)
        if declared is None:
            return False
        if declared.tier > offer.tier:
            raise_tier(offer.task_id, offer.epoch, declared.tier, node=self.place.node.name)
        return declared.tier <= offer.tier

    def _examine(self, offer: Offer) -> None:
        """See what the world looks like now, before a tier 3 task is claimed."""
        declared = self.place.loaded(offer.skill)
        if not declared.declaration["has_reads"]:
            self._claim_approved(offer, {})
            return
        try:
            self.looks.reads(
                offer.task_id,
                offer.skill,
                offer.args,
                resolved_scope(offer, declared),
                lambda report: self._examined(offer, report),
            )
        except TooManyLooks:
            return
        self.place.examined.add((offer.task_id, offer.epoch))

    def _examined(self, offer: Offer, report: Report) -> None:
        self.place.examined.discard((offer.task_id, offer.epoch))
        if report.result is None:
            self._refuse(offer, f"what it reads could not be looked at: {report.error}", "")
            return
        self.place.writes.append(lambda: self._claim_approved(offer, report.result["reads"]))

    def _claim_approved(self, offer: Offer, reads: dict[str, str]) -> None:
        """Claim if the bytes that would run are bytes a person approved; else ask anew."""
        declared = self.place.loaded(offer.skill)
        found = ""
        for permission in selectors.permissions([offer.task_id])[offer.task_id]:
            action = action_of(offer, declared, reads=reads, expires_at=permission.expires_at)
            found = digest(action)
            if found == permission.action_digest:
                if not self._take([(offer, self._claim_of(offer, found))]):
                    self._refuse(offer, "the approval ran out before the task could start", found)
                return
        self._refuse(offer, "what would run is not what was approved", found)

    def _refuse(self, offer: Offer, reason: str, found: str) -> None:
        refuse(offer.task_id, offer.epoch, node=self.place.node.name, reason=reason, digest=found)

    def _claim_of(self, offer: Offer, found: str) -> Claim:
        version = self.place.loaded(offer.skill).version
        return Claim(offer.task_id, offer.epoch, new_id(), version, found, needs_approval(offer))

    def _take(self, wanted: Sequence[tuple[Offer, Claim]]) -> int:
        if not wanted:
            return 0
        offers = {offer.task_id: offer for offer, _ in wanted}
        leased_at = self.place.pool.now()
        taken = claim(self.place.node.name, self.place.incarnation, [c for _, c in wanted])
        for claimed in taken:
            self._start(offers[claimed.task_id], claimed, leased_at)
        return len(taken)

    def _start(self, offer: Offer, claimed: Claimed, leased_at: float) -> None:
        slot = self.place.free_slot()
        uid = self.place.uid_of(slot)
        folders = Folders.make(self.place.node.folder, claimed.session_id, uid)
        order = self._order(offer, claimed, folders, uid)
        self.place.held[claimed.session_id] = Held(
            offer, claimed, slot, folders, order, began=self.place.clock()
        )
        self.place.pool.spawn(order, leased_at=leased_at)

    def _order(self, offer: Offer, claimed: Claimed, folders: Folders, uid: int | None) -> Order:
        declared = self.place.loaded(offer.skill)
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
            artifacts=folders.artifacts,
            limits=Limits.model_validate(declaration["limits"]),
            scope=resolved_scope(offer, declared),
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


def _plain_digest(place: Workplace, offer: Offer) -> str:
    """The digest of an action that no person has to approve: it binds code, arguments and scope."""
    return digest(action_of(offer, place.loaded(offer.skill), reads={}, expires_at=None))
