"""Sums of money are exact, whole microdollars, and never negative."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.domain.amounts import MOST_DOLLARS, BadAmount, dollars
from autonomy.sdk.skill import Limits


@given(st.decimals(0, MOST_DOLLARS, places=6))
def test_a_sum_is_kept_to_the_microdollar(amount: Decimal) -> None:
    assert dollars(amount) == amount
    assert dollars(str(amount)) == amount


@pytest.mark.parametrize(
    "amount",
    ["", "x", "NaN", "-NaN", "sNaN", "Infinity", "-1", "-0.000001", "0.0000001", "1e9", 0.1, True],
)
def test_what_is_no_sum_is_refused(amount: object) -> None:
    with pytest.raises(BadAmount):
        dollars(amount)  # type: ignore[arg-type]


def test_there_is_no_negative_zero() -> None:
    assert str(dollars("-0")) == "0.000000"


def test_limits_keep_their_sum_through_json() -> None:
    limits = Limits(tokens=5, dollars=Decimal("0.1"))

    assert Limits.model_validate_json(limits.model_dump_json()) == limits
    assert Limits.model_validate(limits.model_dump()) == limits
    assert Limits().tokens == Limits().dollars == 0
