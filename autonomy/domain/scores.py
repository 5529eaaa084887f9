"""How well nodes and skills have done lately: evidence that fades (D-12, D-13).

A running score is three numbers: a sum, its weight, and the time `at` of its newest observation.
Folding an observation in is one statement, also in SQL:

    factor     = 0 if age > FADED_HALF_LIVES * half_life else 0.5 ^ (age / half_life)
    value_sum  = value_sum * factor + value
    weight     = weight * factor + 1
    at         = now                          where age = max(0, now - at), in seconds

PostgreSQL raises an error where `power()` or a product underflows, hence the cut at
FADED_HALF_LIVES; take a sum below NOTHING as 0 for the same reason.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from autonomy.domain.priority import DEFAULT_WEIGHTS, Weights
from autonomy.domain.states import ErrorClass

HALF_LIFE_SECONDS = 1800.0
FADED_HALF_LIVES = 64
NOTHING = 1e-12
BEST_VALUE = 2.0
BLAMED_ON_THE_TASK = frozenset({ErrorClass.PERMANENT})
"""Failures that say nothing about the node (D-13)."""

_LN2 = 0.6931471805599453
_TERMS = 19  # of the series: enough for the last bit over one half-life


def decay(age_seconds: float, half_life_seconds: float = HALF_LIFE_SECONDS) -> float:
    """What is left of an observation's weight: 1 when fresh, ½ after a half-life.

    Made of products and sums alone, which every machine rounds alike; powers are not.
    """
    if not age_seconds > 0:
        return 1.0
    half_lives = age_seconds / half_life_seconds
    if half_lives > FADED_HALF_LIVES:
        return 0.0
    whole = int(half_lives)
    x = (whole - half_lives) * _LN2
    factor = 1.0
    for term in range(_TERMS, 0, -1):
        factor = 1.0 + factor * x / term
    return math.ldexp(factor, -whole)


@dataclass(frozen=True, slots=True)
class Decayed:
    """A decayed sum with its weight, as of the newest observation (seconds on one clock)."""

    sum: float = 0.0
    weight: float = 0.0
    at: float = 0.0

    def as_of(self, now: float, half_life_seconds: float = HALF_LIFE_SECONDS) -> "Decayed":
        """The same evidence, faded to `now`."""
        factor = decay(now - self.at, half_life_seconds)
        return Decayed(self.sum * factor, self.weight * factor, max(now, self.at))


def folded(
    old: Decayed, value: float, *, at: float, half_life_seconds: float = HALF_LIFE_SECONDS
) -> Decayed:
    """The evidence with one observation more; one that comes late has faded by its age."""
    faded = old.as_of(at, half_life_seconds)
    weight = decay(faded.at - at, half_life_seconds)
    return Decayed(faded.sum + value * weight, faded.weight + weight, faded.at)


def score(evidence: Decayed, *, now: float, weights: Weights = DEFAULT_WEIGHTS) -> float:
    """The node score: near the prior without evidence, near the evidence with much of it."""
    faded = evidence.as_of(now, weights.half_life_seconds)
    return speed(Evidence(values=faded.sum, weight=faded.weight), weights)


def _toward(total: float, weight: float, prior: float, prior_weight: float) -> float:
    """The mean of the evidence, drawn toward a prior worth `prior_weight` observations."""
    return (prior_weight * prior + total) / (prior_weight + weight)


@dataclass(frozen=True)
class Trial:
    """One ended run, as far as it says something about the node and the skill."""

    verified: bool
    seconds: float
    expected_seconds: float
    error_class: ErrorClass | None = None

    @property
    def counts_for_node(self) -> bool:
        """Whether the node had a part in how it ended."""
        return self.verified or self.error_class not in BLAMED_ON_THE_TASK

    @property
    def value(self) -> float:
        """clamp(expected ÷ actual, 0, 2) when verified, 0 when failed."""
        if not self.verified:
            return 0.0
        if not self.seconds > 0:
            return BEST_VALUE
        return min(max(self.expected_seconds / self.seconds, 0.0), BEST_VALUE)


def score_of(
    trials: Iterable[tuple[Trial, float]], *, now: float, weights: Weights = DEFAULT_WEIGHTS
) -> float:
    """The node score from trials and when they ended: the referee of the folded one."""
    evidence = Decayed()
    for trial, at in trials:
        if trial.counts_for_node:
            evidence = folded(
                evidence, trial.value, at=at, half_life_seconds=weights.half_life_seconds
            )
    return score(evidence, now=now, weights=weights)


class Evidence(NamedTuple):
    """The three sums of a record, faded to one moment."""

    values: float = 0.0
    successes: float = 0.0
    weight: float = 0.0


def speed(here: Evidence, weights: Weights = DEFAULT_WEIGHTS) -> float:
    """The node score from faded evidence."""
    return _toward(here.values, here.weight, weights.score_prior, weights.score_prior_weight)


def success(anywhere: Evidence, here: Evidence, weights: Weights = DEFAULT_WEIGHTS) -> float:
    """P(success) of a skill on a node: the node's record, with the skill's own as its prior.

    The skill's record in turn has a Beta prior of mean `success_prior`.
    """
    of_skill = _toward(
        anywhere.successes, anywhere.weight, weights.success_prior, weights.success_prior_weight
    )
    on_node = _toward(here.successes, here.weight, of_skill, weights.node_prior_weight)
    return min(max(on_node, 0.0), 1.0)


def estimate(seconds: Decayed, declared_seconds: float) -> float:
    """The decayed mean duration of verified runs; what was declared while there is none.

    A mean does not fade: sum and weight fade alike.
    """
    if not seconds.weight > NOTHING or not math.isfinite(seconds.sum):
        return declared_seconds
    return max(seconds.sum / seconds.weight, 0.0)
