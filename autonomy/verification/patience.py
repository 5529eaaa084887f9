"""A bound on how long a look at something far away may take, however slowly it answers."""

import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


class TooSlow(Exception):
    """There was no whole answer in time."""


@dataclass
class _Attempt(Generic[T]):
    act: Callable[[], T]
    done: threading.Event = field(default_factory=threading.Event)
    answer: T | None = None
    error: Exception | None = None

    def run(self) -> None:
        try:
            self.answer = self.act()
        except Exception as error:  # noqa: BLE001 -- raised again where the answer is awaited
            self.error = error
        finally:
            self.done.set()


def in_time(act: Callable[[], T], seconds: float) -> T:
    """What `act` answers, or raises; raises TooSlow where it takes longer.

    A socket's own timeout starts anew with each byte. What is late is left to end by itself.
    """
    inherited = contextvars.copy_context()
    attempt = _Attempt(lambda: inherited.run(act))
    threading.Thread(target=attempt.run, name="look", daemon=True).start()
    if not attempt.done.wait(seconds):
        raise TooSlow(f"no whole answer within {seconds:g} s")
    if attempt.error is not None:
        raise attempt.error
    return attempt.answer  # type: ignore[return-value]  # it has ended, and without an error
