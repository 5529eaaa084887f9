"""What a node that was told to stop does with what it could not finish: others get it at once."""

from autonomy.domain.states import State
from autonomy.node.services.held import Held
from autonomy.node.services.settling import Settling
from autonomy.node.services.workplace import Workplace
from autonomy.node.services.writing import Writing
from autonomy.sessions.orders import Purpose
from autonomy.tasks import services as tasks
from autonomy.tasks.services import SessionEnd
from autonomy.tasks.services.sessions import RELEASED


class Leaving:
    """Hands back what is held, once no session runs any more."""

    def __init__(self, place: Workplace, settling: Settling, writing: Writing) -> None:
        self.place = place
        self.settling = settling
        self.writing = writing

    def hand_back(self) -> None:
        """Write down what is known; the rest is run elsewhere, or its evidence looked for there."""
        self.writing.down()
        for held in [held for held in self.place.held.values() if held.ended_at is None]:
            if held.evidence_since is None:
                self._hand_back(held)
            else:
                self.settling.leave(held)
        self.writing.down()
        tasks.release(self.place.node.name)

    def _hand_back(self, held: Held) -> None:
        """No attempt was made: it ends because of this node, not because of the task."""
        state = State.PREFLIGHT if held.order.purpose is Purpose.PREFLIGHT else State.READY
        reason = f"handed back by {self.place.node.name}, which was told to stop"
        held.session_end = held.session_end or SessionEnd(ended=RELEASED, error=reason)
        ending = self.settling.ending(held, state, reason=reason, counted=False)
        self.settling.settle(held, ending)
