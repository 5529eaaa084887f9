"""What an operator wants to know first: what waits for them, what runs, how things ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Now

from autonomy.domain.states import LEASED, State
from console.selectors.ledger import OutcomeLine, Sealing, outcomes, sealing
from console.selectors.system import NodeLine, nodes
from console.selectors.tasks import TaskLine, in_states
from firewall.models import Approval
from firewall.selectors import waiting
from ledger.models import Outcome

SHOWN = 10
_AT_WORK = sorted({*LEASED, State.DISPATCHED})
_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class NowLine:
    """The first page, in one shape."""

    waiting: Sequence[Approval]
    waiting_in_all: int
    running: Sequence[TaskLine]
    ended: Sequence[OutcomeLine]
    verified_today: int
    failed_today: int
    nodes: Sequence[NodeLine]
    sealing: Sealing

    @property
    def nodes_alive(self) -> int:
        """How many nodes live."""
        return sum(node.alive for node in self.nodes)


def now() -> NowLine:
    """As it is; a constant number of statements."""
    open_ = waiting()
    today = _today()
    return NowLine(
        waiting=list(open_[:SHOWN]),
        waiting_in_all=open_.count(),
        running=in_states(_AT_WORK, limit=SHOWN),
        ended=outcomes(limit=SHOWN),
        verified_today=today["verified"],
        failed_today=today["failed"],
        nodes=nodes(),
        sealing=sealing(),
    )


def _today() -> dict[str, int]:
    recent = Outcome.objects.filter(at__gt=Now() - _DAY, canary=False)
    return recent.aggregate(
        verified=Count("pk", filter=Q(verdict="verified")),
        failed=Count("pk", filter=Q(state=State.FAILED)),
    )
