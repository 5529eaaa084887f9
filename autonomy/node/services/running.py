"""What follows the end of a session: a plan is judged, evidence looked for, a failure retried."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from autonomy.domain.states import ErrorClass, HeldFor, State
from autonomy.node.services import aside, requests
from autonomy.node.services.held import Held
from autonomy.node.services.looks import Looks, TooManyLooks
from autonomy.node.services.words import told, words_of
from autonomy.node.services.workplace import Workplace, Write
from autonomy.sdk.evidence import Verdict
from autonomy.sdk.plan import Plan
from autonomy.sdk.skill import Retries
from autonomy.sessions.orders import End, Purpose, Report
from autonomy.tasks import services as tasks
from autonomy.tasks.services import Ending, SessionEnd, after_failure
from autonomy.tasks.services.sessions import Kept
from firewall import services as firewall
from firewall.selectors import asks_about

logger = logging.getLogger(__name__)

VERIFIER_SECONDS = 120.0
LOOK_AGAIN_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)

_CLASS_OF_END = {
    End.TIMEOUT: ErrorClass.TIMEOUT,
    End.RESOURCE: ErrorClass.RESOURCE,
    End.LOST: ErrorClass.LOST,
    End.REFUSED: ErrorClass.PERMANENT,
}


class Running:
    """Takes a claimed task from the end of its session to its settlement."""

    def __init__(self, place: Workplace, looks: Looks) -> None:
        self.place = place
        self.looks = looks
        self.to_look: list[tuple[float, Held]] = []  # when to look (again), monotonic

    def session_ended(self, held: Held, report: Report) -> None:
        """Judge the report of a session; what it means is written at the end of this turn."""
        with self._set_aside(held):
            self._session_ended(held, report)

    def _session_ended(self, held: Held, report: Report) -> None:
        held.session_end = self._session_end(held, report)
        if report.ended is not End.OK:
            self._failed(held, report)
        elif held.order.purpose is Purpose.PREFLIGHT:
            self._planned(held, Plan.model_validate(report.result["plan"]), report.result["reads"])
        else:
            self._look_for_evidence(held, report.result)

    def turn(self) -> None:
        """Start the looks that are due."""
        now = self.place.clock()
        due = [held for at, held in self.to_look if at <= now and held.ended_at is None]
        self.to_look = [(at, held) for at, held in self.to_look if at > now]
        for held in due:
            with self._set_aside(held):
                self._look(held)

    def next_due(self) -> float | None:
        """When the next look is due, in monotonic seconds."""
        return min((at for at, _ in self.to_look), default=None)

    def forget(self, held: Held) -> None:
        """The lease is lost or the task is settled: nothing more is done for it here."""
        held.ended_at = self.place.clock()
        self.place.held.pop(held.claimed.session_id, None)
        self.to_look = [(at, other) for at, other in self.to_look if other is not held]
        if held.look_id is not None:
            self.looks.cancel(held.look_id)
        held.folders.remove()

    def cancel(self, held: Held) -> None:
        """Its end is asked for: of what runs, or of the look at what it left."""
        held.cancelled = True
        if held.session_end is None:
            if held.pool.alive:
                held.pool.cancel(held.claimed.session_id)
        elif not held.decided:
            reason = "cancelled while its evidence was looked for"
            self._settle(held, self._ending(held, State.CANCELLED, reason=reason))

    def _session_end(self, held: Held, report: Report) -> SessionEnd:
        kept: list[Kept] = []
        if held.order.purpose is Purpose.RUN:
            kept = self.place.store.keep(held.folders.artifacts)
        return SessionEnd(
            ended=report.ended,
            error_class=report.error_class or "",
            error=report.error,
            output=report.output,
            peak_memory_bytes=report.peak_memory_bytes,
            cpu_seconds=report.cpu_seconds,
            artifacts=kept,
        )

    # -- pre-flight

    def _planned(self, held: Held, plan: Plan, reads: dict[str, str]) -> None:
        kept = {**plan.model_dump(mode="json"), "reads": reads}
        if not plan.go:
            reason = f"pre-flight: {plan.summary}"
            self._settle(held, self._ending(held, State.REJECTED, reason=reason))
        else:
            ending = self._ending(held, State.HELD, reason=HeldFor.APPROVAL, reset_attempts=True)
            asked = partial(requests.for_action, held, plan, reads)
            self._write(held, lambda: _go_on(held, ending, asked, kept))

    # -- evidence

    def _look_for_evidence(self, held: Held, result: Any) -> None:
        held.result = result
        held.evidence_since = self.place.clock()
        self.place.results.append(held)

    def result_kept(self, held: Held, *, waits: bool) -> None:
        """The result is written, or came too late to be."""
        if waits:
            self.to_look.append((self.place.clock(), held))
        else:
            self.forget(held)

    def _look(self, held: Held) -> None:
        if not self._declaration(held)["has_verifier"]:
            self._done(held, Verdict.UNVERIFIED, {}, None)
            return
        limits = held.order.limits.model_copy(update={"wall_seconds": VERIFIER_SECONDS})
        try:
            held.look_id = self.looks.evidence(
                held, limits, lambda report: self._looked(held, report)
            )
            held.looks += 1
        except TooManyLooks:
            self.to_look.append((self.place.clock() + 0.2, held))

    def _looked(self, held: Held, report: Report) -> None:
        held.look_id = None
        if held.ended_at is None and not held.decided:
            with self._set_aside(held):
                self._judge(held, report)

    def _judge(self, held: Held, report: Report) -> None:
        if report.ended is not End.OK:
            evidence: dict[str, Any] = {"verdict": Verdict.INCONCLUSIVE, "error": report.error}
        else:
            evidence = report.result
        match Verdict(evidence["verdict"]):
            case Verdict.INCONCLUSIVE:
                self._inconclusive(held, evidence)
            case Verdict.REFUTED:
                self._refuted(held, evidence)
            case verdict:
                self._done(held, verdict, evidence, evidence.get("quality"))

    def _done(
        self, held: Held, verdict: Verdict, evidence: dict[str, Any], quality: float | None
    ) -> None:
        self._settle(
            held,
            self._ending(held, State.DONE, verdict=verdict, evidence=evidence, quality=quality),
        )

    def _inconclusive(self, held: Held, evidence: dict[str, Any]) -> None:
        if held.looks <= len(LOOK_AGAIN_SECONDS):
            self.to_look.append((self.place.clock() + LOOK_AGAIN_SECONDS[held.looks - 1], held))
            return
        words = f"{HeldFor.INCONCLUSIVE}: after {held.looks} looks {words_of(evidence)}"
        self._ask(held, words, verdict=Verdict.INCONCLUSIVE, evidence=evidence)

    def _refuted(self, held: Held, evidence: dict[str, Any]) -> None:
        fields = self._after_failure(
            held, ErrorClass.VERIFICATION, f"refuted: {words_of(evidence)}"
        )
        fields |= {
            "verdict": Verdict.REFUTED,
            "evidence": evidence,
            "quality": evidence.get("quality"),
        }
        self._settle_or_ask(held, fields)

    # -- failures

    def _failed(self, held: Held, report: Report) -> None:
        if held.cancelled or report.ended is End.CANCELLED:
            reason = "cancelled while it ran" + (f": {report.error}" if report.error else "")
            self._settle(held, self._ending(held, State.CANCELLED, reason=reason))
        elif report.ambiguous:
            self._ask(held, f"{HeldFor.AMBIGUOUS}: {report.error}")
        else:
            error = _CLASS_OF_END.get(report.ended) or report.error_class or ErrorClass.TRANSIENT
            limit = f" ({report.limit})" if report.limit else ""
            self._settle_or_ask(
                held,
                self._after_failure(held, error, f"{error}{limit}: {told(report.error)}"),
            )

    def _after_failure(self, held: Held, error: ErrorClass, reason: str) -> dict[str, Any]:
        retries = {**self._declaration(held)["retries"], "max_attempts": held.offer.max_attempts}
        state = State.PREFLIGHT if held.order.purpose is Purpose.PREFLIGHT else State.RUNNING
        return after_failure(
            error,
            state=state,
            attempt=held.claimed.attempt,
            policy=Retries(**retries),
            reason=reason[:2000],
        )

    def _settle_or_ask(self, held: Held, fields: dict[str, Any]) -> None:
        if fields["state"] is State.HELD:
            self._ask(
                held, fields.pop("reason"), **{k: v for k, v in fields.items() if k != "state"}
            )
        else:
            self._settle(held, self._ending(held, **fields))

    def _ask(self, held: Held, reason: str, **fields: Any) -> None:
        """Only a person can say how this goes on."""
        ending = self._ending(held, State.HELD, reason=reason, **fields)
        self._write(held, lambda: tasks.hold(ending, requests.to_go_on(held, reason)))

    # -- writing down

    def _ending(self, held: Held, state: State, **fields: Any) -> Ending:
        now = self.place.clock()
        since = held.evidence_since
        return Ending(
            task_id=held.claimed.task_id,
            epoch=held.claimed.epoch,
            session_id=held.claimed.session_id,
            state=state,
            run_seconds=(since or now) - held.began,
            verify_seconds=now - since if since else 0.0,
            session=None if since else held.session_end,
            **fields,
        )

    def _settle(self, held: Held, ending: Ending) -> None:
        held.decided = True
        self.place.endings.append(ending)

    def _write(self, held: Held, write: Callable[[], object]) -> None:
        """What is written is the last of it here."""

        def write_and_forget() -> None:
            write()
            self.forget(held)

        held.decided = True
        self._append(held, write_and_forget)

    def _append(self, held: Held, act: Callable[[], object]) -> None:
        self.place.writes.append(Write(act, refused=partial(self.fail_here, held)))

    # -- what no part of a task may do: end the node

    @contextmanager
    def _set_aside(self, held: Held) -> Iterator[None]:
        """One task that cannot be gone on with is given back with the reason."""
        try:
            yield
        except Exception as error:
            logger.exception("task %s could not be gone on with", held.claimed.task_id)
            self.fail_here(held, error)

    def fail_here(self, held: Held, error: Exception) -> None:
        """Give the task back with what this node ran into."""
        ending = aside.claimed(held.offer, held.claimed, held.declared, error, held.session_end)
        held.session_end = ending.session
        self._settle(held, ending)

    @staticmethod
    def _declaration(held: Held) -> dict[str, Any]:
        return held.declared.declaration


def _go_on(
    held: Held, ending: Ending, asked: Callable[[], firewall.Request], plan: dict[str, Any]
) -> bool:
    """It may run now, or a person is asked: by its tier, and by the autonomy level (D-19)."""
    if asks_about(held.offer.tier):
        return tasks.hold(ending, asked(), plan=plan)
    return tasks.plan_accepted(*held.lease, plan=plan, session=_end(held))


def _end(held: Held) -> SessionEnd:
    if held.session_end is None:
        raise RuntimeError("the session has not ended")
    return held.session_end
