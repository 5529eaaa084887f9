"""Which task comes first (D-8), in whole millionths so that every machine agrees."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cached_property
from typing import Any

MILLION = 1_000_000
MICROSECONDS_PER_MINUTE = 60 * MILLION
SHORTEST_SECONDS = 6.0  # a tenth of a minute: shorter estimates earn no more
MOST_DEPENDENTS = 10**9
LARGEST_HINT = 10**6
_HALFWAY_BAND = 1e-3
_PRECISE = Context(prec=40, rounding=ROUND_HALF_EVEN)


class BadWeights(ValueError):
    """Weights that are missing, unknown or absurd; the message names each."""


@dataclass(frozen=True)
class Weights:
    """One version of all that the engine weighs with."""

    # priority (D-8)
    dependents: float = 2.0
    critical: float = 5.0
    short: float = 3.0
    waiting: float = 0.5
    # scores and success (D-12, D-13)
    half_life_seconds: float = 1800.0
    score_prior: float = 1.0
    score_prior_weight: float = 2.0
    success_prior: float = 0.9
    success_prior_weight: float = 2.0
    node_prior_weight: float = 3.0
    # choosing a node (D-3, D-14)
    failure_cost: float = 1.0
    crowding: float = 2.0  # a node with all slots in use is worth a third of an idle one
    spread: float = 1.0
    exploration: float = 0.05
    # how much at once (D-4, D-6)
    lead: int = 4
    window_per_slot: int = 2
    batch: int = 256

    @cached_property
    def millionths(self) -> tuple[int, int, float]:
        """What a dependent, the critical path, and one second of estimate are worth."""
        per_dependent, for_critical = (
            round(self.dependents * MILLION),
            round(self.critical * MILLION),
        )
        return per_dependent, for_critical, self.short * 60 * MILLION

    def to_json(self) -> dict[str, float]:
        """The form kept in the weights row."""
        return asdict(self)


DEFAULT_WEIGHTS = Weights()

_BOUNDS: dict[str, tuple[float, float]] = {
    "dependents": (0, 1000),
    "critical": (0, 1000),
    "short": (0, 1000),
    "waiting": (0, 1000),
    "half_life_seconds": (1, 10**8),
    "score_prior": (0, 2),
    "score_prior_weight": (0.001, 1000),
    "success_prior": (0.001, 0.999),
    "success_prior_weight": (0.001, 1000),
    "node_prior_weight": (0.001, 1000),
    "failure_cost": (0, 1000),
    "crowding": (0, 100),
    "spread": (0, 100),
    "exploration": (0, 1),
    "lead": (1, 100),
    "window_per_slot": (0, 100),
    "batch": (1, 10_000),
}
_WHOLE = frozenset(field.name for field in fields(Weights) if field.type is int)


def weights_from(values: Any) -> Weights:
    """The weights of a stored row or a file; raises BadWeights, whatever stands there."""
    if not isinstance(values, Mapping):
        raise BadWeights("the weights are not an object of names and numbers")
    problems = [f"{name} is missing" for name in _BOUNDS if name not in values]
    problems += [f"{name} is not a weight" for name in sorted(map(str, values.keys() - _BOUNDS))]
    problems += [
        problem
        for name in _BOUNDS
        if name in values and (problem := _problem(name, values[name])) is not None
    ]
    if problems:
        raise BadWeights("; ".join(problems))
    kept: dict[str, Any] = {
        name: int(value) if name in _WHOLE else float(value) for name, value in values.items()
    }
    return Weights(**kept)


def _problem(name: str, value: Any) -> str | None:
    low, high = _BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name} is {value!r}, not a number"
    if not low <= value <= high:  # also false for NaN
        return f"{name} is {value}; it must be from {low} to {high}"
    if name in _WHOLE and value != int(value):
        return f"{name} is {value}; it must be a whole number"
    return None


@dataclass(frozen=True)
class Parts:
    """What a priority is made of, each part in millionths; the total is their exact sum."""

    dependents: int
    critical: int
    short: int
    waiting: int
    hint: int

    @property
    def total(self) -> int:
        """The priority."""
        return self.dependents + self.critical + self.short + self.waiting + self.hint

    def words(self) -> str:
        """The parts that count, largest first."""
        named = [
            (self.dependents, "for work that waits for it"),
            (self.critical, "for the critical path"),
            (self.short, "for being short"),
            (self.waiting, "for waiting"),
            (self.hint, "by its hint"),
        ]
        counted = sorted((part for part in named if part[0]), key=lambda part: -abs(part[0]))
        return ", ".join(f"{amount / MILLION:.2f} {why}" for amount, why in counted) or "nothing"


def parts(
    *,
    dependents: int,
    critical: bool,
    estimate_seconds: float,
    waiting_microseconds: int,
    hint: float,
    weights: Weights = DEFAULT_WEIGHTS,
) -> Parts:
    """The parts of the priority; finite for every input, and waiting never lowers the total."""
    per_dependent, for_critical, for_short = weights.millionths
    return Parts(
        dependents=per_dependent * min(max(dependents, 0), MOST_DEPENDENTS),
        critical=for_critical if critical else 0,
        short=round(for_short / clean_estimate(estimate_seconds)),
        waiting=waiting_part(waiting_microseconds, weights),
        hint=round(clean_hint(hint) * MILLION),
    )


def waiting_part(microseconds: int, weights: Weights) -> int:
    """The part that grows with waiting.

    Logarithms differ between machines in their last digits; where those could decide the rounding,
    the logarithm is taken again with forty digits.
    """
    if microseconds <= 0:
        return 0
    minutes = microseconds / MICROSECONDS_PER_MINUTE
    near = weights.waiting * math.log1p(minutes) * MILLION
    whole = round(near)
    if abs(abs(near - whole) - 0.5) < _HALFWAY_BAND:
        return _precise_waiting_part(minutes, weights.waiting)
    return whole


def _precise_waiting_part(minutes: float, weight: float) -> int:
    grown = _PRECISE.ln(_PRECISE.add(Decimal(1), Decimal(minutes)))
    scaled = _PRECISE.multiply(_PRECISE.multiply(grown, Decimal(weight)), Decimal(MILLION))
    return int(scaled.to_integral_value(ROUND_HALF_EVEN))


def clean_estimate(seconds: float) -> float:
    """An estimate to divide by; one that is not a number earns nothing for being short."""
    if seconds > SHORTEST_SECONDS:
        return seconds
    return math.inf if math.isnan(seconds) else SHORTEST_SECONDS


def clean_hint(hint: float) -> float:
    """A hint within bounds; one that is not a number counts nothing."""
    return 0.0 if math.isnan(hint) else min(max(hint, -LARGEST_HINT), LARGEST_HINT)
