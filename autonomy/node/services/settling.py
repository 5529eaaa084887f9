"""How what became of a task is written down: at the end of a turn, behind the fence, only once."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from autonomy.domain.states import ErrorClass, HeldFor, State
from autonomy.node.services import aside, requests
from autonomy.node.services.held import Held
from autonomy.node.services.looks import Looks
from autonomy.node.services.workplace import Workplace, Write
from autonomy.sdk.skill import Retries
from autonomy.sessions.orders import Purpose
from autonomy.tasks import services as tasks
from autonomy.tasks.services import Ending, after_failure

logger = logging.getLogger(__name__)

LONGEST_REASON = 2000


class Settling:
    """Ends what a node holds: settled, given back, or left to a person."""

    def __init__(self, place: Workplace, looks: Looks) -> None:
        self.place = place
        self.looks = looks

    def ending(self, held: Held, state: State, **fields: Any) -> Ending:
        """The next state of a task, with how long it took."""
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

    def settle(self, held: Held, ending: Ending) -> None:
        """Write it at the end of this turn, with all others."""
        held.decided = True
        self.place.endings.append(ending)

    def fail(self, held: Held, error: ErrorClass, reason: str, **fields: Any) -> None:
        """Another attempt, a person, or the end: whatever the skill's retries say."""
        given = {**fields, **self._after_failure(held, error, reason)}
        if given["state"] is State.HELD:
            del given["state"]
            self.ask(held, given.pop("reason"), **given)
        elif given["state"] is State.FAILED:
            self.write(held, lambda: self._end_or_ask(held, given))
        else:
            self.settle(held, self.ending(held, **given))

    def _end_or_ask(self, held: Held, given: dict[str, Any]) -> None:
        """Its last attempt failed; but what it had begun may have happened (C-3)."""
        words = tasks.unknown_fate([held.claimed.task_id]).get(held.claimed.task_id)
        if words is None:
            tasks.settle([self.ending(held, **given)])
            return
        reason = f"{HeldFor.AMBIGUOUS}: {words}; {given.pop('reason')}"[:LONGEST_REASON]
        ending = self.ending(held, **{**given, "state": State.HELD, "reason": reason})
        tasks.hold(ending, requests.to_go_on(held, reason))

    def ask(self, held: Held, reason: str, **fields: Any) -> None:
        """Only a person can say how this goes on."""
        reason = reason[:LONGEST_REASON]
        ending = self.ending(held, State.HELD, reason=reason, **fields)
        self.write(held, lambda: tasks.hold(ending, requests.to_go_on(held, reason)))

    def write(self, held: Held, write: Callable[[], object]) -> None:
        """What is written is the last of it here."""

        def write_and_forget() -> None:
            write()
            self.forget(held)

        held.decided = True
        self.append(held, write_and_forget)

    def append(self, held: Held, act: Callable[[], object]) -> None:
        """Write in this turn, and go on with it then."""
        self.place.writes.append(Write(act, refused=partial(self.fail_here, held)))

    def forget(self, held: Held) -> None:
        """The lease is lost or the task is settled: nothing more is done for it here."""
        self._let_go(held)
        held.folders.remove()

    def leave(self, held: Held) -> None:
        """The same, but what the session left stays where it is: whoever goes on may need it."""
        self._let_go(held)
        self.place.left.add(held.claimed.session_id)

    def _let_go(self, held: Held) -> None:
        held.ended_at = self.place.clock()
        self.place.held.pop(held.claimed.session_id, None)
        if held.look_id is not None:
            self.looks.cancel(held.look_id)

    # -- what no part of a task may do: end the node

    @contextmanager
    def set_aside(self, held: Held) -> Iterator[None]:
        """One task that cannot be gone on with is given back with the reason."""
        try:
            yield
        except Exception as error:
            logger.exception("task %s could not be gone on with", held.claimed.task_id)
            self.fail_here(held, error)

    def fail_here(self, held: Held, error: Exception) -> None:
        """Give the task back: this node cannot go on with it."""
        ending = aside.claimed(held.offer, held.claimed, held.declared, error, held.session_end)
        held.session_end = ending.session
        self.settle(held, ending)

    def _after_failure(self, held: Held, error: ErrorClass, reason: str) -> dict[str, Any]:
        retries = {**held.declaration["retries"], "max_attempts": held.offer.max_attempts}
        state = State.PREFLIGHT if held.order.purpose is Purpose.PREFLIGHT else State.RUNNING
        return after_failure(
            error,
            state=state,
            attempt=held.claimed.attempt,
            policy=Retries(**retries),
            reason=reason[:LONGEST_REASON],
        )
