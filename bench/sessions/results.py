"""From rounds to figures: interleaved, so that a busy minute falls on every arm alike."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.figures import median, percentile, say, show
from bench.sessions.arms import Arm, Round

PEER = "Celery, prefork 2"
"""What ratios are taken to."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    sessions: int
    """In each round, of each arm: times the arm's share."""
    slots: tuple[int, ...]


@dataclass
class Result:
    """What the rounds of one arm have shown."""

    name: str
    rounds: list[Round] = field(default_factory=list)
    to_peer: float = 0.0
    """Its rate as a multiple of the peer's, the median of the rounds."""

    @property
    def rate(self) -> float:
        """Tasks per second, the median of the rounds."""
        return median([_rate(one) for one in self.rounds])

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of all processes per task, the median of the rounds."""
        return median([1000 * one.cpu_seconds / one.tasks for one in self.rounds])

    @property
    def parts(self) -> dict[str, float]:
        """CPU milliseconds per task of each part, where they are told apart."""
        split = [(one.tasks, getattr(one, "parts", {})) for one in self.rounds]
        names = split[0][1] if split else {}
        return {name: median([1000 * parts[name] / n for n, parts in split]) for name in names}

    def latency_ms(self, share: float) -> float | None:
        """From being handed over to having the answer."""
        return _ms([seconds for one in self.rounds for seconds in one.latencies], share)

    def begin_ms(self, share: float) -> float | None:
        """From being handed over to the first line of the task."""
        return _ms([seconds for one in self.rounds for seconds in one.begins], share)


def measured(arms: Sequence[Arm], plan: Plan) -> list[Result]:
    """Every arm in turn, round after round, beginning with another one each time."""
    results = [Result(arm.name) for arm in arms]
    pairs = list(zip(arms, results, strict=True))
    for arm in arms:
        arm.run(2)  # nobody is measured cold
    for number in range(plan.rounds):
        first = number % len(pairs)
        for arm, result in pairs[first:] + pairs[:first]:
            result.rounds.append(arm.run(max(2, int(plan.sessions * arm.share))))
    _compare(results)
    return results


def shown(
    results: Sequence[Result], memory: Mapping[str, Mapping[str, int]], facts: Mapping[str, Any]
) -> None:
    """The tables."""
    say(f"{facts['at']} · {facts['cpu']}, {facts['cores']} cores · load {facts['load_before']:.1f}")
    columns = (
        "",
        "per second",
        "to Celery",
        "CPU ms",
        "first line p50",
        "p99",
        "answer p50",
        "p99",
    )
    show("Medians of rounds; latencies in ms", columns, [_row(r) for r in results])
    split = [result for result in results if result.parts]
    if split:
        names = list(split[0].parts)
        rows = [(r.name, *(f"{r.parts[name]:.2f}" for name in names)) for r in split]
        show("CPU ms per task, by part", ("", *names), rows)
    for name, held in memory.items():
        parts = ", ".join(f"{kind} {size / 1e6:.1f} MB" for kind, size in held.items())
        say(f"{name}: {parts}")


def as_json(
    results: Sequence[Result], memory: Mapping[str, Mapping[str, int]], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything, down to each round."""
    return {"machine": dict(facts), "memory": memory, "arms": [_shape(r) for r in results]}


def _compare(results: Sequence[Result]) -> None:
    """Each to the peer in the same round."""
    peer = next(result for result in results if result.name == PEER)
    for result in results:
        pairs = zip(result.rounds, peer.rounds, strict=True)
        result.to_peer = median([_rate(one) / _rate(other) for one, other in pairs])


def _rate(one: Round) -> float:
    return one.tasks / one.seconds


def _row(result: Result) -> tuple[str, ...]:
    figures = (
        result.begin_ms(0.5),
        result.begin_ms(0.99),
        result.latency_ms(0.5),
        result.latency_ms(0.99),
    )
    return (
        result.name,
        f"{result.rate:,.0f}",
        f"{result.to_peer:.2f}",
        f"{result.cpu_ms:.2f}",
        *("" if one is None else f"{one:.1f}" for one in figures),
    )


def _shape(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "per_second": result.rate,
        "times_celery": result.to_peer,
        "cpu_ms": result.cpu_ms,
        "parts_cpu_ms": result.parts,
        "first_line_ms": {"p50": result.begin_ms(0.5), "p99": result.begin_ms(0.99)},
        "answer_ms": {"p50": result.latency_ms(0.5), "p99": result.latency_ms(0.99)},
        "rounds": [asdict(one) for one in result.rounds],
    }


def _ms(seconds: Sequence[float], share: float) -> float | None:
    return 1000 * percentile(seconds, share) if seconds else None
