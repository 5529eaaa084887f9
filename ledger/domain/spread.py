"""How durations are spread, kept as counts in fixed steps so that days can be added up (C-25)."""

from bisect import bisect_right
from collections.abc import Sequence

STEPS_PER_DOUBLING = 4
SHORTEST = 0.001
BOUNDS = tuple(SHORTEST * 2 ** (step / STEPS_PER_DOUBLING) for step in range(108))
"""From a millisecond to 31 hours, each a fifth more than the one before."""

BUCKETS = len(BOUNDS) + 1


def bucket(seconds: float) -> int:
    """The place of a duration among the counts, from 0 on."""
    return bisect_right(BOUNDS, seconds)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The seconds within which that share ended, to a tenth of it; None where nothing was counted.

    Inside a bucket durations are taken to be spread evenly in their logarithm.
    """
    wanted = share * sum(counts)
    seen = 0
    for place, count in enumerate(counts):
        if count and seen + count >= wanted:
            return _inside(place, (wanted - seen) / count)
        seen += count
    return None


def _inside(place: int, part: float) -> float:
    if place == 0:
        return SHORTEST * part
    lower = BOUNDS[place - 1]
    upper = BOUNDS[place] if place < len(BOUNDS) else lower
    return float(lower * (upper / lower) ** part)
