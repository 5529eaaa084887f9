"""Outcomes are stored once and fade in the scores of nodes and skills."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.db.models import F

from ledger.domain.ids import new_id
from ledger.models import NodeScore, Outcome, SkillEstimate
from ledger.selectors import estimates
from ledger.services import NewOutcome, fold_scores, record_outcomes
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def _outcome(**changes: Any) -> NewOutcome:
    given = {
        "task_id": new_id(),
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


def _score(node: str = "a", skill: str = "tidy") -> tuple[float, float, float]:
    row = NodeScore.objects.get(node=node, skill=skill)
    return row.value_sum, row.success_sum, row.weight


def _age(by: timedelta) -> None:
    NodeScore.objects.update(at=F("at") - by)
    SkillEstimate.objects.update(at=F("at") - by)


def test_every_field_of_an_outcome_is_stored() -> None:
    given = _outcome(
        session_id=new_id(),
        reason="nul\0",
        evidence={"checks": ["\0"]},
        queue_seconds=1.5,
        verify_seconds=0.25,
        retries=2,
        dollars=Decimal("0.000123"),
        tokens=2**40,
        quality=0.5,
        error_class="x",
    )
    record_outcomes([given])

    stored: dict[str, Any] = dict(Outcome.objects.values().get())
    expected = {**vars(given), "reason": "nul\ufffd", "evidence": {"checks": ["\ufffd"]}}
    assert {name: stored[name] for name in expected} == expected
    assert stored["at"] is not None


def test_a_task_has_one_outcome_and_it_counts_once() -> None:
    first, second = _outcome(), _outcome()
    assert record_outcomes([first]) == {first.task_id}

    again = _outcome(task_id=first.task_id, state="failed", verdict="")

    assert record_outcomes([again, second]) == {second.task_id}
    assert Outcome.objects.get(task_id=first.task_id).state == "done"
    assert _score() == pytest.approx((2.0, 2.0, 2.0), rel=0.01)


def test_a_batch_takes_three_statements(django_assert_num_queries: Any) -> None:
    batch = [_outcome(node=f"n{n % 7}", skill=f"s{n % 5}") for n in range(100)]

    with django_assert_num_queries(3):
        record_outcomes(batch)


def test_no_outcomes_are_no_statements(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert record_outcomes([]) == frozenset()


def test_a_signal_of_thirty_minutes_ago_weighs_half_of_a_fresh_one() -> None:
    fold_scores([_outcome()])
    _age(timedelta(minutes=30))
    with transaction.atomic():
        NodeScore.objects.update(at=_transaction_time() - timedelta(minutes=30))
        fold_scores([_outcome(state="failed", verdict="", error_class="lost")])

    assert _score() == pytest.approx((0.5, 0.5, 1.5), abs=1e-9)


def _transaction_time() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def test_the_half_life_is_a_setting(settings: LazySettings) -> None:
    settings.AUTONOMY_SCORE_HALF_LIFE = 60
    fold_scores([_outcome()])
    with transaction.atomic():
        NodeScore.objects.update(at=_transaction_time() - timedelta(minutes=2))
        fold_scores([_outcome()])

    assert _score() == pytest.approx((1.25, 1.25, 1.25), abs=1e-9)


def test_batches_that_commit_out_of_order_fade_to_the_same_sum() -> None:
    """The row is of a later time than this transaction: the given amount fades, not the stored."""
    fold_scores([_outcome()])
    with transaction.atomic():
        NodeScore.objects.update(at=_transaction_time() + timedelta(minutes=30))
        fold_scores([_outcome()])

    assert _score() == pytest.approx((1.5, 1.5, 1.5), abs=1e-9)


def test_a_score_of_long_ago_fades_to_nothing_without_an_error() -> None:
    fold_scores([_outcome()])
    for _ in range(30):
        _age(timedelta(hours=31))
        fold_scores([_outcome(state="failed", verdict="", error_class="lost")])

    value, success, weight = _score()
    assert (value, success) == (0.0, 0.0)
    assert weight == pytest.approx(1.0)


def test_the_mean_of_a_skill_is_that_of_its_verified_runs() -> None:
    record_outcomes(
        [
            _outcome(run_seconds=4.0),
            _outcome(run_seconds=8.0),
            _outcome(run_seconds=99.0, state="failed", verdict="", error_class="timeout"),
            _outcome(run_seconds=99.0, verdict="unverified"),
            _outcome(run_seconds=99.0, canary=True),
            _outcome(skill="other", state="failed", verdict="", error_class="lost"),
        ]
    )

    assert estimates(["tidy", "other", "unknown"]) == {"tidy": pytest.approx(6.0)}
    estimate = SkillEstimate.objects.get(skill="tidy")
    assert (estimate.success_sum, estimate.weight) == (2.0, 3.0)


def test_what_is_blamed_on_the_task_is_not_held_against_the_node() -> None:
    record_outcomes([_outcome(state="failed", verdict="", error_class="permanent")])

    assert not NodeScore.objects.exists()
    assert SkillEstimate.objects.get().weight == 1.0


@pytest.mark.timeout(60)
def test_batches_at_once_over_the_same_rows_lose_nothing_and_never_lock_each_other_out() -> None:
    writers, rounds = 8, 15
    keys = [(f"n{n}", f"s{s}") for n in range(4) for s in range(4)]

    def write(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        for _ in range(rounds):
            chance.shuffle(keys_of := list(keys))
            with transaction.atomic():
                record_outcomes([_outcome(node=node, skill=skill) for node, skill in keys_of])

    at_once(*(lambda seed=seed: write(seed) for seed in range(writers)))

    assert Outcome.objects.count() == writers * rounds * len(keys)
    for weight in NodeScore.objects.values_list("weight", flat=True):
        assert weight == pytest.approx(writers * rounds, rel=0.01)
