"""A bench: what a node does with a task, for tests, with everything but the database."""

import selectors
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from autonomy.domain.isolation import Rung
from autonomy.domain.states import ErrorClass, State
from autonomy.sdk.evidence import Evidence, Verdict
from autonomy.sdk.plan import Plan
from autonomy.sdk.scope import BadScope
from autonomy.sessions import folders
from autonomy.sessions.events import Call, Ended, Loaded, Output
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.sessions.pool import SessionPool
from autonomy.sessions.wire import encoded
from autonomy.testing.answers import Answers
from autonomy.testing.copying import copied
from autonomy.testing.tried import Tried
from autonomy.testing.trying import Attempt, UnknownSkill, verification

_START_SECONDS = 30
_GRACE_SECONDS = 20
_AFTER = {
    Verdict.VERIFIED: State.DONE,
    Verdict.UNVERIFIED: State.DONE,
    Verdict.REFUTED: State.FAILED,
    Verdict.INCONCLUSIVE: State.HELD,
}


class Bench:
    """Runs skills of project folders; a context manager."""

    def __init__(
        self,
        *skills: Path,
        instead: Mapping[str, str] | None = None,
        strongest: int = Rung.SYSCALLS,
    ) -> None:
        """`instead` names addresses in skill files and what is asked instead of them; `strongest`
        asks for no more than that level of isolation."""
        self._selector = selectors.DefaultSelector()
        self._home = Path(tempfile.mkdtemp(prefix="bench-"))
        found = tuple(folder.resolve() for folder in skills)
        loaded = copied(found, self._home, instead) if instead else found
        self._pool = SessionPool(loaded, strongest=strongest)
        self._tasks: dict[UUID, Answers] = {}

    def __enter__(self) -> Self:
        """Load the skills; raises ZygoteFailed."""
        self._home.chmod(0o711)
        self._pool.start(_START_SECONDS)
        self._selector.register(self._pool, selectors.EVENT_READ)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End what runs, and remove the folders."""
        self._selector.close()
        self._pool.close()
        folders.remove(self._home)

    @property
    def skills(self) -> dict[str, Loaded]:
        """What is loaded, by name."""
        return {one.name: one for one in self._pool.components if one.kind == "skill"}

    @property
    def problems(self) -> dict[str, str]:
        """What could not be loaded, and why."""
        return self._pool.problems

    def run(self, skill: str, /, upstream: Sequence[Mapping[str, Any]] = (), **args: Any) -> Tried:
        """Try a skill once, with its pre-flight and its verifier; raises UnknownSkill."""
        task_id = uuid4()
        self._tasks[task_id] = Answers()
        return self._tried(self._attempt(skill, args, upstream, task_id, 1))

    def again(self, tried: Tried) -> Tried:
        """Another attempt of the same task: effects that were done are not repeated."""
        answers = self._tasks[tried.task_id]
        answers.attempts += 1
        return self._tried(
            self._attempt(tried.skill, tried.args, (), tried.task_id, answers.attempts)
        )

    def outside(self, name: str, text: str = "") -> Path:
        """A new file outside of every session, which a scope may name."""
        folder = self._home / "outside"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
        file = folder / name
        with file.open("x") as new:
            new.write(text)
        file.chmod(0o666)
        return file

    def lose(self, tried: Tried, step: str) -> None:
        """From here on nobody knows whether this effect of the task has happened."""
        self._tasks[tried.task_id].lose(step)

    def verify(self, tried: Tried) -> Tried:
        """Let the verifier look again, at whatever has become of what it looks at."""
        attempt = self._attempt(tried.skill, tried.args, (), tried.task_id, tried.attempt)
        return self._verified(tried, verification(attempt, tried.result, tried.started_at))

    def _attempt(
        self,
        skill: str,
        args: Mapping[str, Any],
        upstream: Sequence[Mapping[str, Any]],
        task_id: UUID,
        number: int,
    ) -> Attempt:
        loaded = self.skills.get(skill)
        if loaded is None:
            raise UnknownSkill(_missing(skill, self.skills, self.problems))
        encoded(dict(args))  # raises ValueError or TypeError for what no task could hold
        home = self._home / f"{task_id}-{number}"
        return Attempt(loaded, args, home, upstream, task_id, number)

    def _tried(self, attempt: Attempt) -> Tried:
        try:
            attempt.order(Purpose.RUN)
        except BadScope as error:
            return _refused(attempt, error)
        attempt.begin()
        ready = self._planned(attempt) if attempt.skill.tier > 1 else _begun(attempt)
        if ready.state is not State.READY:
            return ready
        started_at = datetime.fromtimestamp(time.time(), UTC)
        run = self._session(attempt.order(Purpose.RUN))
        answers = self._tasks[attempt.task_id]
        ended = replace(
            ready,
            started_at=started_at,
            report=run.report,
            result=run.report.result,
            output=run.text,
            artifacts=attempt.kept(),
            said=tuple(answers.said),
            submitted=tuple(answers.submitted),
        )
        if run.report.ended is not End.OK:
            return replace(ended, state=State.HELD if run.report.ambiguous else State.FAILED)
        return self._verified(ended, verification(attempt, ended.result, started_at))

    def _planned(self, attempt: Attempt) -> Tried:
        report = self._session(attempt.order(Purpose.PREFLIGHT)).report
        begun = replace(_begun(attempt), report=report)
        if report.ended is not End.OK:
            return replace(begun, state=State.FAILED)
        plan = Plan.model_validate(report.result["plan"])
        state = State.READY if plan.go else State.REJECTED
        return replace(begun, state=state, plan=plan, reads=report.result["reads"])

    def _verified(self, tried: Tried, order: Order) -> Tried:
        report = self._session(order).report
        if report.ended is not End.OK:
            return replace(tried, state=State.HELD, report=report)
        evidence = Evidence.model_validate(report.result)
        return replace(tried, state=_AFTER[evidence.verdict], evidence=evidence)

    def _session(self, order: Order) -> "_Ended":
        """Serve one session to its end."""
        answers = self._tasks[order.task_id]
        ended = _Ended()
        self._pool.spawn(order)
        until = time.monotonic() + order.limits.wall_seconds + _GRACE_SECONDS
        while time.monotonic() < until:
            self._selector.select(0.2)
            for event in self._pool.handle_ready():
                match event:
                    case Output():
                        ended.text += event.text
                    case Call():
                        answers.answer(self._pool, event)
                    case Ended():
                        ended.report = event.report
                        return ended
        raise TimeoutError(f"{order.component} did not end within its limit")


@dataclass
class _Ended:
    text: str = ""
    report: Report = field(default_factory=lambda: Report(ended=End.LOST))


def _begun(attempt: Attempt) -> Tried:
    return Tried(
        task_id=attempt.task_id,
        attempt=attempt.number,
        skill=attempt.skill.name,
        args=attempt.args,
        state=State.READY,
        report=Report(ended=End.OK),
        folder=attempt.home / "work",
    )


def _refused(attempt: Attempt, error: BadScope) -> Tried:
    """How a task ends whose scope cannot be made of its arguments."""
    report = Report(ended=End.REFUSED, error_class=ErrorClass.PERMANENT, error=str(error))
    return replace(_begun(attempt), state=State.FAILED, report=report)


def _missing(skill: str, known: Mapping[str, Loaded], problems: Mapping[str, str]) -> str:
    there = ", ".join(sorted(known)) or "none"
    broken = "".join(f"\n{place}:\n{problem}" for place, problem in problems.items())
    return f"no skill {skill!r} is declared; there are: {there}{broken}"
