"""Times as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.times import relative, span

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (-3, "0.0 s"), (0.44, "0.4 s"), (12.4, "12 s"), (59.6, "60 s"), (90, "2 min"),
     (3600, "1 h"), (200_000, "2 d")],
)  # fmt: skip
def test_a_span_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_moment_is_told_from_now_in_both_directions() -> None:
    assert relative(NOON - timedelta(minutes=3), NOON) == "3 min ago"
    assert relative(NOON + timedelta(hours=2), NOON) == "in 2 h"
    assert relative(NOON, NOON) == "now"
    assert relative(None, NOON) == ""
