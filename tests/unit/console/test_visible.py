"""Text from outside: nothing in it can steer a terminal or deceive a reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cli.terminal import cell, diff
from console.domain.visible import one_line

HOSTILE = ["\x1b[2J", "\x9b31m", "a\rb", "ring\a", "\u202etxt", "zero\u200bwidth", "half\ud800"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_hides_or_steers_is_written_out_in_a_cell_and_in_a_diff(text: str) -> None:
    for shown in (cell(text).plain, diff("+" + text).plain, one_line(text)):
        assert not {"\x1b", "\x9b", "\r", "\a", "\u202e", "\u200b", "\ud800"} & set(shown)


def test_a_diff_is_told_by_its_first_characters_and_by_colour() -> None:
    shown = diff("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n")

    assert shown.plain == "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n"
    assert {str(span.style) for span in shown.spans} == {"bold", "cyan", "red", "green"}


@given(st.text())
def test_one_line_is_one_line_of_bounded_length(text: str) -> None:
    line = one_line(text, limit=40)

    assert len(line) <= 40
    assert line.isprintable()


def test_one_line_says_when_it_was_cut() -> None:
    assert one_line("a\nb\t c") == "a b c"
    assert one_line("x" * 50, limit=10) == "x" * 9 + "…"
