"""What follows the end of a session: a plan is judged, evidence looked for, a failure retried."""

from collections.abc import Callable
from functools import partial
from typing import Any

from autonomy.domain.states import ErrorClass, HeldFor, State
from autonomy.node.services import requests
from autonomy.node.services.artifacts import Left
from autonomy.node.services.clean import known_to
from autonomy.node.services.held import Held
from autonomy.node.services.settling import Settling
from autonomy.node.services.verifying import Verifying
from autonomy.node.services.words import told
from autonomy.node.services.workplace import Workplace
from autonomy.sdk.plan import Plan
from autonomy.sessions.orders import End, Purpose, Report
from autonomy.tasks import services as tasks
from autonomy.tasks.services import Ending, SessionEnd
from firewall import services as firewall
from firewall.selectors import asks_about

_CLASS_OF_END = {
    End.TIMEOUT: ErrorClass.TIMEOUT,
    End.RESOURCE: ErrorClass.RESOURCE,
    End.LOST: ErrorClass.LOST,
    End.REFUSED: ErrorClass.PERMANENT,
}


class Running:
    """Takes a claimed task from the end of its session to its settlement."""

    def __init__(self, place: Workplace, settling: Settling, verifying: Verifying) -> None:
        self.place = place
        self.settling = settling
        self.verifying = verifying

    def session_ended(self, held: Held, report: Report) -> None:
        """Judge the report of a session; what it means is written at the end of this turn."""
        with self.settling.set_aside(held):
            self._session_ended(held, report)

    def _session_ended(self, held: Held, report: Report) -> None:
        held.session_end = self._session_end(held, report)
        if report.ended is not End.OK:
            self._failed(held, report)
        elif held.order.purpose is Purpose.PREFLIGHT:
            self._planned(held, Plan.model_validate(report.result["plan"]), report.result["reads"])
        else:
            self.verifying.begin(held, report.result)

    def cancel(self, held: Held) -> None:
        """Its end is asked for: of what runs, or of the look at what it left."""
        held.cancelled = True
        if held.evidence_since is None:
            if held.session_end is None and held.pool.alive:
                held.pool.cancel(held.claimed.session_id)
        elif not held.decided:
            reason = "cancelled while its evidence was looked for"
            self.settling.settle(held, self.settling.ending(held, State.CANCELLED, reason=reason))

    def _session_end(self, held: Held, report: Report) -> SessionEnd:
        left = Left()
        if held.order.purpose is Purpose.RUN:
            known = known_to(self.place.node, held.order)
            left = self.place.store.keep(held.folders.artifacts, known)
        return SessionEnd(
            ended=report.ended,
            error_class=report.error_class or "",
            error=report.error,
            output=report.output + left.words(),
            peak_memory_bytes=report.peak_memory_bytes,
            cpu_seconds=report.cpu_seconds,
            artifacts=left.kept,
        )

    # -- pre-flight

    def _planned(self, held: Held, plan: Plan, reads: dict[str, str]) -> None:
        kept = {**plan.model_dump(mode="json"), "reads": reads}
        if not plan.go:
            reason = f"pre-flight: {plan.summary}"
            self.settling.settle(held, self.settling.ending(held, State.REJECTED, reason=reason))
        else:
            ending = self.settling.ending(
                held, State.HELD, reason=HeldFor.APPROVAL, reset_attempts=True
            )
            asked = partial(requests.for_action, held, plan, reads)
            self.settling.write(held, lambda: _go_on(held, ending, asked, kept))

    # -- failures

    def _failed(self, held: Held, report: Report) -> None:
        if held.cancelled or report.ended is End.CANCELLED:
            reason = "cancelled while it ran" + (f": {report.error}" if report.error else "")
            self.settling.settle(held, self.settling.ending(held, State.CANCELLED, reason=reason))
        elif report.ambiguous:
            self._ambiguous(held, told(report.error))
        else:
            error = _CLASS_OF_END.get(report.ended) or report.error_class or ErrorClass.TRANSIENT
            limit = f" ({report.limit})" if report.limit else ""
            self.settling.fail(held, error, f"{error}{limit}: {told(report.error)}")

    def _ambiguous(self, held: Held, words: str) -> None:
        """An effect may have happened: a person looks, or first the verifier where it can tell."""
        if held.declaration["on_ambiguous"] == "verify":
            held.ambiguous = words
            self.verifying.begin(held, None)
        else:
            self.settling.ask(held, f"{HeldFor.AMBIGUOUS}: {words}")


def _go_on(
    held: Held, ending: Ending, asked: Callable[[], firewall.Request], plan: dict[str, Any]
) -> bool:
    """It may run now, or a person is asked: by its tier, and by the autonomy level (D-19)."""
    if asks_about(held.offer.tier):
        return tasks.hold(ending, asked(), plan=plan)
    return tasks.plan_accepted(*held.lease, plan=plan, session=held.left.session)
