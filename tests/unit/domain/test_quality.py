"""The bar rises with good hours and falls with bad ones, within its bounds (D-16)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.quality import HIGHEST, LOWEST, next_bar, reaches


@pytest.mark.parametrize(
    ("bar", "mean", "after"),
    [
        (70, 0.86, 72),
        (70, 0.85, 70),
        (94, 0.99, 95),
        (95, 0.99, 95),
        (80, 0.74, 78),
        (80, 0.75, 80),
        (71, 0.10, 70),
        (70, 0.10, 70),
        (80, None, 80),
        (80, math.nan, 80),
    ],
)
def test_how_the_bar_moves(bar: int, mean: float | None, after: int) -> None:
    assert next_bar(bar, mean) == after


@given(st.lists(st.none() | st.floats(allow_nan=True), max_size=50))
def test_the_bar_stays_within_its_bounds(hours: list[float | None]) -> None:
    bar = LOWEST
    for mean in hours:
        bar = next_bar(bar, mean)
        assert LOWEST <= bar <= HIGHEST


@pytest.mark.parametrize(
    ("quality", "good"),
    [
        (0.7, True),
        (0.6999999999, True),
        (0.69999, False),
        (1.0, True),
        (math.nan, False),
        (-1, False),
    ],
)
def test_a_result_reaches_the_bar_to_the_millionth(quality: float, good: bool) -> None:
    assert reaches(quality, 70) is good
