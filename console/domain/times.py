"""Durations and moments as a person says them."""

from datetime import datetime

_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def span(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    size, unit = next(step for step in _STEPS if seconds >= step[0])
    return f"{seconds / size:.0f} {unit}"


def relative(at: datetime | None, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `now`; empty for a moment that has not come."""
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"
