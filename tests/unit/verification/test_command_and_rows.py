import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from autonomy.sdk import Transient, Verdict
from autonomy.sessions.looks import Reader
from autonomy.verification import command_answers, count_is, rows_are


def wait_for(holds: Callable[[], bool]) -> None:
    """Until it holds; fails after ten seconds."""
    give_up = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_command_is_judged_by_code_and_words() -> None:
    argv = [sys.executable, "-c", "print('7 rows')"]

    assert command_answers(argv, contains="7 rows").verdict is Verdict.VERIFIED
    assert command_answers(argv, contains="8 rows").verdict is Verdict.REFUTED
    assert command_answers(argv, code=1).verdict is Verdict.REFUTED


def test_a_command_that_does_not_end_or_does_not_exist_proves_nothing() -> None:
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]

    assert command_answers(slow, timeout=0.3).verdict is Verdict.INCONCLUSIVE
    assert command_answers(["/no/such/command"]).verdict is Verdict.INCONCLUSIVE


def test_a_command_that_says_too_much_or_is_killed_proves_nothing() -> None:
    loud = command_answers(["yes"], timeout=20)
    killed = command_answers([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])

    assert (loud.verdict, "bytes of output" in loud.seen) == (Verdict.INCONCLUSIVE, True)
    assert (killed.verdict, killed.seen) == (Verdict.INCONCLUSIVE, "it was ended by signal 9")


def test_nothing_that_a_command_began_outlives_the_look(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > {child}; exit 0"

    seen = command_answers(["/bin/sh", "-c", script], timeout=0.5)

    assert seen.verdict is Verdict.VERIFIED
    wait_for(lambda: not _runs(int(child.read_text())))


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_rows_are_compared_in_whatever_order() -> None:
    def query(sql: str, params: list[Any]) -> list[dict[str, Any]]:
        return [{"key": "b", "n": 2}, {"key": "a", "n": 1}]

    rows = [{"n": 1, "key": "a"}, {"n": 2, "key": "b"}]
    assert rows_are("rows", query, "…", [], expected=rows).verdict is Verdict.VERIFIED
    assert rows_are("rows", query, "…", [], expected=rows[:1]).verdict is Verdict.REFUTED


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A connection as verifiers have one."""
    with closing(Reader(os.environ["DATABASE_URL"])) as opened:
        yield opened


def test_real_rows_are_counted_and_compared(reader: Reader) -> None:
    numbers = "SELECT n, n * n AS square FROM generate_series(1, %s) AS n"

    seen = rows_are("squares", reader.query, numbers, [2], expected=squares(2))

    assert (seen.verdict, seen.found["rows"]) == (Verdict.VERIFIED, "2")
    assert rows_are("squares", reader.query, numbers, [3], expected=squares(2)).verdict == "refuted"


def test_a_number_is_compared(reader: Reader) -> None:
    def counted(**wanted: int) -> Verdict:
        return count_is("rows", reader.query, "SELECT count(*) FROM pg_class", [], **wanted).verdict

    assert counted(at_least=10) is Verdict.VERIFIED
    assert counted(exactly=1) is Verdict.REFUTED
    with pytest.raises(ValueError, match="either"):
        counted(exactly=1, at_least=1)


def test_what_is_not_one_number_proves_nothing(reader: Reader) -> None:
    for sql in ("SELECT 1 AS a, 2 AS b", "SELECT 'one'", "SELECT true", "SELECT 1 WHERE false"):
        assert count_is("rows", reader.query, sql, [], exactly=1).verdict is Verdict.INCONCLUSIVE


def test_as_many_rows_as_are_ever_answered_prove_nothing(reader: Reader) -> None:
    sql = "SELECT n FROM generate_series(1, 10000) AS n"

    assert rows_are("n", reader.query, sql, [], expected=[]).verdict is Verdict.INCONCLUSIVE


def test_a_database_that_is_away_proves_nothing() -> None:
    def away(sql: str, params: list[Any]) -> list[dict[str, Any]]:
        raise Transient("the database is away")

    assert rows_are("rows", away, "…", [], expected=[]).verdict is Verdict.INCONCLUSIVE
    assert count_is("rows", away, "…", [], exactly=0).verdict is Verdict.INCONCLUSIVE


def squares(most: int) -> list[dict[str, int]]:
    """Numbers and their squares."""
    return [{"n": n, "square": n * n} for n in range(1, most + 1)]
