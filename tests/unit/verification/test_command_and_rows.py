import sys
from typing import Any

from autonomy.sdk import Verdict
from autonomy.verification import command_answers, rows_are


def test_a_command_is_judged_by_code_and_words() -> None:
    argv = [sys.executable, "-c", "print('7 rows')"]

    assert command_answers(argv, contains="7 rows").verdict is Verdict.VERIFIED
    assert command_answers(argv, contains="8 rows").verdict is Verdict.REFUTED
    assert command_answers(argv, code=1).verdict is Verdict.REFUTED


def test_a_command_that_does_not_end_or_does_not_exist_proves_nothing() -> None:
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]

    assert command_answers(slow, timeout=0.3).verdict is Verdict.INCONCLUSIVE
    assert command_answers(["/no/such/command"]).verdict is Verdict.INCONCLUSIVE


def test_rows_are_compared_in_whatever_order() -> None:
    def query(sql: str, params: list[Any]) -> list[dict[str, Any]]:
        return [{"key": "b", "n": 2}, {"key": "a", "n": 1}]

    rows = [{"n": 1, "key": "a"}, {"n": 2, "key": "b"}]
    assert rows_are("rows", query, "…", [], expected=rows).verdict is Verdict.VERIFIED
    assert rows_are("rows", query, "…", [], expected=rows[:1]).verdict is Verdict.REFUTED
