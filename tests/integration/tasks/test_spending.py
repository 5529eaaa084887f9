"""What a session spends is counted, and never passes its limit (C-15)."""

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from autonomy.domain.states import State
from autonomy.tasks import services
from autonomy.tasks.models import Session, Task
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome
from tests.support.tasks import declare_skills, dispatched, ending, join, submit
from tests.support.threads import at_once

CALLERS = 200
AT_A_TIME = 40
"""Connections: the PostgreSQL of the tests takes sixty in all."""


def running(**limits: Any) -> services.Claimed:
    """A session that may spend so much."""
    declare_skills(one=1)
    task, node = dispatched(submit()), join()
    wanted = services.Claim(
        task.id, task.epoch, new_id(), "v1", "d", needs_approval=False, limits=limits
    )
    (taken,) = services.claim("n1", node, [wanted])
    return taken


def pay(taken: services.Claimed, tokens: int = 0, dollars: str | Decimal = "0") -> services.Spent:
    return services.spend(taken.session_id, taken.epoch, tokens=tokens, dollars=Decimal(dollars))


@pytest.mark.django_db
def test_what_is_spent_adds_up() -> None:
    taken = running(tokens=100, dollars="0.5")

    pay(taken, 40, "0.25")

    assert pay(taken, 60, "0.25") == services.Spent(100, Decimal("0.500000"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tokens", "dollars", "limit"), [(101, "0", "tokens"), (0, "0.500001", "dollars")]
)
def test_what_does_not_fit_is_not_counted_and_marks_the_session(
    tokens: int, dollars: str, limit: str
) -> None:
    taken = running(tokens=100, dollars="0.5")
    pay(taken, 1, "0.000001")

    with pytest.raises(services.LimitReached) as refused:
        pay(taken, tokens, dollars)

    session = Session.objects.get(id=taken.session_id)
    assert refused.value.limit == session.crossed == limit
    assert (session.tokens, session.dollars) == (1, Decimal("0.000001"))


@pytest.mark.django_db
def test_a_session_that_crossed_a_limit_spends_nothing_more() -> None:
    taken = running(tokens=100, dollars="1")
    with pytest.raises(services.LimitReached):
        pay(taken, 101)

    with pytest.raises(services.LimitReached) as again:
        pay(taken, 0, "0.1")

    assert again.value.limit == "tokens"
    assert Session.objects.get(id=taken.session_id).dollars == 0


@pytest.mark.django_db
def test_a_session_that_declared_none_may_spend_none() -> None:
    taken = running()

    pay(taken, 0, "0")
    with pytest.raises(services.LimitReached):
        pay(taken, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("tokens", [-1, 2**63, 10**12 + 1, True, 1.5, "1", None])
def test_a_number_of_tokens_that_is_none_is_refused(tokens: Any) -> None:
    taken = running(tokens=100)

    with pytest.raises(services.BadSpending):
        pay(taken, tokens)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "dollars", ["NaN", "sNaN", "Infinity", "-Infinity", "-0.000001", "0.0000001", "1e30"]
)
def test_a_sum_that_is_none_is_refused(dollars: str) -> None:
    taken = running(dollars="100")

    with pytest.raises(services.BadSpending):
        pay(taken, 0, dollars)
    assert Session.objects.get(id=taken.session_id).crossed == ""


@pytest.mark.django_db
def test_a_float_is_no_sum() -> None:
    taken = running(dollars="100")

    with pytest.raises(services.BadSpending):
        services.spend(taken.session_id, taken.epoch, tokens=0, dollars=0.1)  # type: ignore[arg-type]


def _an_old_epoch(taken: services.Claimed) -> int:
    return taken.epoch - 1


def _a_lost_lease(taken: services.Claimed) -> int:
    Task.objects.filter(id=taken.task_id).update(lease_until="2020-01-01T00:00Z")
    return taken.epoch


def _a_lost_session(taken: services.Claimed) -> int:
    _a_lost_lease(taken)
    services.reconcile()
    return taken.epoch


def _evidence(taken: services.Claimed) -> int:
    end = services.SessionEnd(ended="ok")
    services.await_evidence(taken.task_id, taken.epoch, taken.session_id, result=None, session=end)
    return taken.epoch


@pytest.mark.django_db
@pytest.mark.parametrize("fence", [_an_old_epoch, _a_lost_lease, _a_lost_session, _evidence])
def test_a_session_that_is_fenced_off_or_over_spends_nothing(
    fence: Callable[[services.Claimed], int],
) -> None:
    taken = running(tokens=100)
    pay(taken, 10)
    epoch = fence(taken)

    with pytest.raises(services.StaleWrite):
        services.spend(taken.session_id, epoch, tokens=1, dollars=Decimal(0))

    assert Session.objects.get(id=taken.session_id).tokens == 10
    late = Event.objects.filter(type="stale_write_rejected", stream_id=str(taken.task_id))
    assert late.last().payload["what"] == "spending"  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_session_that_nobody_knows_spends_nothing() -> None:
    with pytest.raises(services.StaleWrite):
        services.spend(new_id(), 1, tokens=1, dollars=Decimal(0))


@pytest.mark.django_db
def test_the_outcome_has_the_sums_of_every_attempt() -> None:
    taken = running(tokens=100, dollars="1")
    pay(taken, 30, "0.30")
    failed = services.SessionEnd(ended="failed", error="x")
    services.settle([ending(taken, State.READY, session=failed)])
    task = dispatched(Task.objects.get(id=taken.task_id))
    again = services.Claim(
        task.id, task.epoch, new_id(), "v1", "d", needs_approval=False, limits={"tokens": 9}
    )
    (second,) = services.claim("n1", join(), [again])
    pay(second, 9)

    services.settle([ending(second, State.FAILED)])

    outcome = Outcome.objects.get(task_id=task.id)
    assert (outcome.tokens, outcome.dollars) == (39, Decimal("0.30"))


@pytest.mark.django_db
def test_counting_takes_one_statement_however_much_was_counted() -> None:
    taken = running(tokens=1000)
    for _ in range(20):
        pay(taken, 1)

    with CaptureQueriesContext(connection) as queries:
        pay(taken, 1)

    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_two_hundred_callers_at_once_never_pass_the_limit() -> None:
    taken = running(tokens=10_000, dollars="1.000000")
    random.seed(4)
    asked = [Decimal(random.randint(1, 20_000)).scaleb(-6) for _ in range(CALLERS)]  # noqa: S311

    counted = _at_once([partial(_counted, taken, dollars) for dollars in asked])

    session = Session.objects.get(id=taken.session_id)
    assert session.dollars == sum(counted)
    assert session.dollars <= 1
    assert session.crossed == "dollars"
    assert session.tokens == len([sum_ for sum_ in counted if sum_])
    assert 0 in counted


@pytest.mark.django_db(transaction=True)
def test_callers_that_race_with_the_loss_of_the_lease_are_counted_before_it_or_not_at_all() -> None:
    taken = running(tokens=10**6)
    acts: list[Callable[[], Decimal]] = [partial(_counted, taken, Decimal(0)) for _ in range(60)]

    def lose() -> Decimal:
        end = services.SessionEnd(ended="lost")
        services.settle([ending(taken, State.FAILED, session=end)])
        return Decimal(0)

    counted = _at_once([*acts[:30], lose, *acts[30:]])

    assert Session.objects.get(id=taken.session_id).tokens >= 0
    outcome = Outcome.objects.get(task_id=taken.task_id)
    assert outcome.tokens == Session.objects.get(id=taken.session_id).tokens
    assert len(counted) == 61


def _counted(taken: services.Claimed, dollars: Decimal) -> Decimal:
    """What was counted of it."""
    try:
        pay(taken, 1, dollars)
    except (services.LimitReached, services.StaleWrite):
        return Decimal(0)
    return dollars


def _at_once(acts: list[Callable[[], Decimal]]) -> list[Decimal]:
    """All of them at the same moment, on as many connections as there may be."""
    groups = [acts[number::AT_A_TIME] for number in range(AT_A_TIME)]
    found = at_once(*(partial(_in_turn, group) for group in groups))
    return [counted for group in found for counted in group]


def _in_turn(acts: list[Callable[[], Decimal]]) -> list[Decimal]:
    return [act() for act in acts]
