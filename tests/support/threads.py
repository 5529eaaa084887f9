"""Running things at the same moment, each with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(*acts: Callable[[], T], limit_seconds: float = 30) -> list[T]:
    """The answers of the acts, all started at one barrier; the first error is raised."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        try:
            barrier.wait(limit_seconds)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        started = [threads.submit(run, act) for act in acts]
        return [future.result(limit_seconds) for future in started]
