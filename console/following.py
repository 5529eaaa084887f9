"""Following work to its end from outside, through restarts of everything it runs on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db import Error, connection

Seen = TypeVar("Seen")

POLL_SECONDS = 0.5
RESTART_SECONDS = 60.0


class TookTooLong(Exception):
    """What was followed had not ended when its time was up."""


@dataclass(frozen=True)
class Away:
    """The database could not be asked this time; the next look may succeed."""

    words: str


def follow(
    look: Callable[[], Seen], *, until: Callable[[Seen], bool], seconds: float
) -> Iterator[Seen | Away]:
    """Look until it is so, at most that long; a database that is away is told and tried again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = _look(look)
        yield seen
        if not isinstance(seen, Away) and until(seen):
            return
        time.sleep(POLL_SECONDS)
    raise TookTooLong(f"not over after {seconds:.0f} s; the work goes on, only the waiting ended")


def ask(question: Callable[[], Seen], *, seconds: float = RESTART_SECONDS) -> Seen:
    """The answer of something that may be asked twice, through a restart of the database.

    Raises TookTooLong when the database stays away.
    """
    for seen in follow(question, until=lambda _: True, seconds=seconds):
        if not isinstance(seen, Away):
            return seen
    raise AssertionError("follow() ends with an answer or raises")


def _look(look: Callable[[], Seen]) -> Seen | Away:
    try:
        return look()
    except Error as error:
        connection.close()
        return Away(str(error).strip().partition("\n")[0])
