"""What an outcome says about a node and a skill."""

from typing import Any
from uuid import UUID

import pytest

from ledger.domain.outcomes import NewOutcome, signal


def _outcome(**changes: Any) -> NewOutcome:
    given = {
        "task_id": UUID(int=1),
        "epoch": 1,
        "skill": "tidy",
        "tier": 1,
        "node": "a",
        "state": "done",
        "verdict": "verified",
        "expected_seconds": 10.0,
        "run_seconds": 10.0,
    }
    return NewOutcome(**{**given, **changes})


@pytest.mark.parametrize(
    ("expected", "actual", "value"),
    [(10, 10, 1.0), (10, 20, 0.5), (10, 5, 2.0), (10, 1, 2.0), (10, 0, 2.0), (0, 10, 0.0)],
)
def test_a_verified_run_is_worth_expected_over_actual_up_to_two(
    expected: float, actual: float, value: float
) -> None:
    said = signal(_outcome(expected_seconds=expected, run_seconds=actual))

    assert said is not None
    assert (said.value, said.succeeded, said.seconds) == (value, True, actual)


@pytest.mark.parametrize("error", ["transient", "timeout", "resource", "verification", "lost"])
def test_a_failure_is_worth_nothing_and_counts_against_node_and_skill(error: str) -> None:
    said = signal(_outcome(state="failed", verdict="", error_class=error))

    assert said is not None
    assert (said.node, said.value, said.succeeded) == ("a", 0.0, False)


@pytest.mark.parametrize("error", ["permanent", "bad_input"])
def test_a_failure_blamed_on_the_task_says_nothing_of_the_node(error: str) -> None:
    said = signal(_outcome(state="failed", verdict="", error_class=error))

    assert said is not None
    assert said.node == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"canary": True},
        {"canary": True, "state": "failed"},
        {"verdict": "unverified"},
        {"verdict": ""},
        {"state": "cancelled", "verdict": ""},
        {"state": "rejected", "verdict": ""},
        {"state": "expired", "verdict": ""},
    ],
)
def test_what_nobody_proved_says_nothing(changes: dict[str, Any]) -> None:
    assert signal(_outcome(**changes)) is None
