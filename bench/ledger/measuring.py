"""How long a question takes: in the database, and in all."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from bench.figures import median
from bench.ledger.queries import Ask

ROUNDS = 15
WARM_UP = 2


@dataclass
class Clock:
    """Adds up the time that statements take, seen from the program that asks."""

    seconds: float = 0.0
    statements: int = 0

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 -- Django's
        context: Any,
    ) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - begun
            self.statements += 1


@dataclass(frozen=True)
class Timing:
    """Medians over the rounds, in milliseconds."""

    name: str
    database_ms: float
    whole_ms: float
    statements: int


def timed(name: str, ask: Ask) -> Timing:
    """Ask again and again."""
    for _ in range(WARM_UP):
        ask()
    rounds = [_once(ask) for _ in range(ROUNDS)]
    return Timing(
        name=name,
        database_ms=1000 * median([clock.seconds for clock, _ in rounds]),
        whole_ms=1000 * median([whole for _, whole in rounds]),
        statements=rounds[-1][0].statements,
    )


def _once(ask: Ask) -> tuple[Clock, float]:
    clock = Clock()
    begun = time.perf_counter()
    with connection.execute_wrapper(clock):
        ask()
    return clock, time.perf_counter() - begun


def seconds(act: Callable[[], object]) -> float:
    """How long something takes once."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
