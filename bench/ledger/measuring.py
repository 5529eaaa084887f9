"""How long a question takes: in the database, in all, and what it costs on any machine's clock."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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
    cpu_ms: float  # of the backend and of the program that asks; others at work do not change it
    statements: int


def timed(name: str, ask: Ask) -> Timing:
    """Ask again and again."""
    for _ in range(WARM_UP):
        ask()
    rounds = [_once(ask) for _ in range(ROUNDS)]
    return Timing(
        name=name,
        database_ms=1000 * median([clock.seconds for clock, _, _ in rounds]),
        whole_ms=1000 * median([whole for _, whole, _ in rounds]),
        cpu_ms=1000 * median([cpu for _, _, cpu in rounds]),
        statements=rounds[-1][0].statements,
    )


def _once(ask: Ask) -> tuple[Clock, float, float]:
    clock = Clock()
    begun, used = time.perf_counter(), _cpu_seconds()
    with connection.execute_wrapper(clock):
        ask()
    return clock, time.perf_counter() - begun, _cpu_seconds() - used


def _cpu_seconds() -> float:
    """Of this process, and of the one that serves its connection: of that to the nanosecond."""
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    served = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0])
    return time.process_time() + served / 1e9


def seconds(act: Callable[[], object]) -> float:
    """How long something takes once."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
