"""What an operator wants to know first: what waits for them, what runs, how things ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from autonomy.domain.states import LEASED, State
from console.domain.figures import Told, told
from console.selectors.ledger import OutcomeLine, Sealing, outcomes, sealing
from console.selectors.system import NodeLine, nodes
from console.selectors.tasks import TaskLine, in_states
from firewall.models import Approval
from firewall.selectors import waiting
from ledger.domain.figures import DAYS
from ledger.selectors import Today, headline, today

SHOWN = 10
_AT_WORK = sorted({*LEASED, State.DISPATCHED})


@dataclass(frozen=True)
class NowLine:
    """The first page, in one shape."""

    waiting: Sequence[Approval]
    waiting_in_all: int
    running: Sequence[TaskLine]
    ended: Sequence[OutcomeLine]
    today: Today
    figures: Sequence[Told]
    figures_days: int
    nodes: Sequence[NodeLine]
    sealing: Sealing

    @property
    def nodes_alive(self) -> int:
        """How many nodes live."""
        return sum(node.alive for node in self.nodes)


def now() -> NowLine:
    """As it is; a constant number of statements."""
    open_ = waiting()
    return NowLine(
        waiting=list(open_[:SHOWN]),
        waiting_in_all=open_.count(),
        running=in_states(_AT_WORK, limit=SHOWN),
        ended=outcomes(limit=SHOWN),
        today=today(),
        figures=told(headline(DAYS)),
        figures_days=DAYS,
        nodes=nodes(),
        sealing=sealing(),
    )
