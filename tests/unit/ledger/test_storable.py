"""Text from anywhere fits into a column, and nothing else is changed."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.storable import json_text, text


@given(st.text())
def test_text_that_fits_is_kept(value: str) -> None:
    if "\0" not in value:
        assert text(value) == value


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_what_is_written_has_no_nul_and_reads_back(value: object) -> None:
    assert json.loads(json_text(value)) == _without_nul(value)


def _without_nul(value: object) -> object:
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def test_a_backslash_before_u0000_is_left_alone() -> None:
    assert json.loads(json_text("\\u0000 \\\0")) == "\\u0000 \\\ufffd"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        json_text({"n": number})
