"""Times as people say them."""

from datetime import UTC, datetime, timedelta

from console.domain.times import relative

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_moment_is_told_from_now_in_both_directions() -> None:
    assert relative(NOON - timedelta(minutes=3), NOON) == "3 min ago"
    assert relative(NOON + timedelta(hours=4), NOON) == "in 4 h"
    assert relative(NOON, NOON) == "now"
    assert relative(None, NOON) == ""
