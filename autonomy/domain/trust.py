"""How far the world model can be relied on, and how much may run alone by that (D-18, D-19).

Shares are whole millionths, so that every machine comes to the same level.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from autonomy.domain.priority import MILLION, BadWeights
from firewall.domain.levels import Level, of_rank

LOOPS_UNTIL_STALE = 3


@dataclass(frozen=True)
class Rules:
    """How confidence moves, and how long a level has to be earned."""

    gain: int = 10_000  # a prediction that came true
    loss: int = 50_000  # one that did not
    least_checked: int = 20  # before that, confidence moves no level
    least_ended: int = 10  # before that, failures move no level
    hold_seconds: int = 600  # how long the upper bound is held before the level rises
    loop_seconds: int = 30  # between full observations, at most

    @property
    def break_even(self) -> Fraction:
        """The share of predictions that must come true for confidence to stay where it is."""
        return Fraction(self.loss, self.gain + self.loss)

    def to_json(self) -> dict[str, int]:
        """The form kept in the weights row."""
        return asdict(self)


DEFAULT_RULES = Rules()

_RANGES = {
    "gain": (1, MILLION),
    "loss": (1, MILLION),
    "least_checked": (0, 100_000),
    "least_ended": (0, 100_000),
    "hold_seconds": (0, 7 * 86_400),
    "loop_seconds": (1, 3600),
}


def rules_from(values: Any) -> Rules:
    """The rules of a stored row or a file; what is missing is as shipped. Raises BadWeights."""
    if not isinstance(values, Mapping):
        raise BadWeights("trust is not an object of names and numbers")
    problems = [f"trust.{name} is not a rule" for name in sorted(map(str, values.keys() - _RANGES))]
    for name, (low, high) in _RANGES.items():
        given = values.get(name, low)
        if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
            problems.append(f"trust.{name} must be a whole number from {low} to {high}")
    if problems:
        raise BadWeights("; ".join(problems))
    return Rules(**values)


def after(confidence: int, answers: Iterable[bool], rules: Rules = DEFAULT_RULES) -> int:
    """The confidence when these predictions have been checked, in this order."""
    for came_true in answers:
        moved = confidence + rules.gain if came_true else confidence - rules.loss
        confidence = min(max(moved, 0), MILLION)
    return confidence


@dataclass(frozen=True)
class Gauge:
    """What is known of the platform's reliability at one moment."""

    confidence: int = MILLION
    checked: int = 0
    stale_seconds: float = 0.0  # since the last full observation
    failed: int = 0  # the share of what ended lately that failed, in millionths
    ended: float = 0.0  # how much ended lately, by its decayed weight
    budget_left: int | None = None  # the share of the day's money, where there is a cap


@dataclass(frozen=True)
class Bounds:
    """What takes a level away, and what it takes to rise to it; None where it never matters."""

    confidence_falls: int
    confidence_rises: int
    failed_falls: int | None = None
    failed_rises: int | None = None
    budget_falls: int | None = None
    budget_rises: int | None = None
    needs_sight: bool = False  # a stale picture of the world counts as low confidence


BOUNDS: dict[Level, Bounds] = {
    Level.FULL: Bounds(700_000, 800_000, 500_000, 400_000, 100_000, 200_000, needs_sight=True),
    Level.CAREFUL: Bounds(500_000, 600_000, 750_000, 600_000, 0, 50_000, needs_sight=True),
    Level.ASK: Bounds(300_000, 400_000),
    Level.OBSERVE: Bounds(100_000, 200_000),
}
"""A level is lost below the first bound and earned at the second: between them nothing moves."""


@dataclass(frozen=True)
class Standing:
    """The level by the evidence, and since when the next one is earned (microseconds)."""

    level: Level = Level.FULL
    earned_since: int | None = None


@dataclass(frozen=True)
class Move:
    """The standing from now on, and why it is another, in words."""

    standing: Standing
    reason: str = ""


def moved(standing: Standing, gauge: Gauge, now: int, rules: Rules = DEFAULT_RULES) -> Move:
    """Fall at once as far as the evidence says; rise one step, once it was earned for a while."""
    fallen = _fallen(standing.level, gauge, rules)
    if fallen.standing.level is not standing.level:
        return fallen
    above = of_rank(standing.level.rank + 1)
    if standing.level is Level.FULL or against(above, gauge, rules, rising=True):
        return Move(Standing(standing.level))
    since = standing.earned_since
    if since is None or since > now:  # also where the clock went back
        since = now
    if now - since < rules.hold_seconds * MILLION:
        return Move(Standing(standing.level, since))
    return Move(Standing(above), f"what {above} takes was held for {rules.hold_seconds} s")


def _fallen(level: Level, gauge: Gauge, rules: Rules) -> Move:
    reasons: list[str] = []
    while level is not Level.OFF and (found := against(level, gauge, rules)):
        reasons = found
        level = of_rank(level.rank - 1)
    return Move(Standing(level), "; ".join(reasons))


def against(
    level: Level, gauge: Gauge, rules: Rules = DEFAULT_RULES, *, rising: bool = False
) -> list[str]:
    """What speaks against staying at a level, or against rising to it; off is always allowed."""
    if level is Level.OFF:
        return []
    bounds = BOUNDS[level]
    confidence = bounds.confidence_rises if rising else bounds.confidence_falls
    failed = bounds.failed_rises if rising else bounds.failed_falls
    budget = bounds.budget_rises if rising else bounds.budget_falls
    stale_after = LOOPS_UNTIL_STALE * rules.loop_seconds
    found = []
    if gauge.checked >= rules.least_checked and gauge.confidence < confidence:
        found.append(f"confidence is {_percent(gauge.confidence)}, under {_percent(confidence)}")
    if bounds.needs_sight and gauge.stale_seconds > stale_after:
        found.append(f"the world was last seen whole {gauge.stale_seconds:.0f} s ago")
    if failed is not None and gauge.ended >= rules.least_ended and gauge.failed > failed:
        found.append(f"{_percent(gauge.failed)} of what ended lately failed")
    if budget is not None and gauge.budget_left is not None and gauge.budget_left <= budget:
        found.append(f"{_percent(gauge.budget_left)} of the budget is left")
    return found


def _percent(millionths: int) -> str:
    return f"{millionths / 10_000:.1f} %"
