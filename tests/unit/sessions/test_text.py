"""Text of strangers, and what is kept of a session's output."""

import pytest

from autonomy.sessions.output import Output
from autonomy.sessions.text import bounded, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext äöü 漢字", "plain\n\ttext äöü 漢字"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("left\u202eright", r"left\u202eright"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\x00", r"\x00"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    text = bounded("a" * 100 + "b" * 100, 20)

    assert text.startswith("a" * 10 + "\n")
    assert text.endswith("\n" + "b" * 10)
    assert "180 characters left out" in text


def test_output_that_is_short_is_kept_as_it_is() -> None:
    output = Output()

    shown = [output.feed(part) for part in (b"one\r", b"\ntwo\r", b"three \xc3", b"\xa4")]

    assert "".join(shown) == output.kept() == "one\ntwo\nthree ä"
    assert not output.truncated


def test_output_that_is_long_keeps_both_ends() -> None:
    output = Output()
    for number in range(30_000):
        output.feed(b"line %d\n" % number)

    assert output.kept().startswith("line 0\n")
    assert output.kept().endswith("line 29999\n")
    assert len(output.kept()) < 70_000
    assert output.truncated


def test_broken_bytes_are_shown_as_such() -> None:
    output = Output()

    assert output.feed(b"\xff\xfe ok \xc3") == "\ufffd\ufffd ok "
    assert output.feed(b"", final=True) == "\ufffd"
