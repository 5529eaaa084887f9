"""What a session prints takes few rows and little memory, however much it is."""

from hypothesis import given
from hypothesis import strategies as st

from autonomy.node.services.output import ROW, WINDOW, Tape
from ledger.domain.ids import new_id


def kept(texts: list[str], write_after: set[int]) -> tuple[dict[int, str], Tape]:
    """The rows of a table to which the tape is written after some of the texts, and at the end."""
    tape, rows = Tape(new_id()), dict[int, str]()
    for number, text in enumerate(texts):
        tape.add(text)
        if number in write_after or number == len(texts) - 1:
            rows |= {piece.start: piece.text for piece in tape.pieces()}
            rows = {start: row for start, row in rows.items() if start >= tape.since}
            tape.written()
    return rows, tape


@given(st.lists(st.text("abc\n", max_size=5_000), max_size=60), st.sets(st.integers(0, 60)))
def test_the_rows_are_the_end_of_what_was_printed_in_order(
    texts: list[str], write_after: set[int]
) -> None:
    rows, tape = kept(texts, write_after)

    printed = "".join(texts)
    for start, row in rows.items():
        assert printed[start : start + len(row)] == row
    end = "".join(row for _, row in sorted(rows.items()))
    assert printed.endswith(end)
    assert len(end) >= min(len(printed), WINDOW - ROW)
    assert not tape.waits


@given(st.lists(st.text("abc\n", max_size=50_000), max_size=30), st.sets(st.integers(0, 30)))
def test_a_session_has_a_bounded_number_of_rows(texts: list[str], write_after: set[int]) -> None:
    rows, _ = kept(texts, write_after)

    assert len(rows) <= WINDOW // ROW + 1
    assert all(len(row) <= ROW for row in rows.values())


def test_what_was_not_written_takes_no_more_memory_than_the_window() -> None:
    tape = Tape(new_id())
    for _ in range(20):
        tape.add("x" * 1_000_000)

    assert sum(len(piece.text) for piece in tape.pieces()) <= WINDOW + ROW


def test_nothing_is_written_twice_but_the_row_that_grew() -> None:
    tape = Tape(new_id())
    tape.add("a" * (ROW + 5))
    tape.written()
    tape.add("b")

    assert [(piece.start, piece.text) for piece in tape.pieces()] == [(ROW, "aaaaab")]
    tape.written()
    assert tape.pieces() == []
