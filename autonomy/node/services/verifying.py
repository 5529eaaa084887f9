"""Looking for evidence until it says yes or no, or the verifier's deadline is over (C-19, C-20).

The deadline is the database's, and so is the moment of the next look: a node that ends leaves both
behind for whoever goes on.
"""

import logging
from functools import partial
from typing import Any

from pydantic import ValidationError

from autonomy.domain.quality import reaches
from autonomy.domain.states import ErrorClass, HeldFor, State
from autonomy.node.services.held import Held
from autonomy.node.services.looks import Looks, TooManyLooks
from autonomy.node.services.settling import Settling
from autonomy.node.services.words import accepted, unable, words_of
from autonomy.node.services.workplace import Workplace, Write
from autonomy.sdk.evidence import Evidence, Verdict
from autonomy.sessions.orders import End, Report
from autonomy.tasks import services as tasks

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
BUSY_PAUSE = 0.2
JUST_AFTER = 0.01
LAST_LOOK_SECONDS = 10.0
"""A look that begins at the deadline has so long, or as long as the verifier has in all."""


class Verifying:
    """Takes a task from the end of its session to a verdict."""

    def __init__(self, place: Workplace, looks: Looks, settling: Settling) -> None:
        self.place = place
        self.looks = looks
        self.settling = settling
        self._due: list[tuple[float, Held]] = []  # when to look (again), monotonic

    def begin(self, held: Held, result: Any) -> None:
        """Keep what a session left and answered, then look."""
        held.result = result
        held.evidence_since = self.place.clock()
        self.place.results.append(held)

    def result_kept(self, held: Held, *, waits: bool) -> None:
        """The result is written, or came too late to be."""
        if waits:
            self._later(held, 0.0)
        else:
            self.settling.forget(held)

    def resume(self, held: Held) -> None:
        """Look again for what an earlier life of this node, or another node, has not found."""
        self._later(held, 0.0)

    def turn(self) -> None:
        """Start the looks that are due."""
        now = self.place.clock()
        due = [held for at, held in self._due if at <= now]
        self._due = [(at, held) for at, held in self._due if at > now]
        for held in due:
            if held.ended_at is None and not held.decided:
                self._look(held)

    def next_due(self) -> float | None:
        """When the next look is due, in monotonic seconds."""
        return min((at for at, held in self._due if held.ended_at is None), default=None)

    def _later(self, held: Held, seconds: float) -> None:
        held.waiting = seconds > BUSY_PAUSE
        self._due.append((self.place.clock() + seconds, held))

    # -- one look

    def _look(self, held: Held) -> None:
        held.waiting = False
        if not held.declaration["has_verifier"]:
            self._done(held, accepted(Evidence(verdict=Verdict.UNVERIFIED), looks=0))
            return
        waited = self._waited(held)
        try:
            done = partial(self._looked, held)
            held.look_id = self.looks.evidence(held, waited, _look_seconds(held, waited), done)
            held.looks += 1
        except TooManyLooks:
            self._later(held, BUSY_PAUSE)
        except Exception as error:
            logger.exception("the evidence of task %s cannot be looked at", held.claimed.task_id)
            self._inconclusive(held, unable(f"it cannot be looked at here: {error}", held.looks))

    def _waited(self, held: Held) -> float:
        return self.place.clock() - (held.evidence_since or self.place.clock())

    def _looked(self, held: Held, report: Report) -> None:
        held.look_id = None
        if held.ended_at is None and not held.decided:
            with self.settling.set_aside(held):
                self._judge(held, _evidence(report, held.looks))

    def _judge(self, held: Held, evidence: dict[str, Any]) -> None:
        match Verdict(evidence["verdict"]):
            case Verdict.VERIFIED if evidence.get("quality") is not None:
                weigh = partial(self._weigh, held, evidence)
                self.place.writes.append(Write(weigh, refused=partial(self._unstorable, held)))
            case Verdict.VERIFIED:
                self._done(held, evidence)
            case Verdict.REFUTED if held.ambiguous:
                self._give_up(held, evidence)
            case Verdict.REFUTED:
                self._refuted(held, evidence)
            case Verdict.INCONCLUSIVE | Verdict.UNVERIFIED:
                self._inconclusive(held, evidence)

    # -- what the verdict means

    def _done(self, held: Held, evidence: dict[str, Any]) -> None:
        self.settling.settle(held, self.settling.ending(held, State.DONE, **_proof(evidence)))

    def _weigh(self, held: Held, evidence: dict[str, Any]) -> None:
        """What worked has to be good enough as well: the bar in force decides (D-16)."""
        bar = tasks.quality_bar()
        if reaches(evidence["quality"], bar) or held.ambiguous:
            self._done(held, evidence)
            return
        reason = f"refuted: quality {evidence['quality']:.2f} is under the bar of {bar / 100:.2f}"
        proof = _proof({**evidence, "verdict": Verdict.REFUTED})
        self.settling.fail(held, ErrorClass.VERIFICATION, reason, **proof)

    def _refuted(self, held: Held, evidence: dict[str, Any]) -> None:
        reason = f"refuted: {words_of(evidence)}"
        self.settling.fail(held, ErrorClass.VERIFICATION, reason, **_proof(evidence))

    def _inconclusive(self, held: Held, evidence: dict[str, Any]) -> None:
        """Look again later, unless the database says that the time is over."""
        pause = _pause(self._waited(held), evidence.get("open_for"))
        again = partial(self._look_again, held, evidence, pause)
        self.place.writes.append(Write(again, refused=partial(self._unstorable, held)))

    def _look_again(self, held: Held, evidence: dict[str, Any], pause: float) -> None:
        try:
            again = tasks.look_again(*held.lease, evidence=evidence, pause_seconds=pause)
        except tasks.StaleWrite:
            self.settling.leave(held)
            return
        if again is None:
            self._give_up(held, evidence)
            return
        held.evidence_since = self.place.clock() - again.waited_seconds
        self._later(held, again.pause_seconds)

    def _unstorable(self, held: Held, error: Exception) -> None:
        self._give_up(held, unable(f"the evidence cannot be stored: {error}", held.looks))

    def _give_up(self, held: Held, evidence: dict[str, Any]) -> None:
        """Nobody can tell: a person is asked, with the evidence so far."""
        told = f"after {held.looks} looks in {self._waited(held):.0f} s {words_of(evidence)}"
        words = f"{HeldFor.INCONCLUSIVE}: {told}"
        if held.ambiguous:
            words = f"{HeldFor.AMBIGUOUS}: {held.ambiguous}; its verifier says {told}"
        self.settling.ask(held, words, **_proof(evidence))


def _evidence(report: Report, looks: int) -> dict[str, Any]:
    """What a look has found; one that ended otherwise has found nothing."""
    if report.ended is not End.OK:
        return unable(report.error, looks)
    try:
        return accepted(Evidence.model_validate(report.result), looks=looks)
    except ValidationError as error:
        return unable(f"what the verifier answered is no evidence: {error}", looks)


def _proof(evidence: dict[str, Any]) -> dict[str, Any]:
    return {
        "verdict": evidence["verdict"],
        "evidence": evidence,
        "quality": evidence.get("quality"),
    }


def _pause(waited: float, open_for: float | None) -> float:
    """Half of what has been waited so far; but at once when what was open has had its time."""
    pause = min(max(FIRST_PAUSE, waited / 2), LONGEST_PAUSE)
    return pause if open_for is None else min(pause, open_for + JUST_AFTER)


def _look_seconds(held: Held, waited: float) -> float:
    return max(held.verify_within - waited, min(held.verify_within, LAST_LOOK_SECONDS))
