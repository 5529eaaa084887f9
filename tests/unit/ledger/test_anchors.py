"""Anchors are lines that only our keys can write."""

import pytest

from ledger.domain.anchors import Anchor, Forged, Torn, line, read

ANCHOR = Anchor(workspace_id="w", number=3, last_sequence=25, hash="a" * 64, at="2026-01-02")


def test_an_anchor_is_read_as_it_was_written() -> None:
    assert read(line(ANCHOR, "key"), ["new key", "key"]) == ANCHOR


def test_a_line_of_another_key_is_forged() -> None:
    with pytest.raises(Forged):
        read(line(ANCHOR, "other"), ["key"])


def test_a_changed_number_is_forged() -> None:
    with pytest.raises(Forged):
        read(line(ANCHOR, "key").replace('"number": 3', '"number": 4'), ["key"])


@pytest.mark.parametrize(
    "written", ["", "\n", "null", "[]", "{}", '{"signature": 1}', '{"at": "20']
)
def test_what_is_no_anchor_is_torn(written: str) -> None:
    with pytest.raises(Torn):
        read(written, ["key"])
