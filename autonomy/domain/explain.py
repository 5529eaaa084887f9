"""Plain words for a task in any state: why it ran there and then, or why it does not run (D-21)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autonomy.domain.priority import DEFAULT_WEIGHTS, MILLION, Weights
from autonomy.domain.reasons import Reason, Waiting
from autonomy.domain.states import TERMINAL, HeldFor, State
from autonomy.domain.waiting import why_waiting
from autonomy.domain.world import Purpose, ReadyTask, World

_HELD = {
    HeldFor.APPROVAL: (Reason.APPROVAL, "It waits for a person's approval"),
    HeldFor.AMBIGUOUS: (
        Reason.QUARANTINE,
        "It is set aside for a person: an effect was begun and nobody can tell if it happened",
    ),
    HeldFor.INCONCLUSIVE: (
        Reason.QUARANTINE,
        "It is set aside for a person: the verifier could not tell whether it worked",
    ),
    HeldFor.EXHAUSTED: (
        Reason.QUARANTINE,
        "It is set aside for a person: every attempt failed",
    ),
}


@dataclass(frozen=True)
class Dependency:
    """A task that this one waits for."""

    name: str
    state: State
    seconds_left: float | None = None  # by its estimate


@dataclass(frozen=True)
class TaskFacts:
    """All that is said about one task; times are microseconds like the world's."""

    id: str
    skill: str
    tier: int
    state: State
    origin: str
    now: int
    reason: str = ""  # as stored: why it is held, or how it ended
    held_for: HeldFor = HeldFor.APPROVAL
    waits_for: tuple[Dependency, ...] = ()
    run_at: int | None = None
    attempt: int = 0
    max_attempts: int = 1
    estimate_seconds: float = 0.0
    node: str = ""
    claimed: bool = False  # a session holds its lease
    dispatched_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    decision: str = ""  # the sentence of the decision that sent it to its node
    verdict: str = ""
    evidence: tuple[str, ...] = ()
    evidence_id: str = ""
    dollars: str = ""
    ready: ReadyTask | None = None  # as the engine sees it
    place: int = 0  # within its origin, where that is further back than the engine looks
    problem: str = ""  # why the engine can decide nothing about it
    standing: tuple[str, ...] = ()  # what else is to be said of the engine now


@dataclass(frozen=True)
class Explanation:
    """Sentences, and the binding reason where the task could run but does not."""

    sentences: tuple[str, ...]
    reason: Reason | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """All of it as one text."""
        return " ".join(self.sentences)


def explain(
    facts: TaskFacts, world: World | None = None, weights: Weights = DEFAULT_WEIGHTS
) -> Explanation:
    """Why the task is where it is; `world` is needed for one that may be dispatched."""
    if facts.state in TERMINAL:
        return _ended(facts)
    match facts.state:
        case State.BLOCKED:
            return _blocked(facts)
        case State.HELD:
            return _held(facts)
        case State.READY:
            return _not_dispatched(facts, world, weights)
        case State.PREFLIGHT if not facts.node:
            return _not_dispatched(facts, world, weights)
        case State.PREFLIGHT | State.DISPATCHED if not facts.claimed:
            return _unclaimed(facts)
        case State.VERIFYING if not facts.claimed:
            return _left_behind(facts)
        case _:
            return _at_work(facts)


def _ended(facts: TaskFacts) -> Explanation:
    sentences = [f"It ended {facts.state.value}{_since(facts.ended_at, facts.now)}"]
    if facts.reason:
        sentences[0] += f": {facts.reason}"
    if facts.verdict:
        looked = f" ({'; '.join(facts.evidence)})" if facts.evidence else ""
        sentences.append(f"The evidence{_named(facts)} says {facts.verdict}{looked}")
    if facts.started_at is not None:
        ran = f"It ran on {facts.node}" if facts.node else "It ran"
        took = "" if facts.ended_at is None else f" for {_took(facts.started_at, facts.ended_at)}"
        sentences.append(f"{ran}{took}, on attempt {facts.attempt} of {facts.max_attempts}")
        sentences += _why_there(facts)
    if facts.dollars:
        sentences.append(f"It cost ${facts.dollars}")
    return Explanation(_closed(sentences))


def _blocked(facts: TaskFacts) -> Explanation:
    open_ones = [task for task in facts.waits_for if task.state not in TERMINAL]
    if not open_ones:
        words = "All that it waits for has ended; the next pass of the engine lets it go on"
    else:
        words = f"It waits for {_counted(open_ones)}: {'; '.join(map(_dependency, open_ones))}"
    details = {"waits_for": [task.name for task in open_ones]}
    return Explanation(_closed([words]), Reason.DEPENDENCY, details)


def _counted(tasks: list[Dependency]) -> str:
    return "one task" if len(tasks) == 1 else f"{len(tasks)} tasks"


def _dependency(task: Dependency) -> str:
    left = "" if task.seconds_left is None else f", about {spoken(task.seconds_left)} to go"
    return f"{task.name} is {task.state.value}{left}"


def _held(facts: TaskFacts) -> Explanation:
    reason, words = _HELD[facts.held_for]
    sentences = [words]
    if facts.reason and facts.reason != facts.held_for:
        sentences.append(f"Recorded with it: {facts.reason}")
    if facts.evidence_id:
        sentences.append(f"What was seen is kept as evidence{_named(facts)}")
    return Explanation(_closed(sentences), reason, {"held_for": facts.held_for.value})


def _not_dispatched(facts: TaskFacts, world: World | None, weights: Weights) -> Explanation:
    waiting = _later(facts) or _set_aside(facts)
    if waiting is None:
        if world is None:
            raise ValueError(f"task {facts.id} may be dispatched: explaining it takes the world")
        waiting = _in_the_world(facts, world, weights)
    what = "Its pre-flight has" if _is_preflight(facts) else "It has"
    sentence = f"{what} not started ({waiting.reason.value}): {waiting.words}"
    return Explanation(_closed([sentence, *facts.standing]), waiting.reason, waiting.details)


def _in_the_world(facts: TaskFacts, world: World, weights: Weights) -> Waiting:
    if facts.ready is None:  # it moved while it was looked at
        return Waiting(Reason.PRIORITY, "the next pass of the engine looks at it", {})
    waiting = why_waiting(world, facts.ready, weights)
    if waiting.reason is Reason.PRIORITY and facts.place:
        return _far_behind(facts)
    return waiting


def _far_behind(facts: TaskFacts) -> Waiting:
    """The engine looks at the first of a long queue only."""
    ahead = facts.place - 1
    words = f"{ahead} tasks of {facts.origin} alone come first, and the engine looks at the best"
    return Waiting(Reason.PRIORITY, words, {"rank_at_least": facts.place})


def _set_aside(facts: TaskFacts) -> Waiting | None:
    """A reason when its row or its skill cannot be read."""
    if not facts.problem:
        return None
    return Waiting(Reason.QUARANTINE, f"it is set aside: {facts.problem}", {})


def _is_preflight(facts: TaskFacts) -> bool:
    return facts.state is State.PREFLIGHT or (
        facts.ready is not None and facts.ready.purpose is Purpose.PREFLIGHT
    )


def _later(facts: TaskFacts) -> Waiting | None:
    """A reason when its time has not come."""
    if facts.run_at is None or facts.run_at <= facts.now:
        return None
    left = spoken((facts.run_at - facts.now) / MILLION)
    details = {"run_at": facts.run_at, "attempt": facts.attempt}
    if not facts.attempt:
        return Waiting(Reason.NOT_DUE, f"it is due in {left}", details)
    words = f"attempt {facts.attempt} of {facts.max_attempts} failed; the next one is in {left}"
    return Waiting(Reason.BACK_OFF, f"{words} ({facts.reason})" if facts.reason else words, details)


def _unclaimed(facts: TaskFacts) -> Explanation:
    given = f"It was given to {facts.node}{_since(facts.dispatched_at, facts.now)}"
    sentences = [f"{given}, which takes it once what it runs leaves a slot", *_why_there(facts)]
    return Explanation(_closed(sentences), Reason.PRIORITY, {"node": facts.node, "rank": 1})


def _left_behind(facts: TaskFacts) -> Explanation:
    words = (
        f"Its session ended on {facts.node}, and nobody looks for its evidence now: that node goes"
        " on when it is back, or another one that has loaded the skill; nothing is run again"
    )
    return Explanation(_closed([words]), Reason.NO_CAPABLE_NODE, {"node": facts.node})


def _at_work(facts: TaskFacts) -> Explanation:
    doing = {State.PREFLIGHT: "Its pre-flight runs", State.VERIFYING: "Its evidence is looked for"}
    sentence = f"{doing.get(facts.state, 'It runs')} on {facts.node}"
    if facts.started_at is not None:
        sentence += f" since {_took(facts.started_at, facts.now)}"
    if facts.estimate_seconds:
        sentence += f"; {spoken(facts.estimate_seconds)} were expected"
    if facts.state is State.VERIFYING and facts.run_at and facts.run_at > facts.now:
        later = spoken((facts.run_at - facts.now) / MILLION)
        sentence += f"; not there yet, the next look is in {later} ({'; '.join(facts.evidence)})"
    attempt = f"This is attempt {facts.attempt} of {facts.max_attempts}"
    return Explanation(_closed([sentence, attempt, *_why_there(facts)]))


def _named(facts: TaskFacts) -> str:
    return f" {facts.evidence_id}" if facts.evidence_id else ""


def _why_there(facts: TaskFacts) -> list[str]:
    return [f"Why there and then: {facts.decision.rstrip('.')}"] if facts.decision else []


def _since(at: int | None, now: int) -> str:
    return "" if at is None else f" {_took(at, now)} ago"


def _took(start: int, end: int) -> str:
    return spoken((end - start) / MILLION)


def _closed(sentences: list[str]) -> tuple[str, ...]:
    return tuple(f"{sentence}." for sentence in sentences)


def spoken(seconds: float) -> str:
    """A duration as people say it: `0.4 s`, `12 s`, `3 min`, `2.5 h`, `4 d`."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{_rounded(max(seconds, 0) / unit)} {name}"
    return f"{_rounded(seconds / 86_400)} d"


def _rounded(amount: float) -> str:
    return f"{amount:.1f}".removesuffix(".0") if amount < 10 else f"{amount:.0f}"
