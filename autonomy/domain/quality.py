"""The quality bar: what a verified result must be worth to be accepted (D-16). Hundredths."""

LOWEST = 70
HIGHEST = 95
STEP = 2
RISES_ABOVE = 0.85
FALLS_BELOW = 0.75
_EXACT = 1_000_000


def next_bar(bar: int, mean: float | None) -> int:
    """The bar after an hour of this mean quality; the same where nothing gave any."""
    if mean is None or not 0 <= mean <= 1:  # also where it is no number
        return bar
    if mean > RISES_ABOVE:
        return min(bar + STEP, HIGHEST)
    return max(bar - STEP, LOWEST) if mean < FALLS_BELOW else bar


def reaches(quality: float, bar: int) -> bool:
    """Whether a result is good enough, to the millionth; what is no number is not."""
    return 0 <= quality <= 1 and round(quality * _EXACT) >= bar * (_EXACT // 100)
