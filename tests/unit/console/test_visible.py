"""Text from outside: nothing in it can steer a terminal or deceive a reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.visible import one_line, visible


def test_ordinary_text_in_any_script_is_left_alone() -> None:
    text = "Grüße, 世界 — naïve ✔\n\tindented"

    assert visible(text) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb", "a\\rb"),
        ("ring\a", "ring\\x07"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028feed", "line\\u2028feed"),
        ("half\ud800", "half\\ud800"),
        ("\U000e0041tag", "\\U000e0041tag"),
    ],
)
def test_what_hides_or_steers_is_shown_as_an_escape(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


@given(st.text())
def test_no_control_character_gets_through(text: str) -> None:
    assert all(char in "\n\t" or char.isprintable() or char.isspace() for char in visible(text))
    assert not set(visible(text)) & set(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))


def test_one_line_is_one_line_and_says_when_it_was_cut() -> None:
    assert one_line("a\nb\t c") == "a b c"
    assert one_line("x" * 50, limit=10) == "x" * 9 + "…"
