"""The headline figures count what was proved."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.domain.ids import new_id
from ledger.domain.outcomes import NewOutcome
from ledger.models import Outcome
from ledger.selectors import headline, outcomes_of
from ledger.services import record, record_outcomes
from tests.integration.ledger.conftest import fact
from tests.support.walls import walls_down

pytestmark = pytest.mark.django_db

GOOD = NewOutcome(
    task_id=new_id(), epoch=1, skill="s", tier=1, state="done", verdict="verified", node="a"
)


def _ended(*outcomes: NewOutcome) -> None:
    record_outcomes([replace(outcome, task_id=new_id()) for outcome in outcomes])


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


def test_money_is_by_the_day_and_help_by_the_week() -> None:
    _ended(replace(GOOD, dollars=Decimal("0.7")))
    record(
        fact(actor="person:ada", type="approval_decided"),
        fact(actor="person:ada", type="task_submitted"),
        fact(actor="service:beat", type="approval_expired"),
    )

    found = headline(timedelta(days=14))

    assert found.dollars_per_day == pytest.approx(0.05)
    assert found.interventions_per_week == 0.5


def test_the_wait_is_told_by_its_percentiles() -> None:
    _ended(*(replace(GOOD, queue_seconds=float(n)) for n in range(101)))

    assert (headline().queue_p50_seconds, headline().queue_p95_seconds) == (50.0, 95.0)


def test_what_is_older_is_not_counted() -> None:
    _ended(GOOD)
    with walls_down():
        Outcome.objects.update(at="2020-01-01T00:00:00Z")

    found = headline()

    assert found.ended == 0
    assert found.verified_rate is None
    assert found.queue_p95_seconds is None


def test_outcomes_are_found_by_task() -> None:
    record_outcomes([GOOD])

    assert outcomes_of([GOOD.task_id, new_id()]).keys() == {GOOD.task_id}
