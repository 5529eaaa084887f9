"""How long a decision takes to reach a node, measured: the window of a node needs it (D-4)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from autonomy.domain.world import ROUND_TRIP

DOORBELL_SECONDS = 0.02
SHORTEST, LONGEST = 0.02, 1.0
_NEWEST = 0.2  # the share of the newest pass in the mean


@dataclass
class Pace:
    """The round trip of a decision: a fading mean of passes, and the way of the doorbell."""

    seconds: float = ROUND_TRIP

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count what is done inside as one pass."""
        began = time.monotonic()
        yield
        self.add(time.monotonic() - began)

    def add(self, pass_seconds: float) -> None:
        """One pass more, bounded: an outage is no measure."""
        found = min(max(pass_seconds + DOORBELL_SECONDS, SHORTEST), LONGEST)
        self.seconds = round((1 - _NEWEST) * self.seconds + _NEWEST * found, 3)
