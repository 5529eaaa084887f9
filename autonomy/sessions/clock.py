"""The clock of leases and limits: it never jumps, and it goes on while the machine sleeps."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds() -> float:
    """Seconds by a clock that all processes of this machine share."""
    return time.clock_gettime(_CLOCK)
