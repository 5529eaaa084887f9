"""The headline figures count what was proved, over whole days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from ledger.domain.ids import earliest_id, new_id
from ledger.domain.outcomes import NewOutcome
from ledger.models import Event, NodeDay, SkillDay
from ledger.selectors import by_skill, database_time, headline, outcomes_of, today
from ledger.services import (
    NothingProved,
    add_node_time,
    record,
    record_outcomes,
    record_second_look,
)
from tests.integration.ledger.conftest import fact
from tests.support.walls import walls_down

pytestmark = pytest.mark.django_db

GOOD = NewOutcome(
    task_id=new_id(), epoch=1, skill="s", tier=1, state="done", verdict="verified", node="a",
    session_id=new_id(),
)  # fmt: skip


def _ended(*outcomes: NewOutcome) -> Sequence[NewOutcome]:
    made = [replace(outcome, task_id=new_id()) for outcome in outcomes]
    record_outcomes(made)
    return made


def _days_pass(days: int) -> None:
    SkillDay.objects.update(day=F("day") - timedelta(days=days))
    NodeDay.objects.update(day=F("day") - timedelta(days=days))


def test_rates_are_of_tasks_that_ended_by_themselves() -> None:
    bad = replace(GOOD, state="failed", verdict="refuted")
    _ended(
        *[GOOD] * 4,
        replace(GOOD, verdict="unverified"),
        replace(GOOD, retries=2),
        bad,
        replace(bad, retries=2),
        replace(GOOD, canary=True),
        replace(GOOD, state="cancelled", verdict=""),
    )

    found = headline()

    assert (found.ended, found.verified, found.unverified, found.failed) == (8, 5, 1, 2)
    assert found.verified_rate == 5 / 8
    assert found.first_attempt_rate == 4 / 6
    assert found.after_retry_rate == 1 / 2


def test_one_command_of_a_person_is_one_intervention_and_looking_is_none() -> None:
    _ended(GOOD)
    _days_pass(13)
    record(
        fact(actor="person:ada", type="component_paused", stream_id="a"),
        fact(actor="person:ada", type="component_paused", stream_id="b"),
        fact(actor="person:ada", type="task_submitted"),
        fact(actor="person:ada", type="ledger_verified"),
        fact(actor="service:beat", type="approval_expired"),
    )

    found = headline(14)

    assert 13 < found.days <= 14
    assert found.interventions_per_week == pytest.approx(7 / found.days, rel=0.01)


def test_money_is_by_the_day_also_where_the_platform_is_younger_than_the_span() -> None:
    _ended(replace(GOOD, dollars=Decimal("0.7")))
    _days_pass(2)

    found = headline(30)

    assert 2 < found.days <= 3
    assert found.dollars_per_day == pytest.approx(0.7 / found.days, rel=0.01)


def test_the_wait_is_told_by_its_percentiles() -> None:
    _ended(*(replace(GOOD, queue_seconds=float(n), decision_seconds=0.01) for n in range(101)))

    found = headline()

    assert found.queue_p50_seconds == pytest.approx(50, rel=0.1)
    assert found.queue_p95_seconds == pytest.approx(95, rel=0.1)
    assert found.decision_p95_seconds == pytest.approx(0.01, rel=0.2)


def test_what_is_older_is_not_counted() -> None:
    _ended(GOOD)
    _days_pass(7)

    found = headline()

    assert found.ended == 0
    assert found.verified_rate is None
    assert found.queue_p95_seconds is None
    assert headline(8).ended == 1


def test_the_figures_take_one_statement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    _ended(GOOD)

    with django_assert_num_queries(1):
        headline()
    with django_assert_num_queries(1):
        by_skill()


def test_nodes_are_as_busy_as_their_slots_were() -> None:
    add_node_time("a", alive_seconds=10, slots=4, busy_seconds=10)
    add_node_time("b", alive_seconds=10, slots=2, busy_seconds=5)

    assert headline().node_utilisation == 15 / 60


def test_what_was_falsely_done_rests_on_second_looks_alone() -> None:
    first, second = _ended(GOOD, GOOD)
    assert headline().false_done_rate is None

    seen = {"looked_at": "the file"}
    record_second_look(first.task_id, holds=True, actor="service:x", reason="", evidence=seen)
    record_second_look(
        second.task_id, holds=False, actor="person:ada", reason="it is empty", evidence=seen
    )

    assert headline().false_done_rate == 1 / 2
    said = Event.objects.get(type="outcome_contradicted")
    assert said.payload == {"skill": "s", "reason": "it is empty", "evidence": seen}


def test_what_was_not_proved_cannot_be_false() -> None:
    (failed,) = _ended(replace(GOOD, state="failed", verdict=""))

    with pytest.raises(NothingProved):
        record_second_look(failed.task_id, holds=False, actor="x", reason="", evidence={})
    with pytest.raises(NothingProved):
        record_second_look(new_id(), holds=False, actor="x", reason="", evidence={})


def test_events_of_before_the_span_are_no_interventions() -> None:
    record(fact(actor="person:ada", type="approval_decided"))
    with walls_down():
        Event.objects.update(id=earliest_id(database_time() - timedelta(days=8)))

    assert headline().interventions_per_week == 0


def test_each_skill_has_its_figures() -> None:
    _ended(
        *(replace(GOOD, skill="slow", run_seconds=60.0, retries=1) for _ in range(20)),
        replace(GOOD, skill="bad", state="failed", verdict="", dollars=Decimal(2)),
        replace(GOOD, skill="stopped", state="cancelled", verdict=""),
    )

    bad, slow = by_skill()

    assert (slow.skill, slow.ended, slow.verified_rate, slow.retries) == ("slow", 20, 1, 20)
    assert slow.run_p95_seconds == pytest.approx(60, rel=0.2)
    assert (bad.skill, bad.failed, bad.verified_rate, bad.dollars) == ("bad", 1, 0, 2)


def test_today_is_counted_apart() -> None:
    _ended(GOOD)
    _days_pass(1)
    _ended(GOOD, replace(GOOD, state="failed", verdict=""))

    assert (today().verified, today().failed) == (1, 1)


def test_outcomes_are_found_by_task() -> None:
    record_outcomes([GOOD])

    assert outcomes_of([GOOD.task_id, new_id()]).keys() == {GOOD.task_id}
