"""What a person reads is what is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.visible import revealed, segments


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, Grüße, 日本, é", "plain text, Grüße, 日本, é"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\u202egnp.exe", "a⟨U+202E⟩gnp.exe"),
        ("ada\u200b@x", "ada⟨U+200B⟩@x"),
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("1\u00a0000", "1⟨U+00A0⟩000"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("\u3164hangul filler", "⟨U+3164⟩hangul filler"),
        ("a\ufe0fb\U000e0100", "a⟨U+FE0F⟩b⟨U+E0100⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
    ],
)
def test_what_nobody_would_see_is_written_out(text: str, shown: str) -> None:
    assert revealed(text) == shown


@given(st.text())
def test_what_everybody_sees_is_left_as_it_is(text: str) -> None:
    plain = "".join(piece for piece, hidden in segments(text) if not hidden)

    assert [c for c in text if c in plain] == list(plain)
    assert revealed(revealed(text)) == revealed(text)
