"""Parts of the engine's work that may fail, each alone, and are tried again after a pause."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import connection

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0

Answer = TypeVar("Answer")


@dataclass
class _Pause:
    seconds: float
    until: float
    why: str


@dataclass
class Parts:
    """Runs each part; one that raised is left out for a while, and the others go on."""

    clock: Callable[[], float] = time.monotonic
    _pauses: dict[str, _Pause] = field(default_factory=dict)

    @property
    def troubles(self) -> Mapping[str, str]:
        """The parts that failed last time, and how."""
        return {f"its part {name}": pause.why for name, pause in self._pauses.items()}

    def do(self, name: str, act: Callable[[], Answer], otherwise: Answer) -> Answer:
        """What the part answers, or `otherwise`; raises only where the database is gone."""
        pause = self._pauses.get(name)
        if pause is not None and pause.until > self.clock():
            return otherwise
        try:
            answer = act()
        except Exception as error:
            if not connection.in_atomic_block and not connection.is_usable():
                raise
            logger.exception("the engine's part %s failed", name)
            self._put_off(name, pause, error)
            return otherwise
        self._pauses.pop(name, None)
        return answer

    def _put_off(self, name: str, before: _Pause | None, error: Exception) -> None:
        seconds = min(before.seconds * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        why = f"{type(error).__name__}: {error}"[:500]
        self._pauses[name] = _Pause(seconds, self.clock() + seconds, why)
