"""Outcomes are stored by month, and a month is dropped when it was kept long enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.module_loading import import_string
from psycopg.sql import SQL, Identifier

from config import parts
from config.parts import Every
from ledger.domain.ids import earliest_id, new_id
from ledger.domain.outcomes import NewOutcome
from ledger.models import Event, NodeDay, Outcome, SkillDay
from ledger.services import record_outcomes, turn_months
from ledger.services.months import keep_months
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MONTH = timedelta(days=31)


@pytest.fixture(autouse=True)
def _kept() -> Iterator[None]:
    """Two months are kept, and what a test makes of old months goes with it."""
    keep_months(2)
    yield
    _run("TRUNCATE ledger_outcome")
    for month in _months():
        if month < f"{_ago(0):%Y_%m}":
            _run(f"DROP TABLE ledger_outcome_{month}")
    keep_months(24)


def _run(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def _months() -> list[str]:
    rows = _run(
        "SELECT right(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'ledger_outcome'::regclass ORDER BY 1"
    )
    return [name for (name,) in rows if name != "me_rest"]


def _ago(months: int) -> datetime:
    """The first day of the month so many months ago."""
    (found,) = _run(
        "SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => %s)", months
    )[0]
    return found.replace(tzinfo=UTC)  # type: ignore[no-any-return]


def _outcome(task_id: UUID | None = None) -> NewOutcome:
    return NewOutcome(
        task_id=task_id or new_id(), epoch=1, skill="s", tier=1, state="done", verdict="verified",
        node="a",
    )  # fmt: skip


def _of_month(months_ago: int) -> NewOutcome:
    """The outcome of a task that was asked for so many months ago, in the month made for it."""
    _run("SELECT ledger_make_month(%s)", _ago(months_ago).date())
    return _outcome(UUID(int=earliest_id(_ago(months_ago)).int + uuid4().int % 2**64))


def _part(task_id: UUID) -> str:
    return str(
        _run("SELECT tableoid::regclass FROM ledger_outcome WHERE task_id = %s", task_id)[0][0]
    )


def test_an_outcome_is_stored_in_the_month_of_its_task() -> None:
    new, old = _outcome(), _of_month(5)
    record_outcomes([new, old])

    assert _part(new.task_id) == f"ledger_outcome_{_ago(0):%Y_%m}"
    assert _part(old.task_id) == f"ledger_outcome_{_ago(5):%Y_%m}"


def test_a_key_of_another_kind_goes_to_the_rest_and_is_unique_all_the_same() -> None:
    strange = _outcome(UUID("ffffffff-0000-4000-8000-000000000000"))

    assert record_outcomes([strange]) == {strange.task_id}
    assert record_outcomes([strange]) == frozenset()
    assert _part(strange.task_id) == "ledger_outcome_rest"


def test_the_coming_months_are_there_in_time() -> None:
    _run(f"DROP TABLE ledger_outcome_{_ago(-3):%Y_%m}")

    turn_months()

    assert _months()[-4:] == [f"{_ago(-ahead):%Y_%m}" for ahead in range(4)]


def test_rows_of_a_month_that_was_not_made_in_time_move_to_it_when_it_is() -> None:
    _run(f"DROP TABLE ledger_outcome_{_ago(0):%Y_%m}")
    early = _outcome()
    record_outcomes([early])
    assert _part(early.task_id) == "ledger_outcome_rest"

    turn_months()

    assert _part(early.task_id) == f"ledger_outcome_{_ago(0):%Y_%m}"
    with pytest.raises(IntegrityError, match="append-only"):
        _run("DELETE FROM ledger_outcome_rest")


def test_a_month_is_dropped_once_it_was_kept_long_enough_and_that_is_recorded() -> None:
    record_outcomes([_of_month(2), *(_of_month(3) for _ in range(4))])

    assert turn_months(actor="node:a") == f"{_ago(3):%Y-%m}"
    assert turn_months(actor="node:a") == ""

    assert Outcome.objects.count() == 1
    dropped = Event.objects.get(type="outcomes_dropped")
    assert dropped.payload == {"month": f"{_ago(3):%Y-%m}", "outcomes": 4, "months_kept": 2}
    assert dropped.actor == "node:a"


def test_one_month_is_dropped_at_a_time_the_oldest_first() -> None:
    record_outcomes([_of_month(4), _of_month(3)])

    assert [turn_months(), turn_months(), turn_months()] == [
        f"{_ago(4):%Y-%m}",
        f"{_ago(3):%Y-%m}",
        "",
    ]


def test_in_one_go_months_are_made_or_one_is_dropped_never_both() -> None:
    """Together, they and a reader could wait for each other in a ring."""
    record_outcomes([_of_month(3)])
    _run(f"DROP TABLE ledger_outcome_{_ago(-3):%Y_%m}")

    assert turn_months() == ""
    assert _months()[-1] == f"{_ago(-3):%Y_%m}"
    assert turn_months() == f"{_ago(3):%Y-%m}"


@pytest.mark.timeout(60)
def test_whoever_reads_while_months_are_turned_is_never_refused() -> None:
    record_outcomes([_of_month(months) for months in range(3, 9)])
    done = Flag()

    def read() -> int:
        looks = 0
        while not done.is_set():
            looks += Outcome.objects.count() >= 0
        return looks

    def turn() -> int:
        try:
            for _ in range(6):
                _run(f"DROP TABLE IF EXISTS ledger_outcome_{_ago(-3):%Y_%m}")
                turn_months()
                turn_months()
        finally:
            done.set()
        return 1

    assert min(at_once(turn, read, read, read)) > 0
    assert _months()[-1] == f"{_ago(-3):%Y_%m}"


def test_the_sums_of_a_dropped_month_stay() -> None:
    record_outcomes([_of_month(3)])

    turn_months()

    assert not Outcome.objects.exists()
    assert (SkillDay.objects.get().verified, NodeDay.objects.get().verified) == (1, 1)


def test_for_ever_is_for_ever() -> None:
    record_outcomes([_of_month(60)])
    keep_months(0)

    assert turn_months() == ""
    assert Outcome.objects.count() == 1


def test_what_was_dropped_has_its_late_outcomes_in_the_rest() -> None:
    late = _of_month(3)
    turn_months()

    record_outcomes([late])

    assert _part(late.task_id) == "ledger_outcome_rest"


@contextmanager
def _someone_reads(part: str) -> Iterator[None]:
    """Another connection that has looked at a month and keeps its transaction open."""
    settings = connection.get_connection_params()
    with psycopg.connect(
        **{name: settings[name] for name in ("host", "port", "dbname", "user", "password")}
    ) as reader:
        reader.execute(SQL("SELECT count(*) FROM {}").format(Identifier(part)))
        yield


def test_whoever_holds_a_month_is_not_waited_for() -> None:
    record_outcomes([_of_month(3)])

    with _someone_reads(f"ledger_outcome_{_ago(3):%Y_%m}"):
        assert turn_months() == ""
        assert record_outcomes([_outcome()])

    assert Outcome.objects.count() == 2
    assert turn_months() == f"{_ago(3):%Y-%m}"


@pytest.mark.parametrize("query", ["UPDATE {} SET tier = 2", "DELETE FROM {}"])
def test_a_month_is_as_append_only_as_the_whole(query: str) -> None:
    made = _outcome()
    record_outcomes([made])

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        _run(query.format(_part(made.task_id)))


def test_a_node_turns_the_months_once_an_hour() -> None:
    turned: list[str] = []
    hourly = Every(3600)

    for _ in range(3):
        hourly(lambda: turned.append("once"))
    assert turned == ["once"]

    hourly.due = 0.0
    hourly(lambda: turned.append("again"))
    assert turned == ["once", "again"]


def test_the_part_of_a_node_is_named_in_the_settings() -> None:
    assert parts.turn_months in [import_string(path) for path in settings.AUTONOMY_NODE_PARTS]
