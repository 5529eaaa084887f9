"""The app's role may add to the ledger; what else has to be done, functions of the owner do."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection, transaction
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, IntegrityConstraintViolation

from console.host.connections import KINDS, role_name
from console.host.roles import ensure_roles, grant_roles
from console.host.urls import with_login
from ledger.domain.ids import new_id
from ledger.models import Body, Event
from ledger.services import record
from tests.integration.ledger.conftest import fact, happened, seal_everything

pytestmark = pytest.mark.django_db(transaction=True)

LEDGER = ("event", "body", "block", "seal", "outcome", "outcome_rest")


def _owner() -> str:
    """The owner's URL of the database of this test run."""
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="module")
def names(django_db_setup: None) -> dict[str, str]:
    """The roles, made as set-up makes them."""
    found = {kind: role_name(connection.settings_dict["NAME"], kind) for kind in KINDS}
    ensure_roles(_owner(), dict.fromkeys(KINDS, "x"))
    grant_roles(_owner(), found)
    return found


@pytest.fixture
def app(names: dict[str, str]) -> Iterator[Connection]:
    """A connection as the app."""
    with psycopg.connect(with_login(_owner(), names["app"], "x"), autocommit=True) as made:
        yield made


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_{} SET workspace_id = workspace_id",
        "DELETE FROM ledger_{}",
        "TRUNCATE ledger_{} CASCADE",
        "DROP TABLE ledger_{}",
        "ALTER TABLE ledger_{} DISABLE TRIGGER ALL",
    ],
)
def test_the_app_can_change_and_remove_nothing(app: Connection, table: str, statement: str) -> None:
    happened(3)
    seal_everything()

    with pytest.raises(InsufficientPrivilege):
        app.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT ledger_make_month('2020-01-01')",
        "CREATE OR REPLACE FUNCTION ledger_months_kept() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE ledger_outcome_2020_01 PARTITION OF ledger_outcome DEFAULT",
        "SET session_replication_role = replica",
    ],
)
def test_the_app_cannot_say_what_is_kept(app: Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        app.execute(statement)


def test_the_app_turns_the_months_as_the_owner_said(app: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_make_month('2020-01-01')")

    row = app.execute("SELECT month::text, outcomes FROM ledger_turn_months()").fetchone()

    assert row == ("2020-01-01", 0)


def test_the_app_erases_only_what_an_event_says_was_erased(app: Connection) -> None:
    with transaction.atomic():
        record(fact(body="ada@example.org"))
    event = Event.objects.get()

    with pytest.raises(IntegrityConstraintViolation, match="nothing says"):
        app.execute("SELECT ledger_erase(%s)", [event.id])
    with transaction.atomic():
        record(fact(type="body_erased", stream="event", stream_id=str(event.id)))
    app.execute("SELECT ledger_erase(%s)", [event.id])

    assert not Body.objects.exists()


@pytest.mark.parametrize("kind", ["reader", "verifier"])
def test_whoever_looks_sees_outcomes_and_no_body(names: dict[str, str], kind: str) -> None:
    with psycopg.connect(with_login(_owner(), names[kind], "x"), autocommit=True) as looking:
        looking.execute("SELECT count(*) FROM ledger_outcome, ledger_skillday, ledger_nodeday")
        for statement in (
            "SELECT text FROM ledger_body",
            f"SELECT ledger_erase('{new_id()}')",
            "SELECT ledger_turn_months()",
        ):
            with pytest.raises(InsufficientPrivilege):
                looking.execute(statement)
