"""Figures are told so that nobody is misled by rounding."""

import pytest

from console.domain.figures import dollars, percent, seconds, told
from ledger.domain.figures import Sums, figures


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "\N{EN DASH}"), (0.0, "0 %"), (1.0, "100 %"), (0.934, "93.4 %"), (0.5, "50 %"),
        (0.99999, "> 99.9 %"), (0.00001, "< 0.1 %"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_up_to_all_or_down_to_none(
    share: float | None, words: str
) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("duration", "words"),
    [(None, "\N{EN DASH}"), (0.0123, "12.3 ms"), (1.44, "1.4 s"), (42.0, "42 s"), (600, "10 min")],
)
def test_a_duration_is_told_in_the_unit_that_fits(duration: float | None, words: str) -> None:
    assert seconds(duration) == words


@pytest.mark.parametrize(
    ("amount", "words"), [(0, "$0.00"), (1.5, "$1.50"), (0.0123, "$0.0123"), (1234.5, "$1,234.50")]
)
def test_little_money_is_told_in_more_places(amount: float, words: str) -> None:
    assert dollars(amount) == words


def test_every_figure_of_the_headline_is_told_also_when_nothing_is_known() -> None:
    labels = [figure.label for figure in told(figures(Sums(days=7)))]

    assert labels == [
        "verified", "false done", "first attempt", "after a retry", "interventions", "cost",
        "decision", "nodes busy", "queue wait",
    ]  # fmt: skip
    assert all(figure.value and figure.words for figure in told(figures(Sums(days=7))))
