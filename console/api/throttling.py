"""How often an address may ask, counted before anybody is asked who they are."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

MOST = 600
WINDOW_SECONDS = 60
MOST_ADDRESSES = 10_000


@dataclass(frozen=True)
class Allowance:
    """What is left of a window."""

    limit: int
    remaining: int
    seconds: int

    @property
    def overdrawn(self) -> bool:
        """Whether this request was one too many."""
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """As clients are told."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.remaining)),
            "RateLimit-Reset": str(self.seconds),
        }
        return told | ({"Retry-After": str(self.seconds)} if self.overdrawn else {})


class Throttle:
    """Counts the requests of a bounded number of addresses, minute by minute."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = Lock()

    def count(self, address: str) -> Allowance:
        """One more request from there."""
        now = time.monotonic()
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            seen, count = self._counts.pop(address, (window, 0))
            count = count + 1 if seen == window else 1
            self._counts[address] = (window, count)
            if len(self._counts) > MOST_ADDRESSES:
                self._counts.popitem(last=False)
        left = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
        return Allowance(self.most, self.most - count, left)


ADDRESSES = Throttle()
"""The one of this process."""
