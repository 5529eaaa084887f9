"""Moments as a person says them."""

from datetime import datetime

from autonomy.domain.explain import spoken


def relative(at: datetime | None, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `now`; empty for a moment that has not come."""
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{spoken(seconds)} ago" if seconds > 0 else f"in {spoken(-seconds)}"
