"""What follows a failed attempt: another one later, a person, or the end (C-7)."""

from dataclasses import dataclass
from typing import Literal, Protocol

from autonomy.domain.states import NEVER_RETRIED, ErrorClass

_MOST_DOUBLINGS = 64  # beyond this every cap is reached, and the power would overflow


class RetryPolicy(Protocol):
    """How often, and how far apart, a failed attempt is repeated."""

    @property
    def max_attempts(self) -> int: ...

    @property
    def base_seconds(self) -> float: ...

    @property
    def cap_seconds(self) -> float: ...

    @property
    def on_exhausted(self) -> Literal["fail", "hold"]: ...


@dataclass(frozen=True)
class Retry:
    """Try again after the delay."""

    delay_seconds: float


@dataclass(frozen=True)
class GiveUp:
    """The task fails, with this reason."""

    reason: str


@dataclass(frozen=True)
class Hold:
    """The task waits for a person, with this reason."""

    reason: str


def after(
    error_class: ErrorClass, attempt: int, policy: RetryPolicy, *, chance: float
) -> Retry | GiveUp | Hold:
    """What follows attempt number `attempt`; `chance` is a random number from 0 to 1."""
    if error_class in NEVER_RETRIED:
        return GiveUp(f"{error_class.value}: it would not work however often it is tried")
    if attempt < policy.max_attempts:
        return Retry(delay(attempt, policy, chance=chance))
    reason = f"{error_class.value} on attempt {attempt} of {policy.max_attempts}, the last"
    return Hold(reason) if policy.on_exhausted == "hold" else GiveUp(reason)


def delay(attempt: int, policy: RetryPolicy, *, chance: float) -> float:
    """Exponential back-off with full jitter: anything from nothing to the doubled, capped delay."""
    doublings = min(max(attempt - 1, 0), _MOST_DOUBLINGS)
    longest = min(policy.cap_seconds, policy.base_seconds * 2.0**doublings)
    return longest * min(max(chance, 0.0), 1.0)
