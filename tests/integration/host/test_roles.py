"""The database itself refuses what a role may not do."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, QueryCanceled, ReadOnlySqlTransaction

from console.host.connections import KINDS, role_name
from console.host.errors import RoleForbidden
from console.host.roles import ensure_roles, grant_roles
from console.host.urls import database_of, with_login

MakeDatabase = Callable[[], str]

SCHEMA = """
    CREATE TABLE ledger_event (id bigserial PRIMARY KEY, type text);
    CREATE TABLE ledger_block (id int PRIMARY KEY);
    CREATE TABLE ledger_seal (id int PRIMARY KEY, block_id int REFERENCES ledger_block);
    CREATE TABLE ledger_outcome (id int, month int, PRIMARY KEY (id, month))
        PARTITION BY RANGE (month);
    CREATE TABLE ledger_outcome_1 PARTITION OF ledger_outcome FOR VALUES FROM (1) TO (2);
    CREATE TABLE tasks_task (id bigserial PRIMARY KEY, state text);
    CREATE TABLE auth_user (id int PRIMARY KEY, username text, password text);
    CREATE TABLE console_token (id int PRIMARY KEY, sha256 text);
    CREATE TABLE console_fingerprint (name text, value text);
    CREATE TABLE django_migrations (id int);
    CREATE VIEW open_tasks AS SELECT * FROM tasks_task;
    INSERT INTO auth_user VALUES (1, 'operator', 'hash');
    INSERT INTO ledger_event (type) VALUES ('TaskSubmitted');
    INSERT INTO ledger_block VALUES (1);
    INSERT INTO ledger_outcome VALUES (1, 1);
"""
LEDGER = ("ledger_event", "ledger_block", "ledger_seal", "ledger_outcome", "ledger_outcome_1")


@pytest.fixture(scope="module")
def owner(database: MakeDatabase) -> str:
    """A database with tables, roles and rights, by its owner's URL."""
    url = database()
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA)
    set_up(url)
    return url


def set_up(url: str) -> None:
    ensure_roles(url, {kind: f"{kind}'s password" for kind in KINDS})
    grant_roles(url, {kind: role_name(database_of(url), kind) for kind in KINDS})


def connect(owner: str, kind: str) -> Connection:
    login = role_name(database_of(owner), kind), f"{kind}'s password"
    return psycopg.connect(with_login(owner, *login), autocommit=True)


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET id = 7", "DELETE FROM {}", "TRUNCATE {} CASCADE", "DROP TABLE {}"]
)
def test_the_app_cannot_change_the_ledger(owner: str, table: str, statement: str) -> None:
    with connect(owner, "app") as app, pytest.raises(InsufficientPrivilege):
        app.execute(statement.format(table))


def test_the_app_appends_to_the_ledger_and_works_on_everything_else(owner: str) -> None:
    with connect(owner, "app") as app:
        app.execute("INSERT INTO ledger_event (type) VALUES ('TaskSubmitted')")
        app.execute("INSERT INTO ledger_seal VALUES (1, 1)")
        app.execute("INSERT INTO tasks_task (state) VALUES ('ready')")
        app.execute("UPDATE tasks_task SET state = 'running'")
        app.execute("DELETE FROM tasks_task")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (id int)", "TRUNCATE tasks_task", "UPDATE console_fingerprint SET name=''"],
)
def test_the_app_cannot_do_what_is_the_owners(owner: str, statement: str) -> None:
    with connect(owner, "app") as app, pytest.raises(InsufficientPrivilege):
        app.execute(statement)


@pytest.mark.parametrize("kind", ["reader", "verifier"])
def test_those_who_look_can_read_but_not_write(owner: str, kind: str) -> None:
    with connect(owner, kind) as looking:
        assert looking.execute("SELECT min(id) FROM ledger_event").fetchone() == (1,)
        assert looking.execute("SELECT count(*) FROM open_tasks").fetchone() == (0,)
        with pytest.raises(ReadOnlySqlTransaction):
            looking.execute("CREATE TABLE mine (id int)")
        looking.execute("SET default_transaction_read_only = off")
        for statement in (
            "INSERT INTO tasks_task (state) VALUES ('ready')",
            "SELECT nextval('tasks_task_id_seq')",
            "CREATE TEMPORARY TABLE mine (id int)",
        ):
            with pytest.raises(InsufficientPrivilege):
                looking.execute(statement)


@pytest.mark.parametrize("kind", ["reader", "verifier"])
@pytest.mark.parametrize("secret", ["password FROM auth_user", "* FROM console_token"])
def test_those_who_look_see_no_password_and_no_token(owner: str, kind: str, secret: str) -> None:
    with connect(owner, kind) as looking:
        assert looking.execute("SELECT username FROM auth_user").fetchall() == [("operator",)]
        with pytest.raises(InsufficientPrivilege):
            looking.execute(f"SELECT {secret}")


def test_a_detector_that_looks_too_long_is_stopped(owner: str) -> None:
    with connect(owner, "reader") as reader, pytest.raises(QueryCanceled):
        reader.execute("SELECT pg_sleep(5)")


def test_setting_up_again_changes_passwords_and_takes_back_what_was_granted(owner: str) -> None:
    app = role_name(database_of(owner), "app")
    with psycopg.connect(owner) as connection:
        connection.execute(f"GRANT DELETE ON ledger_event TO {app}")
        connection.execute(f"GRANT SELECT ON console_token TO {app}")

    set_up(owner)

    with connect(owner, "app") as again, pytest.raises(InsufficientPrivilege):
        again.execute("DELETE FROM ledger_event")


def test_two_installations_share_a_server_and_cannot_read_each_other(
    owner: str, database: MakeDatabase
) -> None:
    other = database()
    set_up(other)
    login = role_name(database_of(other), "app"), "app's password"

    stranger = psycopg.connect(with_login(owner, *login))
    with stranger, pytest.raises(InsufficientPrivilege):
        stranger.execute("SELECT * FROM ledger_event")


def test_an_owner_who_may_not_make_roles_is_told_what_to_grant(owner: str) -> None:
    plain = with_login(owner, role_name(database_of(owner), "app"), "app's password")

    with pytest.raises(RoleForbidden) as refused:
        ensure_roles(plain, {"reader": "x"})

    assert "CREATEROLE" in refused.value.fix
    assert "app's password" not in str(refused.value)


def test_a_role_name_fits_into_postgresql_however_long_the_database_is_called() -> None:
    names = {role_name(f"{'d' * 60}{n}", kind) for n in range(2) for kind in KINDS}

    assert len(names) == 6
    assert all(len(name) <= 63 for name in names)
