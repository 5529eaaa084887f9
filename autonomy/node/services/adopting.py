"""Going on with verifications that were left behind by a life of this node, or a node that is gone.

What a session did is not done again because its verifier was lost: it is only looked at again.
"""

from uuid import UUID

from autonomy.node import selectors
from autonomy.node.selectors import Unverified
from autonomy.node.services.claiming import Claiming, Wanted
from autonomy.node.services.folders import Folders
from autonomy.node.services.held import Held
from autonomy.node.services.verifying import Verifying
from autonomy.node.services.workplace import MOST_HELD, Workplace
from autonomy.tasks.services import Adopted, Claimed, adopt


class Adopting:
    """Takes on what nobody holds and somebody has to look at."""

    def __init__(self, place: Workplace, claiming: Claiming, verifying: Verifying) -> None:
        self.place = place
        self.claiming = claiming
        self.verifying = verifying

    def adopt(self) -> None:
        """Look for what was left behind, and go on with it."""
        if self.claiming.closed:
            return
        self._tidy()
        found = selectors.left_behind(
            self.place.node.name, self._skills(), MOST_HELD - len(self.place.held)
        )
        wanted = [left.task_id for left in found if self._slot(left.session_id) is not None]
        if not wanted:
            return
        for taken in adopt(self.place.node.name, self.place.incarnation, wanted):
            self._go_on(taken, selectors.unverified(taken.task_id, taken.session_id))

    def _tidy(self) -> None:
        """Remove what sessions left that somebody else has settled."""
        left = self.place.left
        left -= self.place.held.keys()
        if not left:
            return
        needed = selectors.to_be_verified(self.place.node.name)
        for session_id in [session_id for session_id in left if str(session_id) not in needed]:
            Folders(self.place.node.folder / str(session_id)).remove()
            left.discard(session_id)

    def _skills(self) -> list[str]:
        return [c.name for c in self.place.pool.components if c.kind == "skill"]

    def _slot(self, session_id: UUID) -> int | None:
        """Where it can go on; none while another one uses the user that its files belong to."""
        work = Folders(self.place.node.folder / str(session_id)).work
        if not work.is_dir() or self.place.uid_of(0) is None:
            return self.place.free_slot()
        slot = self.place.slot_of(work.stat().st_uid)
        used = {held.slot for held in self.place.held.values()}
        return slot if 0 <= slot < MOST_HELD and slot not in used else None

    def _go_on(self, taken: Adopted, task: Unverified) -> None:
        declared = self.place.declared(task.offer.skill)
        slot = self._slot(taken.session_id)
        if declared is None or slot is None:  # its lease runs out, and it is found again
            return
        claimed = Claimed(
            taken.task_id,
            taken.session_id,
            taken.epoch,
            task.offer.attempt,
            "run",
            taken.started_at,
        )
        folders = Folders(self.place.node.folder / str(taken.session_id))
        has_folder, uid = folders.work.is_dir(), self.place.uid_of(slot)
        Folders.make(self.place.node.folder, taken.session_id, uid)
        has_artifacts = has_folder or self._placed(task.artifacts, folders)
        order = self.claiming.order(Wanted(task.offer, declared, ""), claimed, folders, uid)
        order = order.model_copy(update={"has_folder": has_folder, "has_artifacts": has_artifacts})
        ended = self.place.clock() - taken.waited_seconds
        held = Held(
            task.offer, claimed, declared, self.place.pool, slot, folders, order,
            began=ended - taken.ran_seconds, result=task.result, evidence_since=ended,
            ambiguous=_ambiguous(task.begun),
        )  # fmt: skip
        self.place.held[taken.session_id] = held
        self.verifying.resume(held)

    def _placed(self, artifacts: dict[str, str], folders: Folders) -> bool:
        """Whether what the session kept could be had from the store."""
        try:
            for name, sha256 in artifacts.items():
                self.place.store.place(sha256, folders.artifacts / name)
        except FileNotFoundError:
            return False
        return True


def _ambiguous(begun: tuple[str, ...]) -> str:
    if not begun:
        return ""
    return f"nobody can tell whether {', '.join(map(repr, begun))} happened"
